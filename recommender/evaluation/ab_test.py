"""A/B test statistics: sample size, sample ratio mismatch, and effects with intervals.

B visits, U units (profiles; an anonymous visit is its own unit), A arms.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from recommender import checks
from recommender.arrays import Bool, Float64, Int64
from recommender.errors import InvalidInputError
from recommender.evaluation.significance import Estimate

MISMATCH_LEVEL = 0.001
"""Below this the arms' sizes cannot be chance: something is broken (Fabijan et al., KDD 2019)."""


@dataclass(frozen=True)
class Ratio:
    """A rate as sums over units: visits of one profile are alike, so units are resampled.

    Attributes:
        parts: (U,) numerators.
        wholes: (U,) denominators, positive.
    """

    parts: Float64
    wholes: Float64

    @classmethod
    def of_visits(cls, units: Int64, parts: Float64, wholes: Float64 | None = None) -> "Ratio":
        """Sum up over units; units without a denominator are left out.

        Args:
            units: (B,) whose visit.
            parts: (B,) the numerator of each.
            wholes: (B,) the denominator of each; 1 by default.
        """
        wholes = np.ones(len(units)) if wholes is None else wholes
        _, unit_of = np.unique(units, return_inverse=True)
        part = np.bincount(unit_of, parts).astype(np.float64)
        whole = np.bincount(unit_of, wholes).astype(np.float64)
        return cls(part[whole > 0], whole[whole > 0])

    @property
    def value(self) -> float:
        return float(self.parts.sum() / self.wholes.sum())

    @property
    def error(self) -> float:
        """Return the standard error by the delta method, over units (Deng et al., KDD 2018)."""
        units = len(self.wholes)
        residuals = self.parts - self.value * self.wholes
        variance = residuals.var(ddof=1) / self.wholes.mean() ** 2 / units
        return float(np.sqrt(variance))

    def resampled(self, rng: np.random.Generator, resamples: int) -> Float64:
        """Return the rate of so many resamples of the units."""
        units = len(self.wholes)
        rates = np.empty(resamples)
        for n in range(resamples):
            drawn = rng.integers(0, units, units)
            rates[n] = self.parts[drawn].sum() / self.wholes[drawn].sum()
        return rates


@dataclass(frozen=True)
class Effect:
    """How much larger a rate is in one arm than in another.

    Attributes:
        difference: with the bootstrap's percentile interval, for one look at the end.
        p: two-sided, of the difference by its standard error, for one look.
        always: the interval that holds at all looks together, as often as one likes.
        always_p: the p-value that belongs to it.
    """

    difference: Estimate
    p: float
    always: Estimate
    always_p: float


def effect(
    ours: Ratio,
    theirs: Ratio,
    expected: float,
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
) -> Effect:
    """Compare two arms.

    Args:
        ours: of the arm in question.
        theirs: of the arm it is held against.
        expected: the size of effect looked for, above 0, chosen before the start: where the
            sequential interval is narrowest.
        rng: draws the resamples.
        resamples: how many.
        level: the intervals' share.

    Raises:
        InvalidInputError: an arm has fewer than two units.
    """
    for ratio in (ours, theirs):
        _check_units(ratio)
    return _effect(
        ours.value - theirs.value,
        float(np.hypot(ours.error, theirs.error)),
        ours.resampled(rng, resamples) - theirs.resampled(rng, resamples),
        expected,
        level,
    )


def effect_within_units(
    units: Int64,
    is_ours: Bool,
    parts: Float64,
    wholes: Float64,
    expected: float,
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
) -> Effect:
    """Compare two arms that share units, because each visit was put into an arm by itself.

    With the arms' rates R = P / W over B visits of U units, the standard error of R₁ - R₀ is that
    of the mean of U (p₁ᵤ - R₁ w₁ᵤ) / W₁ - U (p₀ᵤ - R₀ w₀ᵤ) / W₀ over units (the delta method; Deng,
    Knoblich and Lu, KDD 2018), so what a unit has in common in both arms cancels out. Units are
    resampled with their visits of both arms.

    Args:
        units: (B,) whose visit.
        is_ours: (B,) which visits are of the arm in question.
        parts: (B,) the numerator of each.
        wholes: (B,) the denominator of each.
        expected: as in `effect`.
        rng: draws the resamples.
        resamples: how many.
        level: the intervals' share.

    Raises:
        InvalidInputError: an arm has no visit, or there are fewer than two units.
    """
    names, unit_of = np.unique(units, return_inverse=True)
    count = len(names)
    if count < 2 or not wholes[is_ours].sum() or not wholes[~is_ours].sum():
        raise InvalidInputError(f"two arms and 2 units or more are needed, got {count} units")
    sums = np.stack(
        [
            np.bincount(unit_of[of], values[of], count)
            for of in (is_ours, ~is_ours)
            for values in (parts, wholes)
        ]
    )
    ours, theirs = (Ratio(sums[n], sums[n + 1]) for n in (0, 2))
    residuals = _influence(ours) - _influence(theirs)
    drawn = np.empty(resamples)
    for n in range(resamples):
        part, whole, other_part, other_whole = sums[:, rng.integers(0, count, count)].sum(axis=1)
        drawn[n] = part / whole - other_part / other_whole if whole and other_whole else 0.0
    error = float(residuals.std(ddof=1) / np.sqrt(count))
    return _effect(ours.value - theirs.value, error, drawn, expected, level)


def _influence(ratio: Ratio) -> Float64:
    """Return (U,) how far each unit moves the rate, times U."""
    residuals: Float64 = ratio.parts - ratio.value * ratio.wholes
    return residuals / float(ratio.wholes.mean())


def preference(
    won: Ratio,
    expected: float,
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
) -> Effect:
    """Return how far from one half the share of drafted lists is that one ranker won.

    Args:
        won: lists won, of lists that either won.
        expected: as in `effect`, of this share.
        rng: draws the resamples.
        resamples: how many.
        level: the intervals' share.

    Raises:
        InvalidInputError: fewer than two units.
    """
    _check_units(won)
    drawn = won.resampled(rng, resamples) - 0.5
    found = _effect(won.value - 0.5, won.error, drawn, expected, level)
    always = found.always
    within = Estimate(always.value, max(always.low, -0.5), min(always.high, 0.5))
    return replace(found, always=within)


def _check_units(ratio: Ratio) -> None:
    if len(ratio.wholes) < 2:
        raise InvalidInputError(f"an arm needs 2 units or more, got {len(ratio.wholes)}")


def _effect(
    difference: float, error: float, drawn: Float64, expected: float, level: float
) -> Effect:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    once = float(2 * stats.norm.sf(abs(difference) / error)) if error else float(difference == 0)
    reach = mixture_reach(error, expected, 1 - level)
    return Effect(
        Estimate(difference, float(low), float(high)),
        once,
        Estimate(difference, difference - reach, difference + reach),
        mixture_p(difference, error, expected),
    )


def mixture_p(difference: float, error: float, expected: float) -> float:
    """Return the p-value of the mixture sequential probability ratio test.

    Robbins 1970; Johari, Koomen, Pekelis and Walsh, "Always Valid Inference", Operations Research
    70(3), 2022: the likelihood ratio of a difference D with standard error s, mixed over effects
    N(0, τ²), is Λ = √(s²/(s² + τ²)) exp(D² τ² / (2 s² (s² + τ²))), and p = min(1, 1/Λ). Under no
    effect Λ is a martingale, so that p falls below α at any look ever with a chance of α at most;
    for rates over visits of profiles that holds in the large.

    Args:
        difference: D.
        error: s, of this look.
        expected: τ, fixed before the first look.
    """
    if not error:
        return float(difference == 0)
    s, t = error**2, expected**2
    log_ratio = 0.5 * np.log(s / (s + t)) + difference**2 * t / (2 * s * (s + t))
    return float(min(1.0, np.exp(-log_ratio)))


def mixture_reach(error: float, expected: float, alpha: float) -> float:
    """Return how far the sequential interval reaches to either side: where `mixture_p` is alpha."""
    s, t = error**2, expected**2
    if not s:
        return 0.0
    return float(np.sqrt(s * (s + t) / t * (2 * np.log(1 / alpha) + np.log((s + t) / s))))


def mismatch_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return how likely chance alone parts units so unlike the shares: a chi-square test.

    Args:
        counts: (A,) units found in each arm.
        shares: (A,) as meant; they sum up to 1.
    """
    if len(counts) != len(shares) or not sum(counts):
        raise InvalidInputError(f"counts {list(counts)} do not fit the shares {list(shares)}")
    expected = np.asarray(shares) * sum(counts)
    return float(stats.chisquare(counts, expected).pvalue)


def detectable_effect(
    baseline: float, visits: Sequence[float], power: float, alpha: float, design: float = 1.0
) -> float:
    """Return the smallest difference in a rate that two arms show with this power.

    δ = (z_{1-α/2} + z_power) √(p (1 - p) d (1/n₁ + 1/n₂)), the design effect d being how many
    times more the rate varies because visits of one profile are alike.

    Args:
        baseline: p, the rate without an effect, 0 to 1.
        visits: of the two arms.
        power: the chance to find it, as .8.
        alpha: the chance of a false finding.
        design: d, at least 1; `design_effect` finds it in earlier visits.
    """
    checks.inside(0, 1, baseline=baseline, power=power, alpha=alpha)
    first, second = visits
    spread = np.sqrt(baseline * (1 - baseline) * design * (1 / first + 1 / second))
    return float(_both_errors(power, alpha) * spread)


def needed_visits(
    baseline: float, difference: float, power: float, alpha: float, design: float = 1.0
) -> int:
    """Return how many visits each of two equal arms needs to show a difference."""
    checks.inside(0, 1, baseline=baseline, power=power, alpha=alpha)
    if not difference:
        raise InvalidInputError("no number of visits shows a difference of 0")
    variance = 2 * baseline * (1 - baseline) * design
    return int(np.ceil((_both_errors(power, alpha) / difference) ** 2 * variance))


def design_effect(ratio: Ratio) -> float:
    """Return how much more a rate over visits varies than if each visit were a unit of its own."""
    p, visits = ratio.value, ratio.wholes.sum()
    alone = p * (1 - p) / visits
    return float(max(1.0, ratio.error**2 / alone)) if alone else 1.0


def _both_errors(power: float, alpha: float) -> float:
    return float(stats.norm.isf(alpha / 2) + stats.norm.ppf(power))
