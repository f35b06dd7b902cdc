"""Passages: a document's own words in short parts, each with a vector of its own.

A question about a plot is like one sentence of it, and little like the whole. A document is as near
to a text as its nearest passage.

N documents, P passages, D embedding.
"""

import re
from collections.abc import Sequence

import numpy as np

from recommender.arrays import Float32, Int64

MOST_SENTENCES = 8
MOST_PEOPLE = 5
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])\s*")


def passages_of(
    names: Sequence[str], genres: Sequence[str], people: Sequence[str], plot: str
) -> list[str]:
    """Return who and what a document is in one passage, and the first sentences of its plot."""
    lists = (names, genres, people[:MOST_PEOPLE])
    about = ". ".join(", ".join(listed) for listed in lists if listed)
    sentences = (sentence.strip() for sentence in _SENTENCE_END.split(plot))
    return [about, *(sentence for sentence in sentences if sentence)][: MOST_SENTENCES + 1]


class Passages:
    """The vectors of all passages, those of a document side by side."""

    def __init__(self, vectors: Float32, counts: Sequence[int]) -> None:
        """Hold the vectors.

        Args:
            vectors: (P, D) of length 1, or 0 where one is unknown.
            counts: (N,) how many passages each document has.
        """
        self._vectors = vectors
        self._bounds: Int64 = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def likeness(self, vector: Float32, num_documents: int) -> Float32:
        """Return how like each document's nearest passage is to a text's vector, 0 if unlike.

        Args:
            vector: (D,) of length 1.
            num_documents: M, N or more; those behind have no passages yet.

        Returns:
            (M,), the greatest cosine.
        """
        likeness = np.zeros(num_documents, dtype=np.float32)
        has_any = np.flatnonzero(np.diff(self._bounds))
        if len(has_any):
            cosines = self._vectors @ vector  # (P,)
            likeness[has_any] = np.maximum.reduceat(cosines, self._bounds[has_any])
        return np.maximum(likeness, 0)
