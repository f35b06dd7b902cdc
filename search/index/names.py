"""Whole names without spaces: equal, beginning with, a mistake or two away, or by their initials.

N documents, F forms of their names.
"""

import re
from collections.abc import Iterable, Iterator

import numpy as np

from recommender.arrays import Int16, Int64
from search.index.near import NearStrings
from search.index.strings import SortedStrings, sorted_groups
from search.text import (
    as_written,
    clusters,
    is_unspaced,
    joined_forms,
    without_article,
    words,
)

LEAST_INITIALS = 4
"""Words of a name, or of a part of it, that is known by their first letters."""
_PART = re.compile(r": | [-–—] ")


class Names:
    """The joined forms of all names, sorted; places of documents may come twice."""

    def __init__(self, names_of_documents: Iterable[Iterable[str]]) -> None:
        """Index the documents in their order, each given by its names."""
        pairs: list[tuple[str, int]] = []
        written: dict[str, list[int]] = {}
        initials: dict[str, list[int]] = {}
        for document, names in enumerate(names_of_documents):
            forms: dict[str, None] = {}
            for name in names:
                written.setdefault(as_written(name), []).append(document)
                forms.update(dict.fromkeys(joined_forms(words(name))))
            pairs += [(form, document) for form in forms]
            for letters in {letters for name in names for letters in initials_of(name)}:
                initials.setdefault(letters, []).append(document)
        pairs.sort()
        self._written, self._written_by = sorted_groups(written)
        self._initials, self._abbreviated_by = sorted_groups(initials)
        forms_in_order = [form for form, _ in pairs]
        self._forms = SortedStrings(forms_in_order)  # (F,)
        self._lengths = np.array([len(form) for form in forms_in_order], dtype=np.int16)  # (F,)
        self._documents = np.array([document for _, document in pairs], dtype=np.int64)  # (F,)
        self._near = NearStrings(forms_in_order)

    def written(self, text: str) -> Int64:
        """Return the documents with a name that is written so, but for case and blanks."""
        index = self._written.find(as_written(text))
        return np.empty(0, dtype=np.int64) if index is None else self._written_by.of(index)

    def with_initials(self, letters: str) -> Int64:
        """Return the documents with a name, or a part of one, whose words begin with these."""
        index = self._initials.find(letters)
        return np.empty(0, dtype=np.int64) if index is None else self._abbreviated_by.of(index)

    def equal_to(self, joined: str) -> Int64:
        first, last = self._forms.equal_to(joined)
        return self._documents[first:last]

    def beginning_with(self, joined: str) -> tuple[Int64, Int16]:
        """Return the documents and how many letters of the name are left."""
        first, last = self._forms.beginning_with(joined)
        return self._documents[first:last], self._lengths[first:last] - np.int16(len(joined))

    def near(self, joined: str, mistakes: int) -> Int64:
        """Return the documents with a whole name at most so many mistakes away."""
        return self._documents[self._near.near(joined, mistakes)[0]]

    def beginning_near(self, joined: str) -> Int64:
        """Return the documents with a name that begins with something one mistake away at most."""
        return self._documents[self._near.beginning_near(joined)]


def initials_of(name: str) -> Iterator[str]:
    """Yield the first letters of a name's words, and of each part's between colons or dashes.

    Each with a leading article and without; of four words or more.
    """
    for part in dict.fromkeys((name, *_PART.split(name))):
        found = words(part)
        if len(found) < LEAST_INITIALS or any(map(is_unspaced, found)):
            continue
        for form in (found, without_article(found)):
            if len(form) >= LEAST_INITIALS:
                yield "".join(clusters(word)[0] for word in form)
