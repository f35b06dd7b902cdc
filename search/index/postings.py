"""Which documents hold a word: sorted words, so that a prefix is one slice.

N documents, W words, P postings.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from search.index.names import LAST_CHARACTER
from search.index.near import NearStrings
from search.text import in_digits

Mask = NDArray[np.bool_]


class Postings:
    """Words to documents, built once."""

    def __init__(self, words_of_documents: Iterable[Iterable[str]]) -> None:
        """Index the documents in their order, each given by its words."""
        documents: dict[str, list[int]] = {}
        self.num_documents = 0
        for document, words in enumerate(words_of_documents):
            self.num_documents = document + 1
            for word in dict.fromkeys(words):
                documents.setdefault(word, []).append(document)
        self.words = sorted(documents)  # (W,)
        counts = [len(documents[word]) for word in self.words]
        self._begin = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])  # (W + 1,)
        self._documents = np.fromiter(
            (document for word in self.words for document in documents[word]),
            dtype=np.int32,
            count=int(self._begin[-1]),
        )  # (P,)
        self._near = NearStrings(self.words)

    def __contains__(self, word: str) -> bool:
        first, last = self._range(word)
        return last > first

    def with_word(self, word: str) -> Mask:
        """(N,) True where a document holds this word."""
        return self._mask([self._range(word)])

    def with_prefix(self, prefix: str) -> Mask:
        """(N,) True where a document holds a word that begins so."""
        first = bisect_left(self.words, prefix)
        return self._mask([(first, bisect_left(self.words, prefix + LAST_CHARACTER))])

    def with_word_like(self, word: str, mistakes: int, *, is_open: bool) -> Mask:
        """(N,) True where a document holds a word at most so many mistakes away.

        A number is never taken for another.

        Args:
            word: as typed.
            mistakes: letters put in, left out, replaced, or swapped with the next.
            is_open: whether the word may be the beginning of a longer one.
        """
        if word.isdigit() or not mistakes:
            return self.with_prefix(word) if is_open else self.with_word(word)
        places, _ = self._near.near(word, mistakes)
        if is_open:
            places = np.union1d(places, self._near.beginning_near(word))
        return self._mask((int(place), int(place) + 1) for place in places)

    def nearest(self, word: str, mistakes: int) -> str | None:
        """Return the word that fewest mistakes lie between, of those the most frequent."""
        places, distances = self._near.near(word, mistakes)
        if not len(places):
            return None
        counts = self._begin[places + 1] - self._begin[places]
        return self.words[int(places[np.lexsort((places, -counts, distances))[0]])]

    def _range(self, word: str) -> tuple[int, int]:
        place = bisect_left(self.words, word)
        found = place < len(self.words) and self.words[place] == word
        return place, place + int(found)

    def _mask(self, ranges: Iterable[tuple[int, int]]) -> Mask:
        mask = np.zeros(self.num_documents, dtype=bool)
        for first, last in ranges:
            mask[self._documents[self._begin[first] : self._begin[last]]] = True
        return mask


def spellings(words: Sequence[str]) -> Iterable[str]:
    """Yield what a text with these words is found by: each, in digits, and joined with the next."""
    yield from words
    yield from in_digits(words)
    for word, following in pairwise(words):
        yield word + following
