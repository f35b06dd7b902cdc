"""Questions about films: ours with what an answer must be, and those that people asked elsewhere.

Ours are written by patterns; each says which genres, years, people, countries and lengths a film
must have. A film answers if all hold. The handed ones (`movie-questions`) are tagged by people;
genres are compared by a table of our own, years exactly or by decade, people by their credits.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.harness import Row, say
from benchmarks.search_evidence import demo
from recommender.arrays import Bool, Float32
from search.engine import Document, SearchEngine
from search.text import fold

SEED = 7
FIRST = 5
HANDED, HANDED_QUICK = 1_500, 150
"""Questions asked of each catalogue, drawn at random."""


@dataclass(frozen=True)
class Wanted:
    """What a film must be to answer a question.

    Attributes:
        text: the question.
        genres: it has one of each of these sets, by folded names.
        years: it is of these years.
        people: who must be in its credits, folded.
        directors: who must have directed it, folded.
        not_genres: it has none of these.
        not_people: none of these is in its credits.
        countries: it is foremost from one of these, folded.
        minutes: its length is between these.
    """

    text: str
    genres: tuple[frozenset[str], ...] = ()
    years: tuple[int, int] | None = None
    people: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    not_genres: frozenset[str] = frozenset()
    not_people: tuple[str, ...] = ()
    countries: frozenset[str] = frozenset()
    minutes: tuple[int, int] | None = None


@dataclass
class Judge:
    """Tells which films of a catalogue answer a question."""

    films: Sequence[Document]
    genres: dict[str, Bool] = field(default_factory=dict)
    people: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    directors: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        count = len(self.films)
        self.years = np.array([film.year or 0 for film in self.films])
        self.minutes = np.array([film.minutes or 0 for film in self.films])
        self.countries = np.array([fold(next(iter(f.countries), "")) for f in self.films])
        self.languages = np.array([fold(next(iter(f.languages), "")) for f in self.films])
        for place, film in enumerate(self.films):
            for genre in map(fold, film.genres):
                self.genres.setdefault(genre, np.zeros(count, dtype=bool))[place] = True
            for person in map(fold, film.people):
                self.people[person].add(place)
            for person in map(fold, film.directors):
                self.directors[person].add(place)

    def answers(self, wanted: Wanted) -> Bool:
        """Return (N,) True at the films that answer."""
        good = np.ones(len(self.films), dtype=bool)
        for names in wanted.genres:
            good &= self._any(names)
        good &= ~self._any(wanted.not_genres)
        if wanted.years is not None:
            good &= (self.years >= wanted.years[0]) & (self.years <= wanted.years[1])
        if wanted.minutes is not None:
            good &= (self.minutes >= wanted.minutes[0]) & (self.minutes <= wanted.minutes[1])
        if wanted.countries:
            good &= np.isin(self.countries, list(wanted.countries)) | np.isin(
                self.languages, list(wanted.countries)
            )
        for person in wanted.people:
            good &= self._at(self.people.get(person, set()))
        for person in wanted.directors:
            known = self.directors if self.directors else self.people
            good &= self._at(known.get(person, set()))
        for person in wanted.not_people:
            good &= ~self._at(self.people.get(person, set()))
        return good

    def _any(self, names: frozenset[str]) -> Bool:
        masks = [self.genres[name] for name in names if name in self.genres]
        return np.logical_or.reduce(masks) if masks else np.zeros(len(self.films), dtype=bool)

    def _at(self, places: set[int]) -> Bool:
        mask = np.zeros(len(self.films), dtype=bool)
        mask[list(places)] = True
        return mask


def questions(data: Path, *, quick: bool) -> Iterator[Row]:
    """Yield how well questions are answered, ours over the demo, the handed ones over both."""
    films, liked = demo()
    engine = SearchEngine.build(films)
    yield from _share("own questions, demo", own_questions(), films, liked, engine)
    handed = data / "movie-questions" / "train.parquet"
    if not handed.exists():
        say(f"handed questions: left out, {handed} is not there")
        return
    asked = handed_questions(handed, HANDED_QUICK if quick else HANDED)
    yield from _share("handed questions, demo", asked, films, liked, engine)
    wikipedia = data / "wikipedia-movies" / "movies.parquet"
    if not wikipedia.exists():
        say(f"handed questions over Wikipedia: left out, {wikipedia} is not there")
        return
    films = wikipedia_films(wikipedia)
    engine = SearchEngine.build(films)
    yield from _share("handed questions, Wikipedia", asked, films, None, engine)


def wikipedia_films(path: Path) -> list[Document]:
    """Return Wikipedia's films, which have casts, genres and plots."""
    rows = pq.read_table(path, columns=["title", "year", "cast", "genres", "extract"]).to_pylist()
    return [
        Document(
            number,
            row["title"],
            people=tuple(dict.fromkeys(row["cast"])),
            genres=tuple(dict.fromkeys(row["genres"])),
            year=row["year"],
            plot=row["extract"] or "",
        )
        for number, row in enumerate(rows)
    ]


def _share(
    name: str,
    asked: Sequence[Wanted],
    films: Sequence[Document],
    liked: Float32 | None,
    engine: SearchEngine,
) -> Iterator[Row]:
    """Yield how many of the first five places answer, of those that could, and whether one does."""
    judge, places = Judge(films), {film.id: place for place, film in enumerate(films)}
    shares, of_five, has_one = [], [], []
    for wanted in asked:
        good = judge.answers(wanted)
        if not good.any():
            continue
        result = engine.search(wanted.text, FIRST, popularity=liked, is_submitted=True)
        shown = [places[hit.id] for hit in (*result.hits, *result.near)][:FIRST]
        right = int(good[shown].sum())
        shares.append(right / min(FIRST, int(good.sum())))
        of_five.append(right / FIRST)
        has_one.append(right > 0)
    size = f"of {len(shares)}"
    yield Row(
        name, "marquee", f"first five that answer, of those that could, {size}", _mean(shares)
    )
    yield Row(name, "marquee", f"first five that answer {size}", _mean(of_five))
    yield Row(name, "marquee", f"one of the first five answers {size}", _mean(has_one))


GENRE_WORDS: dict[str, tuple[str, ...]] = {
    "comedy": ("comedy",), "funny": ("comedy",), "comedic": ("comedy",),
    "drama": ("drama",), "dramatic": ("drama",), "horror": ("horror",), "scary": ("horror",),
    "thriller": ("thriller", "suspense"), "suspense": ("thriller", "suspense"),
    "action": ("action",), "adventure": ("adventure",), "western": ("western",),
    "animated": ("animation", "animated"), "animation": ("animation", "animated"),
    "cartoon": ("animation", "animated"), "musical": ("musical", "music"),
    "documentary": ("documentary",), "crime": ("crime",), "gangster": ("crime",),
    "romance": ("romance",), "romantic": ("romance",), "love story": ("romance",),
    "war": ("war",), "fantasy": ("fantasy",), "mystery": ("mystery",),
    "science fiction": ("sci fi", "science fiction"), "sci fi": ("sci fi", "science fiction"),
    "scifi": ("sci fi", "science fiction"), "family": ("family", "children"),
    "children": ("family", "children"), "biopic": ("biography",), "biographical": ("biography",),
    "historical": ("history", "historical"), "sports": ("sport", "sports"),
    "superhero": ("superhero",), "slasher": ("slasher",), "noir": ("noir", "film noir"),
    "martial arts": ("martial arts",), "spy": ("spy",), "teen": ("teen",), "silent": ("silent",),
}  # fmt: skip
"""What people write of a genre, and the names it has in the catalogues."""
_YEAR_TAG = re.compile(r"(?:(early|mid|late) )?(?:the )?(\d{4}|\d0)(?: ?(s))?")


def handed_questions(path: Path, count: int) -> list[Wanted]:
    """Return questions whose tagged genres, years, actors and directors can be compared.

    A question with a tagged genre or year that cannot is left out.
    """
    rows = pq.read_table(path).to_pylist()
    rng = random.Random(SEED)  # noqa: S311  a draw, not a secret
    asked: list[Wanted] = []
    for row in rng.sample(rows, len(rows)):
        wanted = _tagged(row["query"], row["tokens"], row["tags"])
        if wanted is not None:
            asked.append(wanted)
    return asked[:count]


def _tagged(text: str, tokens: Sequence[str], tags: Sequence[str]) -> Wanted | None:
    """Return what a question's tags ask for, None if that is nothing or cannot be compared."""
    values: defaultdict[str, list[str]] = defaultdict(list)
    for token, tag in zip(tokens, tags, strict=True):
        if tag.startswith("B-"):
            values[tag[2:]].append(token)
        elif tag.startswith("I-"):
            values[tag[2:]][-1] += f" {token}"
    genres = [_genres_in(value) for value in values["Genre"]]
    years = [_years_in(value) for value in values["Year"]]
    people, directors = (tuple(map(fold, values[kind])) for kind in ("Actor", "Director"))
    is_comparable = all(genres) and None not in years
    if not is_comparable or not (genres or years or people or directors):
        return None
    in_order = tuple(genre for found in genres for genre in found)
    return Wanted(text, in_order, years[-1] if years else None, people, directors)


def _genres_in(value: str) -> list[frozenset[str]]:
    """Return the genres that a tag names; none if it holds a word that names none."""
    left, found = f" {value} ", []
    for words in sorted(GENRE_WORDS, key=len, reverse=True):
        if f" {words} " in left:
            found.append(frozenset(GENRE_WORDS[words]))
            left = left.replace(f" {words} ", " ")
    rest = set(left.split()) - {"film", "movie", "films", "movies", "feature", "s"}
    return [] if rest else found


def _years_in(value: str) -> tuple[int, int] | None:
    found = _YEAR_TAG.fullmatch(value)
    if found is None:
        return None
    part, digits, plural = found.groups()
    year = int(digits) if len(digits) == 4 else (1900 if int(digits) >= 30 else 2000) + int(digits)
    if not plural and len(digits) == 4:
        return year, year
    first, last = {"early": (0, 3), "mid": (4, 6), "late": (6, 9)}.get(part or "", (0, 9))
    return year + first, year + last


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _g(*names: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(GENRE_WORDS.get(name, (name,))) for name in names)


def own_questions() -> list[Wanted]:
    """Return over 300 questions of our own with what answers them."""
    return [*_about_genres(), *_about_actors(), *_about_directors(), *_about_origins(), *_others()]


def _about_genres() -> list[Wanted]:
    """Return genres with times and lengths."""
    asked: list[Wanted] = []
    for words, name in (
        ("comedies", "comedy"), ("horror movies", "horror"), ("westerns", "western"),
        ("war films", "war"), ("documentaries", "documentary"), ("thrillers", "thriller"),
        ("musicals", "musical"), ("sci-fi films", "sci fi"), ("cartoons", "animated"),
        ("love stories", "romance"), ("action films", "action"), ("dramas", "drama"),
        ("fantasy movies", "fantasy"), ("crime films", "crime"),
    ):  # fmt: skip
        asked += [
            Wanted(f"90s {words}", _g(name), (1990, 1999)),
            Wanted(f"{words} from the eighties", _g(name), (1980, 1989)),
            Wanted(f"best {words} of 1999", _g(name), (1999, 1999)),
            Wanted(f"{words} after 2010", _g(name), (2011, 9999)),
            Wanted(f"1990-1995 {words}", _g(name), (1990, 1995)),
            Wanted(f"{words} before 1970", _g(name), (1, 1969)),
            Wanted(f"some good {words} between 1985 and 1992", _g(name), (1985, 1992)),
            Wanted(f"{words} since 2005", _g(name), (2005, 9999)),
            Wanted(f"{words} in the early 2000s", _g(name), (2000, 2003)),
            Wanted(f"{words} under 90 minutes", _g(name), minutes=(1, 90)),
            Wanted(f"{words} longer than 2 hours", _g(name), minutes=(120, 9999)),
            Wanted(f"what are some {words} of the late 70 s", _g(name), (1976, 1979)),
        ]
    return asked


def _about_actors() -> list[Wanted]:
    """Return questions about who plays in a film."""
    asked: list[Wanted] = []
    for name, shown in (
        ("tom hanks", "hanks"), ("meryl streep", "streep"), ("brad pitt", "pitt"),
        ("nicolas cage", "cage"), ("robert de niro", "de niro"), ("julia roberts", "roberts"),
        ("harrison ford", "harrison ford"), ("bruce willis", "willis"), ("al pacino", "pacino"),
        ("jack nicholson", "nicholson"), ("denzel washington", "denzel washington"),
    ):  # fmt: skip
        asked += [
            Wanted(f"{name} drama", _g("drama"), people=(name,)),
            Wanted(f"movies with {name}", people=(name,)),
            Wanted(f"{shown} movies", people=(name,)),
            Wanted(f"films starring {name} from the 90s", (), (1990, 1999), (name,)),
            Wanted(
                f"i am thinking of a film from the 90s that stars {name} as someone who has lost "
                "almost everything and starts again",
                (), (1990, 1999), (name,),
            ),
            Wanted(f"what movie has {name} in a city full of trouble", people=(name,)),
            Wanted(f"a comedy starring {name}", _g("comedy"), people=(name,)),
        ]  # fmt: skip
    return asked


def _about_directors() -> list[Wanted]:
    """Return questions about who made a film."""
    asked: list[Wanted] = []
    for name, shown in (
        ("steven spielberg", "spielberg"), ("alfred hitchcock", "hitchcock"),
        ("stanley kubrick", "kubrick"), ("martin scorsese", "scorsese"),
        ("woody allen", "woody allen"), ("quentin tarantino", "tarantino"),
        ("ridley scott", "ridley scott"), ("david fincher", "fincher"),
        ("francis ford coppola", "francis ford coppola"), ("tim burton", "burton"),
    ):  # fmt: skip
        asked += [
            Wanted(f"films by {shown}", directors=(name,)),
            Wanted(f"{shown} films", directors=(name,)),
            Wanted(f"directed by {name}", directors=(name,)),
            Wanted(f"the drama that {name} directed", _g("drama"), directors=(name,)),
            Wanted(
                f"which film directed by {name} is about people who are in danger",
                directors=(name,),
            ),
        ]
    return asked


def _about_origins() -> list[Wanted]:
    """Return languages and countries with genres."""
    asked: list[Wanted] = []
    for words, country in (
        ("french", "france"), ("italian", "italy"), ("japanese", "japan"), ("german", "germany"),
        ("korean", "south korea"), ("swedish", "sweden"), ("danish", "denmark"),
        ("spanish", "spain"), ("australian", "australia"), ("british", "united kingdom"),
    ):  # fmt: skip
        where = frozenset({country, words})
        asked += [
            Wanted(f"{words} films", countries=where),
            Wanted(f"{words} comedies", _g("comedy"), countries=where),
            Wanted(f"{words} thriller movies", _g("thriller"), countries=where),
            Wanted(f"a {words} drama from the 90s", _g("drama"), (1990, 1999), countries=where),
        ]
    return asked


def _others() -> list[Wanted]:
    """Return what people type of other kinds."""
    comedy = frozenset({"comedy"})
    return [
        Wanted("romcom", _g("romance", "comedy")),
        Wanted("romantic comedies of the 90s", _g("romance", "comedy"), (1990, 1999)),
        Wanted("romantic comedy with hugh grant", _g("romance", "comedy"), people=("hugh grant",)),
        Wanted("anime", _g("animated"), countries=frozenset({"japan", "japanese"})),
        Wanted("bollywood", countries=frozenset({"hindi"})),
        Wanted("comedies without adam sandler", _g("comedy"), not_people=("adam sandler",)),
        Wanted("sci-fi no horror", _g("sci fi"), not_genres=frozenset({"horror"})),
        Wanted("horror but not comedy", _g("horror"), not_genres=comedy),
        Wanted("crime -comedy", _g("crime"), not_genres=comedy),
        Wanted("action not romance", _g("action"), not_genres=frozenset({"romance"})),
        Wanted("war films before 1960", _g("war"), (1, 1959)),
        Wanted("movies under 90 minutes", minutes=(1, 90)),
        Wanted("films over 3 hours", minutes=(180, 9999)),
        Wanted("before 1960", years=(1, 1959)),
        Wanted("from 1990 to 1995", years=(1990, 1995)),
        Wanted("2010 or later", years=(2010, 9999)),
        Wanted("between 1980 and 1985 horror", _g("horror"), (1980, 1985)),
        Wanted("hitchcock thrillers", _g("thriller"), directors=("alfred hitchcock",)),
        Wanted("woody allen 70s", (), (1970, 1979), ("woody allen",)),
        Wanted("bruce willis action 90s", _g("action"), (1990, 1999), ("bruce willis",)),
        Wanted("meg ryan tom hanks", people=("meg ryan", "tom hanks")),
        Wanted("starring robert de niro and al pacino", people=("robert de niro", "al pacino")),
        Wanted("something funny", _g("comedy")),
        Wanted("scary movies", _g("horror")),
        Wanted("kids movies", (frozenset({"family", "animation"}),)),
        Wanted("scifi thriler", _g("sci fi", "thriller")),
        Wanted("80s horrer", _g("horror"), (1980, 1989)),
        Wanted("korean thriller", _g("thriller"), countries=frozenset({"south korea", "korean"})),
        Wanted("i would like to see a western", _g("western")),
        Wanted("do you know a documentary where people climb", _g("documentary")),
    ]
