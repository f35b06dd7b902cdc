"""What a text says besides words to match: genres, years, languages, people, "like TITLE", "no …".

N documents.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.arrays import Bool, Int64
from search.index.changed import AnyLabels, AnyNames, AnyStrings
from search.query import Filter, FilterKind, Query
from search.text import fold

NEGATIONS = frozenset({"no", "not", "without", "non", "except", "but"})
BEFORE_PEOPLE = frozenset({"by", "with", "starring", "featuring", "from"})
CONNECTIVES = BEFORE_PEOPLE | {"in", "of", "the", "directed", "a", "an", "any", "and", "or", "to"}
FILLERS = CONNECTIVES | {
    "film", "films", "movie", "movies", "series", "show", "shows", "something", "anything", "some",
    "language", "genre", "about", "set", "made", "released", "year", "years", "more", "titles",
}  # fmt: skip
"""Words that say nothing where a filter was understood beside them."""
DECADES = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960,
    "seventies": 1970, "eighties": 1980, "nineties": 1990,
}  # fmt: skip
_DECADE = re.compile(r"(?:(1[89]|20)?(\d)0)s")
_YEAR = re.compile(r"(?:18[89]|19\d|20\d)\d")
FIRST_DECADE_OF_THIS_CENTURY_BELOW = 3
"""00s, 10s and 20s are of this century, 30s to 90s of the last."""
SYNONYMS = (
    ("sci fi", "scifi", "science fiction", "sf"),
    ("romance", "romantic", "love story", "love stories"),
    ("comedy", "comedies", "funny"),
    ("documentary", "documentaries", "docu"),
    ("animation", "animated", "cartoon", "cartoons"),
    ("children", "childrens", "kids", "family"),
    ("horror", "scary"),
    ("musical", "musicals", "music"),
    ("film noir", "noir"),
    ("crime", "gangster"),
    ("biography", "biographical", "biopic", "biopics"),
    ("history", "historical"),
    ("mystery", "mysteries", "whodunit"),
    ("fantasy", "fantasies"),
)
LIKE = (("similar", "to"), ("something", "like"), ("more", "like"), ("like",))
LONGEST_LABEL = 4
SHORTEST_BEGINNING = 3


@dataclass(frozen=True)
class Reading:
    """What was understood.

    Attributes:
        filters: in the order of the text.
        mask: (N,) True where all of them hold.
        rest: the words that no filter took.
        like: the document that others should be like, None where none is named.
    """

    filters: tuple[Filter, ...]
    mask: Bool
    rest: str
    like: int | None = None


@dataclass(frozen=True)
class _Found:
    """A filter at some words: what it is, which documents it keeps, how many words it takes."""

    kind: FilterKind
    value: str
    mask: Bool
    length: int
    like: int | None = None


class Understanding:
    """Reads texts by the labels and years of the documents."""

    def __init__(
        self,
        genres: AnyLabels,
        languages: AnyLabels,
        people: AnyLabels,
        years: Int64,
        shown: AnyStrings,
        names: AnyNames,
        tie_break: Int64,
    ) -> None:
        """Keep what texts are read by.

        Args:
            genres: of the documents.
            languages: of the documents.
            people: of the documents.
            years: (N,), 0 where unknown.
            shown: (N,) the documents' names as they are shown.
            names: all their names.
            tie_break: (N,) which of two documents of a name is meant, the lower one.
        """
        self._genres, self._languages, self._people = genres, languages, people
        self._years, self._shown, self._names, self._tie_break = years, shown, names, tie_break
        self._aliases = _aliases(genres)

    def read(self, query: Query) -> Reading:
        """Read a text; without filters where nothing was understood."""
        tokens, owners = query.text.split(), []
        for number, token in enumerate(tokens):
            owners += [number] * len(fold(token).split())
        words = list(query.words)
        if len(owners) != len(words):  # marks that fold otherwise between words than alone
            return Reading((), np.ones(len(self._years), dtype=bool), query.text)
        spans: list[tuple[int, int, _Found, bool]] = []
        rest: list[int] = []
        place = 0
        while place < len(words):
            found, first, is_negated = self._at(words, place)
            if found is None:
                rest.append(place)
                place += 1
                continue
            dashed = tokens[owners[first]].startswith("-")
            spans.append((place, first + found.length, found, is_negated or dashed))
            place = first + found.length
        if spans and rest and rest[-1] == len(words) - 1 and query.is_open:
            finished = self._unfinished(words[-1])
            if finished is not None:
                spans.append((rest.pop(), len(words), finished, False))
        return self._reading(spans, rest, words, tokens, owners)

    def genres_named(self, folded: str) -> list[int]:
        """Return the numbers of the genres that a folded text names, by any of their names."""
        return list(self._aliases.get(folded, ()))

    def _reading(
        self,
        spans: list[tuple[int, int, _Found, bool]],
        rest: list[int],
        words: list[str],
        tokens: list[str],
        owners: list[int],
    ) -> Reading:
        filters = []
        for begin, end, found, is_negated in spans:
            taken = set(owners[begin:end])
            without = " ".join(t for n, t in enumerate(tokens) if n not in taken)
            filters.append(Filter(found.kind, found.value, is_negated, without))
        left = [words[n] for n in rest if not spans or words[n] not in FILLERS]
        like = next((found.like for *_, found, _ in spans if found.like is not None), None)
        return Reading(tuple(filters), self._mask(spans), " ".join(left), like)

    def _mask(self, spans: list[tuple[int, int, _Found, bool]]) -> Bool:
        """Return (N,) True where all hold; of several times one is enough."""
        mask = np.ones(len(self._years), dtype=bool)
        times = np.zeros_like(mask)
        is_timed = False
        for *_, found, is_negated in spans:
            if is_negated:
                mask &= ~found.mask
            elif found.kind in (FilterKind.YEAR, FilterKind.DECADE):
                times |= found.mask
                is_timed = True
            else:
                mask &= found.mask
        return mask & times if is_timed else mask

    def _at(self, words: list[str], place: int) -> tuple[_Found | None, int, bool]:
        """Return the filter that begins here, the word that names it, and whether it is denied."""
        like = self._like(words, place)
        if like is not None:
            return like, place, False
        first, is_negated = place, False
        while first < len(words) and words[first] in NEGATIONS:
            first, is_negated = first + 1, True
        before = words[first] if first < len(words) else ""
        while first < len(words) and words[first] in CONNECTIVES:
            before, first = words[first], first + 1
        found = self._named(words, first, is_after_by=before in BEFORE_PEOPLE)
        return found, first, is_negated

    def _named(self, words: list[str], first: int, *, is_after_by: bool) -> _Found | None:
        """Return the filter named by the words from this one on, the longest first."""
        for length in range(min(LONGEST_LABEL, len(words) - first), 0, -1):
            name = " ".join(words[first : first + length])
            found = self._label(name, length, may_be_person=length > 1 or is_after_by)
            if found is not None:
                return found
        return self._time(words[first]) if first < len(words) else None

    def _label(self, name: str, length: int, *, may_be_person: bool) -> _Found | None:
        genres = self._aliases.get(name)
        if genres:
            return self._of(FilterKind.GENRE, self._genres, genres, length)
        language = self._languages.number_of(name)
        if language is not None:
            return self._of(FilterKind.LANGUAGE, self._languages, [language], length)
        person = self._people.number_of(name) if may_be_person else None
        if person is not None:
            return self._of(FilterKind.PERSON, self._people, [person], length)
        return None

    def _of(
        self, kind: FilterKind, labels: AnyLabels, numbers: Sequence[int], length: int
    ) -> _Found:
        """Return the filter that keeps what has any of these labels, shown by the commonest."""
        mask = np.zeros(len(self._years), dtype=bool)
        mask[labels.documents_of(np.array(numbers))] = True
        shown = max(numbers, key=lambda number: labels.counts[number])
        return _Found(kind, labels.labels[shown], mask, length)

    def _time(self, word: str) -> _Found | None:
        if _YEAR.fullmatch(word):
            return _Found(FilterKind.YEAR, word, self._years == int(word), 1)
        decade = DECADES.get(word) or _decade(word)
        if decade is None:
            return None
        mask = (self._years >= decade) & (self._years < decade + 10)
        return _Found(FilterKind.DECADE, f"{decade}s", mask, 1)

    def _like(self, words: list[str], place: int) -> _Found | None:
        """Return "like TITLE", the longest title that the words after it name."""
        for phrase in LIKE:
            first = place + len(phrase)
            if tuple(words[place:first]) != phrase:
                continue
            for last in range(len(words), first, -1):
                title = self._title_named(" ".join(words[first:last]))
                if title is not None:
                    mask = np.ones(len(self._years), dtype=bool)
                    mask[title] = False
                    return _Found(
                        FilterKind.LIKE, self._shown[title], mask, last - place, like=title
                    )
        return None

    def _title_named(self, folded: str) -> int | None:
        """Return the document that a folded text names, the shortest name first."""
        for form in Query.parse(folded).forms:
            places = self._names.equal_to(form)
            if len(places):
                return int(places[np.argmin(self._tie_break[places])])
        return None

    def _unfinished(self, word: str) -> _Found | None:
        """Return the genre that a word still being typed can only mean."""
        if len(word) < SHORTEST_BEGINNING:
            return None
        meant = {
            tuple(numbers) for alias, numbers in self._aliases.items() if alias.startswith(word)
        }
        if len(meant) != 1:
            return None
        return self._of(FilterKind.GENRE, self._genres, meant.pop(), 1)


def _aliases(genres: AnyLabels) -> dict[str, list[int]]:
    """Return genres by their names, plurals and synonyms; a genre's own name means it alone."""
    names = [fold(genre) for genre in genres.labels]
    aliases: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        others = [synonym for synonyms in SYNONYMS if name in synonyms for synonym in synonyms]
        for alias in dict.fromkeys((*_plurals(name), *others)):
            aliases.setdefault(alias, []).append(number)
    return aliases | {name: [number] for number, name in enumerate(names)}


def _plurals(name: str) -> Iterable[str]:
    yield name + "s"
    if name.endswith("y"):
        yield name[:-1] + "ies"


def _decade(word: str) -> int | None:
    found = _DECADE.fullmatch(word)
    if found is None:
        return None
    century, decade = found.groups()
    if century is None:
        century = "20" if int(decade) < FIRST_DECADE_OF_THIS_CENTURY_BELOW else "19"
    return int(century) * 100 + int(decade) * 10
