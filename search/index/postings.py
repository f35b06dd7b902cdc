"""Which documents hold a word: sorted words, so that a prefix is one slice.

N documents, W words, P postings.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

Mask = NDArray[np.bool_]

LAST_CHARACTER = chr(0x10FFFF)


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

    def with_word(self, word: str) -> Mask:
        """(N,) True where a document holds this word."""
        place = bisect_left(self.words, word)
        found = place < len(self.words) and self.words[place] == word
        return self._mask([(place, place + int(found))])

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
        if word.isdigit():
            return self.with_word(word)
        near = near_strings(word, self.words, mistakes)
        if is_open:
            size = len(word)
            near = np.union1d(near, near_strings(word, [w[:size] for w in self.words], mistakes))
        return self._mask((int(place), int(place) + 1) for place in near)

    def _mask(self, ranges: Iterable[tuple[int, int]]) -> Mask:
        mask = np.zeros(self.num_documents, dtype=bool)
        for first, last in ranges:
            mask[self._documents[self._begin[first] : self._begin[last]]] = True
        return mask


def near_strings(text: str, strings: Sequence[str], mistakes: int) -> NDArray[np.int64]:
    """Return the places of the strings at most so many mistakes (optimal string alignment) away.

    Digits are no mistakes: `1917` is not near `1911`, while `se7en` is near `seven`.
    """
    if not strings:
        return np.empty(0, dtype=np.int64)
    distances = process.cdist(
        [text], strings, scorer=OSA.distance, score_cutoff=mistakes, dtype=np.uint8, workers=1
    )[0]
    near = np.flatnonzero(distances <= mistakes)
    typed = _digits(text)
    if not typed:
        return near
    return np.array(
        [n for n in near.tolist() if _digits(strings[n]) in ("", typed)], dtype=np.int64
    )


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
