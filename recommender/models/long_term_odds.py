"""Long-term scores in, how likely each title is wanted out, and the way back to scores.

    p_i ∝ (n_i + h)^-α        n_i how many titles have a greater score
    p_i ∝ exp(β z_i)          where α is 0: as releases had it that note no α

The tails of scores differ from viewer to viewer: the first title of a short history lies 18
standard deviations above the mean, that of a long one 10. Ranks have one tail for all. The power is
that of Zipf's law as Mandelbrot has it.

I titles.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recommender.arrays import Float32, Int64


@dataclass(frozen=True)
class LongTermOdds:
    """How likely the long-term scores make each title.

    Attributes:
        z: (I,) the scores in standard deviations.
        logs: (I,) log p, less a constant.
        sharpness: β, above 0.
        ranking: what p is made of; None where it is exp(β z).
    """

    z: Float32
    logs: Float32
    sharpness: float
    ranking: "Ranking | None" = None

    @classmethod
    def of(cls, z: Float32, sharpness: float, steepness: float, head: float) -> "LongTermOdds":
        """Rank the titles. Cost: one sort of I.

        Args:
            z: (I,) scores in standard deviations.
            sharpness: β, above 0.
            steepness: α; 0 takes exp(β z).
            head: h, above 0.
        """
        if not steepness or not len(z):
            return cls(z, np.asarray(np.float32(sharpness) * z), sharpness)
        ranking = Ranking.of(z, steepness, head)
        logs = np.float32(-steepness) * np.log(ranking.greater + np.float32(head))
        return cls(z, np.asarray(logs), sharpness, ranking)

    @cached_property
    def relative(self) -> Float32:
        """(I,) p over its largest."""
        return np.asarray(np.exp(self.logs - self.logs.max(initial=-np.inf)))

    @cached_property
    def _reach(self) -> tuple[np.float32, np.float32]:
        """The least and the greatest of the logarithms."""
        return self.logs.min(), self.logs.max()

    def among(self, items: Int64) -> "LongTermOdds":
        """Return the same of (N,) titles alone, on the scale of all."""
        ranking = None if self.ranking is None else self.ranking.among(items)
        part = LongTermOdds(self.z[items], self.logs[items], self.sharpness, ranking)
        vars(part).update(_reach=self._reach)
        return part

    def scores(self, gained: Float32) -> Float32:
        """Return (I,) the score of a title that would be so likely by the history alone.

        Without any gain that is its own. Above the first title and below the last a score grows by
        log p / β.

        Args:
            gained: (I,) log(q / p) of each title.
        """
        sharpness = np.float32(self.sharpness)
        if self.ranking is None:
            return np.asarray(self.z + gained / sharpness, dtype=np.float32)
        beyond = self.logs + gained
        beyond -= np.clip(beyond, *self._reach)
        beyond /= sharpness
        beyond += self.ranking.scores(gained)
        return beyond


@dataclass(frozen=True)
class Ranking:
    """Titles by long-term score.

    Attributes:
        greater: (I,) n, how many titles have a greater score.
        curve: the score at each n from 0 on, descending; between those of titles it is a line.
        steepness: α, above 0.
        head: h, above 0.
    """

    greater: Float32
    curve: Float32
    steepness: float
    head: float

    @classmethod
    def of(cls, z: Float32, steepness: float, head: float) -> "Ranking":
        """Rank (I,) scores; equal ones have one rank."""
        order = np.argsort(-z)
        ordered = z[order]
        is_first = np.append(True, ordered[1:] < ordered[:-1])
        first = np.flatnonzero(is_first)  # of each different score
        greater = np.empty(len(z), dtype=np.float32)
        greater[order] = first[np.cumsum(is_first) - 1]
        curve = ordered
        if len(first) < len(ordered):
            between = np.interp(np.arange(first[-1] + 1), first, ordered[first])
            curve = between.astype(np.float32)
        return cls(greater, curve, steepness, head)

    def among(self, items: Int64) -> "Ranking":
        """Return the same of (N,) titles alone, ranked among all."""
        return replace(self, greater=self.greater[items])

    def scores(self, gained: Float32) -> Float32:
        """Return (I,) the scores at the ranks that make titles so much likelier."""
        head, last = np.float32(self.head), len(self.curve) - 1
        rank = gained / np.float32(-self.steepness)
        np.exp(rank, out=rank)
        rank *= self.greater + head
        rank -= head
        np.clip(rank, 0, last, out=rank)
        above = rank.astype(np.int32)
        high = self.curve.take(above)
        rank -= above.astype(np.float32)  # what is left of it
        above += 1
        np.minimum(above, last, out=above)
        rank *= high - self.curve.take(above)
        high -= rank
        return high


def standardised(scores: Float32) -> Float32:
    """Return (I,) scores in standard deviations over the catalogue; zeros where all are equal."""
    exact = scores.astype(np.float64)  # squares of any float32
    spread = float(exact.std()) if len(exact) else 0.0
    if spread <= 1e-7 * float(np.abs(exact).max(initial=0)):
        return np.zeros(len(scores), dtype=np.float32)
    return np.asarray((exact - exact.mean()) / spread, dtype=np.float32)
