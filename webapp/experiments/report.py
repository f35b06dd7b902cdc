"""What an experiment shows so far, as plain JSON: each arm against the last."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from scipy import stats

from recommender.arrays import Bool, Float64, Int64
from recommender.evaluation.ab_test import (
    MISMATCH_LEVEL,
    Effect,
    Ratio,
    design_effect,
    detectable_effect,
    effect,
    effect_within_units,
    mismatch_p,
    needed_visits,
    preference,
)
from recommender.evaluation.significance import Estimate
from webapp.events.models import Visit
from webapp.experiments.first_sign import from_first_sign
from webapp.experiments.models import Arm, Experiment
from webapp.experiments.outcomes import Outcomes, read_outcomes, visits_of
from webapp.slates.drafts import drafted_lists

METRICS = ("abandonment", "conversion_rate", "seconds_to_play")
RESAMPLES = 2000
FEWEST_UNITS = 2
POWER, LEVEL = 0.8, 0.05
EXPECTED = {"abandonment": 0.02, "conversion_rate": 0.002, "seconds_to_play": 15.0}
"""What size of effect is looked for where no plan says it: the sequential test's mixing width."""
EXPECTED_PREFERENCE = 0.05
"""The same for a share of drafted lists won, from one half."""


def report(experiment: Experiment, now: datetime) -> dict[str, Any]:
    """Return what the experiment shows.

    Args:
        experiment: begun.
        now: visits that may still go on are left out.
    """
    settled = now - timedelta(seconds=settings.VISIT_GAP_SECONDS)
    outcomes = read_outcomes(experiment, settled=settled)
    rng = np.random.default_rng(0)
    return {
        "at": now.isoformat(),
        "is_simulated": experiment.is_simulated,
        **_arms_compared(experiment, outcomes, rng),
        "drafts": _drafts(experiment, settled, rng) if experiment.has_drafts else None,
        "first_sign": _first_sign(experiment, outcomes, rng),
    }


def _arms_compared(
    experiment: Experiment, outcomes: Outcomes, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the arms' sizes and metrics, and the effects of each against the last."""
    arms = experiment.the_arms
    return {
        "visits": len(outcomes),
        "sizes": _sizes(experiment, outcomes),
        "arms": {arm.name: _summary(outcomes.of_arm(arm.name), rng) for arm in arms},
        "effects": [
            _effects(experiment, outcomes, arm, rng)
            | {"design": design_effect(ratio_of("abandonment", outcomes))}
            for arm in arms[:-1]
            if _can_compare(outcomes, arm, arms[-1])
        ],
    }


def _first_sign(
    experiment: Experiment, outcomes: Outcomes, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the same from the first sign on, and the share of visits that had one, by arm.

    Arms answer alike until the sign, so a difference in that share means that something else
    distinguishes them.
    """
    found = from_first_sign(outcomes)
    last = experiment.the_arms[-1].name
    signs = found.has_sign.astype(np.float64)
    shares: dict[str, Any] = {}
    for arm in experiment.the_arms:
        of_arm = outcomes.arms == arm.name
        share = {"value": float(signs[of_arm].mean()) if of_arm.any() else None, "p": None}
        if arm.name != last and _can_compare(outcomes, arm, experiment.the_arms[-1]):
            both = of_arm | (outcomes.arms == last)
            ratio = (outcomes.units[both], signs[both], np.ones(int(both.sum())))
            share["p"] = _effect(
                ratio, of_arm[both], EXPECTED["abandonment"], rng,
                is_by_visit=experiment.is_by_visit,
            ).p  # fmt: skip
        shares[arm.name] = share
    return _arms_compared(experiment, found.outcomes, rng) | {"shares": shares}


def keep_report(experiment: Experiment, now: datetime) -> dict[str, Any]:
    """Work the report out, keep it on the experiment, and return it."""
    latest = report(experiment, now)
    who = "simulated" if experiment.is_simulated else "people"
    Experiment.objects.filter(pk=experiment.pk).update(report={who: latest})
    return latest


def refresh_reports(now: datetime) -> int:
    """Work out anew what running experiments show; nothing where nobody came yet.

    Returns how many reports were written.
    """
    written = 0
    for experiment in Experiment.objects.filter(status=Experiment.Status.RUNNING):
        if Visit.objects.filter(experiment=experiment.name).exists():
            keep_report(experiment, now)
            written += 1
    return written


def plan(
    experiment: Experiment, baseline: float, visits: int, *, difference: float, design: float = 1.0
) -> dict[str, Any]:
    """Return what an experiment on abandonment can find, to be kept before it starts.

    Args:
        experiment: not begun; the first and the last arm are compared.
        baseline: abandonment without an effect.
        visits: expected in all.
        difference: what would be worth finding; the sequential test is narrowest there.
        design: how much more profiles vary than visits would.
    """
    arms = experiment.the_arms
    sizes = [visits * arms[0].share, visits * arms[-1].share]
    return {
        "metric": "abandonment", "baseline": baseline, "visits": visits, "power": POWER,
        "level": LEVEL, "design": design, "expected": difference,
        "detectable": detectable_effect(baseline, sizes, POWER, LEVEL, design),
        "needed_an_arm": needed_visits(baseline, difference, POWER, LEVEL, design),
    }  # fmt: skip


def ratio_of(metric: str, outcomes: Outcomes) -> Ratio:
    """Return a metric as sums over profiles."""
    return Ratio.of_visits(outcomes.units, *_parts(metric, outcomes))


def _parts(metric: str, outcomes: Outcomes) -> tuple[Float64, Float64]:
    """Return (B,) numerators and (B,) denominators of a metric."""
    if metric == "abandonment":
        return outcomes.abandoned, np.ones(len(outcomes))
    if metric == "conversion_rate":
        return outcomes.conversions, outcomes.seen
    has_play = 1 - outcomes.abandoned
    return outcomes.seconds * has_play, has_play


def median_seconds(outcomes: Outcomes) -> float | None:
    """Return Kaplan and Meier's median time to play; visits without a play are censored.

    None if fewer than half ever play.
    """
    if not len(outcomes):
        return None
    times = stats.CensoredData.right_censored(outcomes.seconds, outcomes.abandoned != 0)
    survival = stats.ecdf(times).sf
    reached = np.flatnonzero(survival.probabilities <= 0.5)
    return float(survival.quantiles[reached[0]]) if len(reached) else None


def _summary(outcomes: Outcomes, rng: np.random.Generator) -> dict[str, Any]:
    summary: dict[str, Any] = {"visits": len(outcomes), "profiles": len(np.unique(outcomes.units))}
    for metric in METRICS:
        ratio = ratio_of(metric, outcomes)
        if len(ratio.wholes) < FEWEST_UNITS:
            summary[metric] = None
            continue
        low, high = np.quantile(ratio.resampled(rng, RESAMPLES), [0.025, 0.975])
        summary[metric] = {"value": ratio.value, "low": float(low), "high": float(high)}
    summary["median_seconds_to_play"] = _median_interval(outcomes, rng)
    return summary


def _median_interval(outcomes: Outcomes, rng: np.random.Generator) -> dict[str, Any] | None:
    """Return the median with a bootstrap over profiles; no upper end where a resample has none.

    Greenwood's interval would take visits as independent, and those of one profile are alike.
    """
    median = median_seconds(outcomes)
    if median is None:
        return None
    _, place = np.unique(outcomes.units, return_inverse=True)
    order = np.argsort(place, kind="stable")
    begins = np.searchsorted(place[order], np.arange(place.max() + 2))
    medians = []
    for _ in range(200):
        drawn = rng.integers(0, len(begins) - 1, len(begins) - 1)
        rows = np.concatenate([order[begins[n] : begins[n + 1]] for n in drawn])
        medians.append(median_seconds(outcomes.at(rows)))
    reached = [seconds if seconds is not None else np.inf for seconds in medians]
    low, high = np.quantile(reached, [0.025, 0.975], method="nearest")
    return {"value": median, "low": float(low), "high": float(high) if high < np.inf else None}


def _drafts(experiment: Experiment, settled: datetime, rng: np.random.Generator) -> dict[str, Any]:
    """Return how many of the lists that either ranking won are the usual one's."""
    drafts = drafted_lists(visits_of(experiment, settled=settled))
    decided = drafts.decided
    result: dict[str, Any] = {
        "shown": drafts.shown, "clicked": len(drafts.credits), "decided": len(decided.credits),
        "won": None,
    }  # fmt: skip
    won = Ratio.of_visits(decided.units, decided.credits)
    if len(won.wholes) >= FEWEST_UNITS:
        from_half = preference(won, EXPECTED_PREFERENCE, rng, RESAMPLES)
        result["won"] = {
            "once": _share(from_half.difference), "p": from_half.p,
            "always": _share(from_half.always), "always_p": from_half.always_p,
        }  # fmt: skip
    return result


def _share(from_half: Estimate) -> dict[str, float]:
    return {name: 0.5 + value for name, value in asdict(from_half).items()}


def _sizes(experiment: Experiment, outcomes: Outcomes) -> dict[str, Any]:
    """Count what was put into each arm, and check whether chance explains the counts."""
    arms = experiment.the_arms
    of_arms = [outcomes.of_arm(arm.name) for arm in arms]
    is_by_visit = experiment.is_by_visit
    counts = [len(each) if is_by_visit else len(np.unique(each.units)) for each in of_arms]
    if not sum(counts) or len(arms) == 1:
        return {"units": counts, "p": None, "warning": ""}
    p = mismatch_p(counts, [arm.share for arm in arms])
    warning = ""
    what = "visits" if is_by_visit else "viewers"
    if p < MISMATCH_LEVEL:
        warning = (
            f"the arms have {counts} {what}, which their shares do not explain "
            f"(p = {p:.2g}): something keeps visits out of an arm; believe no effect"
        )
    return {"units": counts, "p": p, "warning": warning}


def _can_compare(outcomes: Outcomes, *arms: Arm) -> bool:
    return all(
        len(ratio_of(metric, outcomes.of_arm(arm.name)).wholes) >= FEWEST_UNITS
        for arm in arms
        for metric in METRICS
    )


def _effects(
    experiment: Experiment, outcomes: Outcomes, arm: Arm, rng: np.random.Generator
) -> dict[str, Any]:
    """Return an arm's effect on each metric, against the last arm."""
    against, planned = experiment.the_arms[-1], experiment.plan
    both = outcomes.at(np.flatnonzero(np.isin(outcomes.arms, [arm.name, against.name])))
    is_ours = both.arms == arm.name
    effects: dict[str, Any] = {"arm": arm.name, "against": against.name}
    for metric in METRICS:
        expected = EXPECTED[metric]
        if metric == planned.get("metric"):
            expected = planned["expected"]
        ratio = (both.units, *_parts(metric, both))
        compared = _effect(ratio, is_ours, expected, rng, is_by_visit=experiment.is_by_visit)
        effects[metric] = asdict(compared)
    return effects


def _effect(
    ratio: tuple[Int64, Float64, Float64],
    is_ours: Bool,
    expected: float,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    *,
    is_by_visit: bool,
) -> Effect:
    """Compare two arms in a ratio: (B,) units, numerators and denominators of their visits."""
    units, parts, wholes = ratio
    if is_by_visit:
        return effect_within_units(units, is_ours, parts, wholes, expected, rng, resamples)
    ours, theirs = (
        Ratio.of_visits(units[rows], parts[rows], wholes[rows]) for rows in (is_ours, ~is_ours)
    )
    return effect(ours, theirs, expected, rng, resamples)


@dataclass(frozen=True)
class Trial:
    """How the tests do where the truth is known, over so many random partings of the visits.

    Attributes:
        partings: how many.
        planted: the effect that was planted, 0 in a test of A against A.
        rejected: the share in which p fell below `LEVEL`.
        outside: the share in which the bootstrap's interval left 0 out.
        rejected_always: the share in which the sequential p did.
    """

    partings: int
    planted: float
    rejected: float
    outside: float
    rejected_always: float


def trials(
    outcomes: Outcomes, partings: int, unit: str = Experiment.Unit.PROFILE
) -> tuple[Trial, Trial]:
    """Part visits at random by their units: once without an effect, once with a planted one.

    The planted effect is the one that a plan for so many visits promises to find with `POWER`:
    visits of one half that were abandoned are turned into played ones at random.

    Args:
        outcomes: visits, whose own arms are forgotten.
        partings: seeds 0 and up.
        unit: of `Experiment.Unit`. Visits parted by themselves are planned without a design effect.
    """
    pooled = ratio_of("abandonment", outcomes)
    visits = [len(outcomes) / 2] * 2
    is_by_visit = unit == Experiment.Unit.VISIT
    design = 1.0 if is_by_visit else design_effect(pooled)
    detectable = detectable_effect(pooled.value, visits, POWER, LEVEL, design)
    return (
        _trial(outcomes, partings, 0.0, is_by_visit=is_by_visit),
        _trial(outcomes, partings, detectable, is_by_visit=is_by_visit),
    )


def _trial(outcomes: Outcomes, partings: int, planted: float, *, is_by_visit: bool) -> Trial:
    effects = []
    units, ones = outcomes.units, np.ones(len(outcomes))
    expected = planted or EXPECTED["abandonment"]
    for seed in range(partings):
        rng = np.random.default_rng(seed)
        half = shuffled_units(np.arange(len(units)) if is_by_visit else units, rng)
        abandoned = outcomes.abandoned.copy()
        turned = rng.random(len(outcomes)) < planted / max(abandoned.mean(), 1e-9)
        abandoned[half & turned] = 0
        ratio = (units, abandoned, ones)
        effects.append(_effect(ratio, half, expected, rng, 400, is_by_visit=is_by_visit))
    return Trial(
        partings,
        planted,
        float(np.mean([one.p < LEVEL for one in effects])),
        float(np.mean([not one.difference.low <= 0 <= one.difference.high for one in effects])),
        float(np.mean([one.always_p < LEVEL for one in effects])),
    )


def shuffled_units(units: Int64, rng: np.random.Generator) -> Bool:
    """Return (B,) a half for each unit's visits, by a toss for each unit: A against A."""
    _, place = np.unique(units, return_inverse=True)
    return np.asarray((rng.random(place.max() + 1) < 0.5)[place])
