"""Whole names without spaces: equal, beginning with, or a mistake or two away.

N documents, F forms of their names.
"""

from bisect import bisect_left
from collections.abc import Iterable

import numpy as np

from recommender.arrays import Int16, Int64
from search.index.near import NearStrings
from search.text import as_written, joined_forms, words

LAST_CHARACTER = chr(0x10FFFF)


class Names:
    """The joined forms of all names, sorted; places of documents may come twice."""

    def __init__(self, names_of_documents: Iterable[Iterable[str]]) -> None:
        """Index the documents in their order, each given by its names."""
        pairs: list[tuple[str, int]] = []
        written: dict[str, list[int]] = {}
        for document, names in enumerate(names_of_documents):
            forms: dict[str, None] = {}
            for name in names:
                written.setdefault(as_written(name), []).append(document)
                forms.update(dict.fromkeys(joined_forms(words(name))))
            pairs += [(form, document) for form in forms]
        pairs.sort()
        self._written = written
        self._forms = [form for form, _ in pairs]  # (F,)
        self._lengths = np.array([len(form) for form in self._forms], dtype=np.int16)  # (F,)
        self._documents = np.array([document for _, document in pairs], dtype=np.int64)  # (F,)
        self._near = NearStrings(self._forms)

    def written(self, text: str) -> Int64:
        """Return the documents with a name that is written so, but for case and blanks."""
        return np.array(self._written.get(as_written(text), ()), dtype=np.int64)

    def equal_to(self, joined: str) -> Int64:
        first = last = bisect_left(self._forms, joined)
        while last < len(self._forms) and self._forms[last] == joined:
            last += 1
        return self._documents[first:last]

    def beginning_with(self, joined: str) -> tuple[Int64, Int16]:
        """Return the documents and how many letters of the name are left."""
        first = bisect_left(self._forms, joined)
        last = bisect_left(self._forms, joined + LAST_CHARACTER)
        return self._documents[first:last], self._lengths[first:last] - np.int16(len(joined))

    def near(self, joined: str, mistakes: int) -> Int64:
        """Return the documents with a whole name at most so many mistakes away."""
        return self._documents[self._near.near(joined, mistakes)[0]]

    def beginning_near(self, joined: str) -> Int64:
        """Return the documents with a name that begins with something one mistake away at most."""
        return self._documents[self._near.beginning_near(joined)]
