"""Kaplan and Meier's survival curve from counts in bins. B bins.

Bins are fixed, so that days are added up by adding their counts. SciPy's `ecdf` wants every
visit's time instead, which daily metrics do not keep; a test holds the two equal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.arrays import Float64
from webapp.metrics.estimates import Z95

BIN_EDGES: tuple[float, ...] = (
    *(5.0 * n for n in range(1, 121)),
    *(600.0 + 30.0 * n for n in range(1, 101)),
    7200.0,
)
"""Seconds where bins end: five each for ten minutes, half a minute each for an hour, then one."""


@dataclass(frozen=True)
class Curve:
    """The share that has not played yet, by seconds.

    Attributes:
        seconds: (B,) where each bin ends, the last infinite.
        waiting: (B,) the share that has not played by then.
        low: (B,) the lower end of its 95 % interval, by Greenwood on the log-log scale.
        high: (B,) the upper end.
    """

    seconds: Float64
    waiting: Float64
    low: Float64
    high: Float64

    def median(self) -> float | None:
        """Seconds until half have played, within its bin by a straight line; None if fewer do."""
        return _half(self.seconds, self.waiting)

    def median_interval(self) -> tuple[float | None, float | None]:
        """Where the interval's ends reach one half; None for an end that never does."""
        return _half(self.seconds, self.low), _half(self.seconds, self.high)


def kaplan_meier(played: Sequence[int], left: Sequence[int]) -> Curve:
    """Estimate the share still without a play.

    S(t) = prod over bins to t of (1 - played / at risk) (Kaplan and Meier, 1958). Who leaves in a
    bin counts as at risk throughout it: with bins of five seconds the difference is small.

    Args:
        played: (B,) visits whose first qualified play came in each bin.
        left: (B,) visits that ended in it without one.

    Raises:
        ValueError: the counts do not fit the bins.
    """
    events, censored = np.asarray(played, dtype=np.float64), np.asarray(left, dtype=np.float64)
    if not events.shape == censored.shape == (len(BIN_EDGES) + 1,):
        raise ValueError(
            f"counts for {len(BIN_EDGES) + 1} bins are needed, got {len(played)} and {len(left)}"
        )
    gone = events + censored
    at_risk = gone.sum() - np.concatenate([[0.0], np.cumsum(gone)[:-1]])  # (B,)
    safe = np.maximum(at_risk, 1)
    waiting = np.cumprod(1 - events / safe)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(events / (safe * np.maximum(at_risk - events, 1e-9)))
        spread = Z95 * np.sqrt(variance) / np.abs(np.log(waiting))
        low, high = waiting ** np.exp(spread), waiting ** np.exp(-spread)
    inside = (waiting > 0) & (waiting < 1)
    low, high = np.where(inside, low, waiting), np.where(inside, high, waiting)
    return Curve(np.array([*BIN_EDGES, math.inf]), waiting, low, high)


def _half(seconds: Float64, waiting: Float64) -> float | None:
    reached = np.flatnonzero(waiting <= 0.5)
    if not len(reached) or math.isinf(seconds[reached[0]]):
        return None
    n = int(reached[0])
    start, above = (seconds[n - 1], waiting[n - 1]) if n else (0.0, 1.0)
    return float(start + (seconds[n] - start) * (above - 0.5) / (above - waiting[n]))
