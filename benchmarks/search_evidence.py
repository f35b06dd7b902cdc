"""Surnames and genres over the demo's films, and short names with a mistake over 60,000."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.harness import Row
from benchmarks.search_data import with_mistake
from recommender.arrays import Float32
from search.engine import Document, SearchEngine
from search.text import fold
from search.wording import SYNONYMS
from webapp.demo.films import MATURITY, Film, match_films, people_of, read_films, read_histories

LIKED_FROM_STARS = 4.0
MOST_CREDITED = 500
SURNAME_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
FIRST = 3
SHORT_LENGTHS = (3, 4)
SHORT_NAMES = 1_000
SEED = 7


def demo() -> tuple[list[Document], Float32]:
    """Return the demo's films and (N,) how many people like each."""
    films = sorted(read_films(), key=lambda film: film.id)
    histories = read_histories()
    matches = match_films(films, histories.films)
    likes = Counter(
        matches.get(rating.rated_film_id)
        for rating in histories.ratings
        if rating.stars >= LIKED_FROM_STARS
    )
    return [document_of(film) for film in films], np.array(
        [likes[film.id] for film in films], dtype=np.float32
    )


def document_of(film: Film) -> Document:
    """Return a film of the demo as search reads it."""
    directors = tuple(filter(None, people_of(film.directors)))
    people = (*directors, *filter(None, people_of(film.cast)))
    return Document(
        id=film.id,
        name=film.name,
        people=tuple(dict.fromkeys(people)),
        directors=directors,
        countries=_listed(film.country),
        age=MATURITY.get(film.rating),
        minutes=round(film.runtime_minutes or 0) or None,
        genres=_listed(film.genres),
        languages=_listed(film.language),
        year=film.year,
    )


def evidence() -> Iterator[Row]:
    """Yield the share of surnames and genres of the demo that are found where they should be."""
    films, liked = demo()
    engine = SearchEngine.build(films)
    yield from _surnames(films, liked, engine)
    yield from _genres(films, liked, engine)


def short_names(names: Sequence[str], engine: SearchEngine) -> Row:
    """Return the share of names of 3 and 4 letters that are found when one mistake was made."""
    rng = random.Random(SEED)  # noqa: S311  queries, not secrets
    short = sorted({n for n in names if len(n) in SHORT_LENGTHS and n.isalpha() and n.isascii()})
    asked = [(with_mistake(name.lower(), rng), name) for name in rng.sample(short, len(short))]
    by_id = dict(enumerate(names))
    found = [
        name in {by_id[hit.id] for hit in engine.search(typed, 10).hits}
        for typed, name in asked[:SHORT_NAMES]
    ]
    label = f"first 10 of {len(found)}, bar 0.9"
    return Row("short names, one mistake", "marquee", label, float(np.mean(found)))


def _surnames(films: Sequence[Document], liked: Float32, engine: SearchEngine) -> Iterator[Row]:
    credits: defaultdict[str, set[int]] = defaultdict(set)
    for film in films:
        for person in film.people:
            credits[person].add(film.id)
    people = sorted(credits, key=lambda person: (-len(credits[person]), person))[:MOST_CREDITED]
    own, any_bearer, listed = [], [], []
    namesakes: defaultdict[str, set[int]] = defaultdict(set)
    for person in people:
        namesakes[_surname(person)] |= credits[person]
    for person in people:
        result = engine.search(_surname(person), 40, popularity=liked)
        first = {hit.id for hit in result.hits[:FIRST]}
        own.append(bool(first & credits[person]))
        any_bearer.append(bool(first & namesakes[_surname(person)]))
        listed.append(person in result.people)
    size = f"of {len(people)}"
    yield Row("surnames", "marquee", f"a film in the first 3 {size}, bar 0.98", _mean(any_bearer))
    yield Row(
        "surnames", "marquee", f"a film of this very person in the first 3 {size}", _mean(own)
    )
    yield Row("surnames", "marquee", f"among People {size}, bar 0.99", _mean(listed))


def _genres(films: Sequence[Document], liked: Float32, engine: SearchEngine) -> Iterator[Row]:
    of_genre: defaultdict[str, set[int]] = defaultdict(set)
    for film in films:
        for genre in film.genres:
            of_genre[genre].add(film.id)
    names = {fold(genre): {genre} for genre in of_genre}
    meant: defaultdict[str, set[str]] = defaultdict(set)
    for synonyms in SYNONYMS:
        for word in synonyms:
            meant[word] |= {genre for name in synonyms for genre in names.get(name, ())}
    asked = {text: genres for text, genres in (meant | names).items() if genres}
    first, listed = [], []
    for text, genres in sorted(asked.items()):
        result = engine.search(text, 40, popularity=liked)
        of_any = set().union(*(of_genre[genre] for genre in genres))
        first.append(bool({hit.id for hit in result.hits[:FIRST]} & of_any))
        listed.append(bool(genres & set(result.genres)))
    size = f"of {len(asked)}"
    yield Row("genres", "marquee", f"a film in the first 3 {size}, bar 0.98", _mean(first))
    yield Row("genres", "marquee", f"among Genres {size}, bar 0.99", _mean(listed))


def _surname(person: str) -> str:
    found = fold(person).split()
    while len(found) > 1 and found[-1] in SURNAME_SUFFIXES:
        found.pop()
    return found[-1]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(", ") if part)


def _mean(found: list[bool]) -> float:
    return float(np.mean(found))
