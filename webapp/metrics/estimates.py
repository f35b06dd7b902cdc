"""Ratios with 95 % intervals, from sums over days and moments over viewers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Z95 = 1.959964
"""The standard normal distribution's 97.5 % quantile, for every 95 % interval."""


class Parts(Protocol):
    """A day's sums: a `DailyMetric`, or what was read of one."""

    @property
    def numerator(self) -> float: ...
    @property
    def denominator(self) -> float: ...
    @property
    def viewers(self) -> int: ...
    @property
    def sum_nn(self) -> float: ...
    @property
    def sum_nd(self) -> float: ...
    @property
    def sum_dd(self) -> float: ...


class Sums(NamedTuple):
    """The columns of a `DailyMetric` that an estimate needs."""

    numerator: float
    denominator: float
    viewers: int
    sum_nn: float
    sum_nd: float
    sum_dd: float


@dataclass(frozen=True)
class RatioEstimate:
    """A ratio of two sums, and its 95 % interval.

    Attributes:
        value: numerator / denominator; None if the denominator is 0.
        low: the lower end of its 95 % interval; None if the variance is unknown.
        high: the upper end.
        numerator: as counted.
        denominator: as counted.
        viewers: viewers of each day, added up.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    numerator: float = 0.0
    denominator: float = 0.0
    viewers: int = 0


NOTHING = RatioEstimate()


def estimate(days: Iterable[Parts], *, is_share: bool = True) -> RatioEstimate:
    """Add days up and bound the fraction.

    Viewers, each with all of their visits of a day, are what varies: the variance of R = Σn / Σd
    is Σ(n - R d)² / (Σd)² (the linearised ratio, by viewers), with m / (m - 1) for m viewers. A
    share's interval is Wilson's, with as many trials as that variance speaks for; others' is
    R ± 1.96 standard errors.
    """
    parts = list(days)
    numerator = math.fsum(part.numerator for part in parts)
    denominator = math.fsum(part.denominator for part in parts)
    viewers = sum(part.viewers for part in parts)
    if not denominator:
        return NOTHING
    value = numerator / denominator
    nn, nd, dd = (
        math.fsum(getattr(part, name) for part in parts) for name in ("sum_nn", "sum_nd", "sum_dd")
    )
    if viewers < 2 or not dd:
        return RatioEstimate(value, None, None, numerator, denominator, viewers)
    around = max(nn - 2 * value * nd + value * value * dd, 0.0)
    variance = around / denominator**2 * viewers / (viewers - 1)
    if is_share:
        low, high = _wilson(value, variance, viewers)
    else:
        half = Z95 * math.sqrt(variance)
        low, high = value - half, value + half
    return RatioEstimate(value, low, high, numerator, denominator, viewers)


def _wilson(share: float, variance: float, viewers: int) -> tuple[float, float]:
    """Wilson's interval, on as many trials as would have this variance; on viewers where 0."""
    share = min(max(share, 0.0), 1.0)
    trials = share * (1 - share) / variance if variance > 0 else float(viewers)
    z2 = Z95 * Z95
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = (
        Z95
        / (1 + z2 / trials)
        * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    )
    return max(0.0, middle - half), min(1.0, middle + half)
