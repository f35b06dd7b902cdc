"""What a search asks for, by id: a typed text in, the genres and people that it names out."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from search.engine import SearchEngine
from search.errors import SearchError
from search.query import FilterKind

TEXTS_CACHED = 1024


class SubjectIds(NamedTuple):
    """Genres and people that a text names, none that it excludes."""

    genre_ids: tuple[int, ...] = ()
    person_ids: tuple[int, ...] = ()


class SearchSubjects:
    """Reads texts as one state of search does; threads may share it."""

    def __init__(
        self, search: SearchEngine, genres: Mapping[str, int], people: Mapping[str, int]
    ) -> None:
        """Take what texts are read with.

        Args:
            search: understands them.
            genres: ids by name.
            people: the same.
        """
        self._search, self._genres, self._people = search, genres, people
        self.of = lru_cache(TEXTS_CACHED)(self._of)

    def people_named(self, names: Iterable[str]) -> list[int]:
        """Return the ids of people with these names, in their order."""
        return [self._people[name] for name in names if name in self._people]

    def _of(self, text: str) -> SubjectIds:
        """Return what a text asks for; nothing where it cannot be read."""
        try:
            filters = [f for f in self._search.understood(text) if not f.is_negated]
        except SearchError:
            return SubjectIds()
        genres = [self._genres.get(f.value) for f in filters if f.kind == FilterKind.GENRE]
        people = [self._people.get(f.value) for f in filters if f.kind == FilterKind.PERSON]
        return SubjectIds(
            tuple(id_ for id_ in genres if id_ is not None),
            tuple(id_ for id_ in people if id_ is not None),
        )
