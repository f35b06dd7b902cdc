"""Long-term scores in, how likely each title is wanted out, and the way back to scores.

    p_i ∝ (n_i + h)^-α        n_i how many titles have a greater score
    p_i ∝ exp(β z_i)          where α is 0: as releases had it that note no α

The tails of scores differ from viewer to viewer: the first title of a short history lies 18
standard deviations above the mean, that of a long one 10. Ranks have one tail for all. The power is
that of Zipf's law as Mandelbrot has it.

I titles, K different scores.
"""

from dataclasses import dataclass

import numpy as np

from recommender.arrays import Float32


@dataclass(frozen=True)
class LongTermOdds:
    """How likely the long-term scores make each title.

    Attributes:
        z: (I,) the scores in standard deviations.
        logs: (I,) log p, less a constant.
        sharpness: β, above 0.
        curve: (2, K) log p and the score, both ascending; None where p is exp(β z).
    """

    z: Float32
    logs: Float32
    sharpness: float
    curve: Float32 | None

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
            return cls(z, np.asarray(np.float32(sharpness) * z), sharpness, None)
        values, number, counts = np.unique(z, return_inverse=True, return_counts=True)
        greater = len(z) - np.cumsum(counts)  # (K,)
        logs = (-steepness * np.log(greater + head)).astype(np.float32)
        return cls(z, logs[number], sharpness, np.stack([logs, values]))

    def scores(self, gained: Float32) -> Float32:
        """Return (I,) the score of a title that would be so likely by the history alone.

        Without any gain that is its own. Above the first title and below the last a score grows by
        log p / β.

        Args:
            gained: (I,) log(q / p) of each title.
        """
        if self.curve is None:
            return np.asarray(self.z + gained / np.float32(self.sharpness), dtype=np.float32)
        logs = self.logs + gained
        known, values = self.curve
        beyond = logs - np.clip(logs, known[0], known[-1])
        inside = np.interp(logs, known, values)
        return np.asarray(inside + beyond / self.sharpness, dtype=np.float32)


def standardised(scores: Float32) -> Float32:
    """Return (I,) scores in standard deviations over the catalogue; zeros where all are equal."""
    exact = scores.astype(np.float64)  # squares of any float32
    spread = float(exact.std()) if len(exact) else 0.0
    if spread <= 1e-7 * float(np.abs(exact).max(initial=0)):
        return np.zeros(len(scores), dtype=np.float32)
    return np.asarray((exact - exact.mean()) / spread, dtype=np.float32)
