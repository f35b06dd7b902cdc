"""Whole names without spaces: equal, beginning with, or a mistake or two away.

N documents, F forms of their names.
"""

from bisect import bisect_left
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from search.index.postings import LAST_CHARACTER, Mask, near_strings


class Names:
    """The joined forms of all names, sorted, and again by their length."""

    def __init__(self, forms_of_documents: Iterable[Iterable[str]]) -> None:
        """Index the documents in their order, each given by the joined forms of its names."""
        pairs: list[tuple[str, int]] = []
        self.num_documents = 0
        for document, forms in enumerate(forms_of_documents):
            self.num_documents = document + 1
            pairs += [(form, document) for form in dict.fromkeys(forms) if form]
        pairs.sort()
        self._forms = [form for form, _ in pairs]  # (F,)
        self._documents = np.array([document for _, document in pairs], dtype=np.int32)  # (F,)
        lengths = np.array([len(form) for form in self._forms], dtype=np.int64)
        self._by_length = np.argsort(lengths, kind="stable")  # (F,)
        self._lengths = lengths[self._by_length]  # (F,)
        self._forms_by_length = [self._forms[place] for place in self._by_length]

    def equal_to(self, joined: str) -> Mask:
        first = bisect_left(self._forms, joined)
        last = first
        while last < len(self._forms) and self._forms[last] == joined:
            last += 1
        return self._mask(np.arange(first, last))

    def beginning_with(self, joined: str) -> Mask:
        first = bisect_left(self._forms, joined)
        return self._mask(np.arange(first, bisect_left(self._forms, joined + LAST_CHARACTER)))

    def near(self, joined: str, mistakes: int) -> Mask:
        """(N,) True where a whole name is at most so many mistakes away."""
        first, last = np.searchsorted(
            self._lengths, [len(joined) - mistakes, len(joined) + mistakes + 1]
        )
        near = near_strings(joined, self._forms_by_length[first:last], mistakes)
        return self._mask(self._by_length[first + near])

    def beginning_near(self, joined: str, mistakes: int) -> Mask:
        """(N,) True where a name begins with something at most so many mistakes away."""
        size = len(joined)
        first = int(np.searchsorted(self._lengths, size))
        beginnings = [form[:size] for form in self._forms_by_length[first:]]
        near = near_strings(joined, beginnings, mistakes)
        return self._mask(self._by_length[first + near])

    def _mask(self, places: NDArray[np.int64]) -> Mask:
        mask = np.zeros(self.num_documents, dtype=bool)
        mask[self._documents[places]] = True
        return mask
