"""What a search asks for, by id: a typed text in, the genres and people that it names out."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from search.engine import SearchEngine
from search.errors import SearchError
from search.index.strings import SortedStrings
from search.query import FilterKind

TEXTS_CACHED = 1024


class SubjectIds(NamedTuple):
    """Genres and people that a text names, none that it excludes."""

    genre_ids: tuple[int, ...] = ()
    person_ids: tuple[int, ...] = ()


class IdsByName:
    """Ids by name, as arrays that processes can share."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        names = sorted(ids)
        self._names = SortedStrings(names)
        self._ids = np.array([ids[name] for name in names], dtype=np.int64)

    def get(self, name: str) -> int | None:
        """Return the id of this name, None where there is none."""
        index = self._names.find(name)
        return None if index is None else int(self._ids[index])


class SearchSubjects:
    """Reads texts as one state of search does; threads may share it."""

    def __init__(self, search: SearchEngine, genres: IdsByName, people: IdsByName) -> None:
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
        return [id_ for id_ in map(self._people.get, names) if id_ is not None]

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
