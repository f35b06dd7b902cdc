"""A growing vocabulary: outside ids in, rows of an embedding table out.

An id without a row of its own shares one of `SHARED` rows, chosen by a hash. When it first occurs
in training, its own row starts as a copy of the shared one. Ids not seen for long lose theirs.

V ids with rows of their own, rows 0 to SHARED + V - 1.
"""

from dataclasses import dataclass

import numpy as np

from recommender.arrays import Bool, Float64, Int64
from recommender.vocabulary import UNKNOWN, Vocabulary

SHARED = 16
_MIX = np.uint64(0x9E3779B97F4A7C15)
"""2⁶⁴ / φ: Knuth's multiplicative hash."""


def shared_row(ids: Int64) -> Int64:
    """Return (N,) the row that each id has while it has none of its own."""
    mixed = ids.astype(np.uint64) * _MIX
    return (mixed >> np.uint64(60)).astype(np.int64)


@dataclass(frozen=True)
class GrowingVocabulary:
    """Which ids have rows.

    Attributes:
        known: the V ids.
        last_met: (V,) seconds since 1970.
    """

    known: Vocabulary
    last_met: Float64

    @classmethod
    def empty(cls) -> "GrowingVocabulary":
        return cls(Vocabulary([]), np.empty(0))

    @property
    def num_rows(self) -> int:
        return SHARED + len(self.known)

    def rows_of(self, ids: Int64) -> Int64:
        """Return (N,) each id's row, a shared one where it has none."""
        places = self.known.items_of(ids)
        return np.where(places == UNKNOWN, shared_row(ids), SHARED + places)

    def knows(self, ids: Int64) -> Bool:
        return np.asarray(self.known.items_of(ids) != UNKNOWN)

    def met(
        self, ids: Int64, at: Float64, forget_before: float = -np.inf
    ) -> tuple["GrowingVocabulary", Int64]:
        """Return the vocabulary after some ids were met, and where each row comes from.

        Args:
            ids: (N,) repeats allowed.
            at: (N,) seconds since 1970.
            forget_before: ids last met before this give their rows up.

        Returns:
            The vocabulary, and (rows,) the old row whose embedding each new row starts from.
        """
        everyone = np.concatenate([self.known.ids, ids])
        times = np.concatenate([self.last_met, at])
        names, back = np.unique(everyone, return_inverse=True)
        latest = np.full(len(names), -np.inf)
        np.maximum.at(latest, back, times)
        kept = latest >= forget_before
        names, latest = names[kept], latest[kept]
        sources = np.concatenate([np.arange(SHARED), self.rows_of(names)])
        return GrowingVocabulary(Vocabulary(names), latest), sources
