"""Visit scope: the titles of a large catalogue over which a visit is read, and what the rest gets.

A title that the history makes unlikely stays so whatever one visit says of it: p falls with the
rank by a power, and what was opened raises the odds by a factor. So of more than `READ_WHOLE`
titles a visit is read over the `HEADS` that the history makes likeliest and those that share people
or likers with what was opened. A sample of the others stands for them where likeness is averaged,
and gives their mean change of score, which all of them get.

I items of the catalogue, N of the scope.
"""

from dataclasses import dataclass

import numpy as np

from recommender.arrays import Bool, Float32, Int64, Integer
from recommender.models.long_term_odds import LongTermOdds

READ_WHOLE = 50_000
"""Visits are read over all titles of a catalogue with so many."""
HEADS = 8192
SAMPLED = 2048


@dataclass(frozen=True)
class VisitScope:
    """The titles that a visit is read over.

    Attributes:
        items: (N,) their numbers, ascending.
        masses: (N,) how many titles each stands for.
    """

    items: Int64
    masses: Float32

    @classmethod
    def of(cls, odds: LongTermOdds) -> "VisitScope":
        """Return the likeliest titles by a history, and a sample of the others.

        Args:
            odds: of the history, over I titles.
        """
        likely = odds.relative
        is_head = np.zeros(len(likely), dtype=bool)
        is_head[np.argpartition(-likely, HEADS)[:HEADS]] = True
        others = np.flatnonzero(~is_head)
        sample = others[:: max(len(others) // SAMPLED, 1)]
        of_sample = max(float(likely[sample].sum()), 1e-30)
        masses = np.zeros(len(likely), dtype=np.float32)
        masses[is_head] = 1
        masses[sample] = float(likely[others].sum()) / of_sample
        items = np.flatnonzero(masses)
        return cls(items, masses[items])

    def with_titles(self, items: Integer) -> "VisitScope":
        """Return the scope with these titles beside its own; the sample stands for them too."""
        more = np.setdiff1d(items, self.items)
        joined = np.concatenate([self.items, more])
        order = np.argsort(joined)
        masses = np.concatenate([self.masses, np.zeros(len(more), dtype=np.float32)])
        return VisitScope(joined[order], masses[order])

    @property
    def is_sample(self) -> Bool:
        """(N,) True at titles that stand for others."""
        return np.asarray(self.masses > 1)

    def over_all(self, long_term: Float32, scores: Float32) -> Float32:
        """Return (I,) scores: the scope's own, and for others what the sample lost on average.

        Args:
            long_term: (I,) without the visit.
            scores: (N,) with it.
        """
        is_sample = self.is_sample
        lost = np.float32(0)
        if is_sample.any():
            lost = (long_term[self.items[is_sample]] - scores[is_sample]).mean()
        whole = long_term - lost
        whole[self.items] = scores
        return whole
