"""Significance: values of requests in, bootstrap intervals and paired comparisons out.

B requests (profiles, visits), R resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from recommender import checks
from recommender.arrays import Float64
from recommender.errors import InvalidInputError


@dataclass(frozen=True)
class Estimate:
    """A mean and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """How much better one system is than another on the same requests."""

    difference: Estimate
    """Mean of ours - theirs."""
    bootstrap_p: float
    """Two-sided, from the bootstrap: how often a resample's sign is the other one, doubled."""
    t_test_p: float
    """Two-sided paired t-test."""


def bootstrap_mean(
    values: Float64, rng: np.random.Generator, resamples: int = 2000, level: float = 0.95
) -> Estimate:
    """Return the mean with its percentile bootstrap interval.

    Args:
        values: (B,), one a request; NaNs are left out.
        rng: draws the resamples.
        resamples: R.
        level: the interval's share.

    Raises:
        InvalidInputError: no value is left, or the level is not between 0 and 1.
    """
    checks.inside(0, 1, level=level)
    kept = values[~np.isnan(values)]
    if not len(kept):
        raise InvalidInputError("there is no value to estimate a mean from")
    means = _resampled_means(kept, rng, resamples)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(kept.mean()), float(low), float(high))


def compare(
    ours: Float64,
    theirs: Float64,
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
) -> Comparison:
    """Compare two systems request by request.

    Args:
        ours: (B,).
        theirs: (B,), of the same requests in the same order; NaN in either leaves the request out.
        rng: draws the resamples.
        resamples: R.
        level: the interval's share.

    Raises:
        InvalidInputError: the lengths differ, or fewer than two requests are left.
    """
    if ours.shape != theirs.shape:
        raise InvalidInputError(f"the same requests are needed, got {ours.shape}, {theirs.shape}")
    differences = ours - theirs
    differences = differences[~np.isnan(differences)]
    if len(differences) < 2:
        raise InvalidInputError(f"2 or more requests are needed, got {len(differences)}")
    means = _resampled_means(differences, rng, resamples)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    below = (np.count_nonzero(means <= 0) + 1) / (resamples + 1)
    above = (np.count_nonzero(means >= 0) + 1) / (resamples + 1)
    varies = bool(np.ptp(differences) > 0)
    constant_p = 1.0 if differences[0] == 0 else 0.0
    return Comparison(
        Estimate(float(differences.mean()), float(low), float(high)),
        min(1.0, 2 * min(below, above)),
        float(stats.ttest_1samp(differences, 0.0).pvalue) if varies else constant_p,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for multiple tests, in the same order.

    Holm 1979: the i-th smallest of m is multiplied by m - i + 1, and none falls below the one
    before it; the family-wise error rate stays at the level.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(p) for p in adjusted]


def _resampled_means(values: Float64, rng: np.random.Generator, resamples: int) -> Float64:
    """Return R means of resamples, a few at a time."""
    means = np.empty(resamples)
    at_once = max(1, 2**22 // len(values))
    for first in range(0, resamples, at_once):
        number = min(at_once, resamples - first)
        drawn = rng.integers(0, len(values), (number, len(values)))
        means[first : first + number] = values[drawn].mean(axis=1)
    return means
