"""Gates before publishing: a candidate and what is live in, a `Verdict` out.

A release is compared on held-out profiles, a ranker on examples that neither it nor the live one
learned from.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender import checks
from recommender.arrays import Float32
from recommender.data.examples import Examples
from recommender.evaluation.clicks import auc, auc_gap, click_metrics, log_loss, log_loss_gap
from recommender.ranking.ranker import Ranker
from recommender.verdict import Verdict

RELEASE_METRIC = "ndcg@100"
RELEASE_MODELS = {"ials": "iALS", "larm": "R-LARM"}
"""Models that may not fall behind the live release's, and their names for operators."""
Z_95_ONE_SIDED = 1.645
"""Standard errors beyond which a difference is significant, at 95 % on one side."""


MIN_HELD_OUT = 20
"""With fewer held-out profiles chance decides whether iALS is above popularity: not asked."""


@dataclass(frozen=True)
class ReleaseGate:
    """Compares releases by NDCG@100 of each of `RELEASE_MODELS` on held-out profiles.

    Whatever is live, a release is kept back whose iALS is not above popularity, or whose visit side
    is worse than long-term taste alone after a visit's first event.
    """

    tolerance: float = 0.0
    """How far below the live value a model may be, as a share of it."""

    def __post_init__(self) -> None:
        checks.between(0, 1, tolerance=self.tolerance)

    def verdict(
        self,
        candidate: Mapping[str, Mapping[str, Any]],
        live: Mapping[str, Mapping[str, Any]] | None,
    ) -> Verdict:
        """Decide whether a release may replace the live one.

        Without such a fault it passes if nothing is live, if too few profiles exist to hold some
        out, or if each model that both releases have reaches the live value less the tolerance.

        Args:
            candidate: metrics by model.
            live: the same of the live release, on the same profiles; None where nothing is live
                or it cannot be evaluated.
        """
        values, live_values = _gated(candidate), _gated(live or {})
        if fault := _below_popularity(candidate) or _harmful_visits(candidate):
            return Verdict(False, f"{fault}: {_outcome(False)}.", values, live_values)
        if live is None:
            return Verdict(True, "Nothing was live to compare with.", values)
        if "ials" not in values or "ials" not in live_values:
            reason = "Too few profiles to hold some out and compare; published."
            return Verdict(True, reason, values, live_values)
        required = {
            model: value * (1 - self.tolerance)
            for model, value in live_values.items()
            if model in values
        }
        passed = all(values[model] >= least for model, least in required.items())
        comparisons = "; ".join(
            f"{RELEASE_MODELS[model]}'s {RELEASE_METRIC} is {values[model]:.4f}, the live release "
            f"has {live_values[model]:.4f}, at least {least:.4f} is needed"
            for model, least in required.items()
        )
        reason = f"{comparisons}: {_outcome(passed)}."
        return Verdict(passed, reason, values, live_values, required)


@dataclass(frozen=True)
class RankerGate:
    """Compares rankers by AUC and log loss on examples that neither learned from."""

    auc_tolerance: float = 0.005
    """How far below the live model's AUC a candidate may be."""
    loss_tolerance: float = 0.02
    """How far above its log loss, as a share of it."""
    diverged_above: float = 1.5
    """A model whose log loss is more than so many times that of a constant has diverged."""
    baseline_field: str | None = None
    """The number that orders lists while no ranker is live; the first is compared with it."""

    def __post_init__(self) -> None:
        checks.not_negative(auc_tolerance=self.auc_tolerance, loss_tolerance=self.loss_tolerance)
        checks.positive(diverged_above=self.diverged_above)

    def verdict(self, candidate: Ranker, live: Ranker | None, examples: Examples) -> Verdict:
        """Decide whether a ranker may replace the live one.

        It is kept back if it diverged, or if it is worse by more than the tolerance and by more
        than is due to chance: few examples prove little.

        Args:
            candidate: calibrated.
            live: None compares with `baseline_field` instead, if there is one.
            examples: N of them; neither ranker learned from them.
        """
        logits, probabilities = candidate.predict(examples)  # (N,), (N,)
        count = len(examples)
        if not np.isfinite(logits).all():
            reason = "It diverged: some of its logits are not finite. Kept back."
            return Verdict(False, reason, examples=count)
        reached = click_metrics(examples.labels, probabilities)
        constant = _constant_loss(examples)
        if reached["log_loss"] > self.diverged_above * constant:
            reason = (
                f"It diverged: its log loss is {reached['log_loss']:.4f}, and a constant "
                f"probability has {constant:.4f}. Kept back."
            )
            return Verdict(False, reason, reached, examples=count)
        if live is not None:
            live_logits, live_probabilities = live.predict(examples)
            orders, order = self._compare_order(examples, logits, live_logits, "live")
            fits, fit = self._compare_loss(examples, probabilities, live_probabilities)
            metrics = click_metrics(examples.labels, live_probabilities)
            return _decided(orders and fits, f"{order}; {fit}", reached, metrics, count)
        if self.baseline_field is None:
            return _decided(True, "Nothing was live to compare with", reached, {}, count)
        scores = examples.numbers[:, candidate.place_of(self.baseline_field)]  # (N,)
        orders, order = self._compare_order(
            examples, logits, scores, f"{self.baseline_field} score"
        )
        baseline = {"auc": auc(examples.labels, scores)}
        return _decided(orders, f"No ranker was live. {order}", reached, baseline, count)

    def _compare_order(
        self, examples: Examples, scores: Float32, others: Float32, name: str
    ) -> tuple[bool, str]:
        """Return whether scores order as well as others, and the comparison for operators."""
        gain, error = auc_gap(examples.labels, scores, others)
        comparison = (
            f"AUC {auc(examples.labels, scores):.4f}, {name} {auc(examples.labels, others):.4f} "
            f"(difference {gain:+.4f} ± {error:.4f}, {self.auc_tolerance} less is allowed)"
        )
        return not gain < -self.auc_tolerance - Z_95_ONE_SIDED * error, comparison

    def _compare_loss(
        self, examples: Examples, probabilities: Float32, others: Float32
    ) -> tuple[bool, str]:
        """Return whether probabilities are as accurate as others, and the comparison."""
        reached = log_loss(examples.labels, probabilities)
        live = log_loss(examples.labels, others)
        loss, error = log_loss_gap(examples.labels, probabilities, others)
        comparison = (
            f"log loss {reached:.4f}, live {live:.4f} ({loss:+.4f} ± {error:.4f}, "
            f"{self.loss_tolerance:.0%} more is allowed)"
        )
        return loss <= self.loss_tolerance * live + Z_95_ONE_SIDED * error, comparison


def _below_popularity(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what is wrong where iALS is not above popularity; empty where it is."""
    value, popular = (metrics.get(name, {}).get(RELEASE_METRIC) for name in ("ials", "popularity"))
    held_out = metrics.get("ials", {}).get("held_out_profiles", 0)
    if value is None or popular is None or held_out < MIN_HELD_OUT or value > popular:
        return ""
    return (
        f"iALS's {RELEASE_METRIC} is {value:.4f}, not above popularity's {popular:.4f}. Search "
        "for settings with `manage.py tune ials`"
    )


def _harmful_visits(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what is wrong where the visit side does harm; empty where it does not."""
    visits = metrics.get("visits", {})
    harm = visits.get("harm", 0.0)
    if not harm:
        return ""
    return (
        f"After one event of a visit the {visits['visit_side']} finds less than long-term taste "
        f"alone: HR@20 lower by at least {harm:.4f} on {visits['after_one_event']} requests"
    )


def _gated(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the gated metric by model, of those models that have it."""
    values = {model: metrics.get(model, {}).get(RELEASE_METRIC) for model in RELEASE_MODELS}
    return {model: value for model, value in values.items() if value is not None}


def _decided(
    passed: bool,
    comparison: str,
    candidate: dict[str, float],
    live: dict[str, float],
    examples: int,
) -> Verdict:
    reason = f"{comparison}: {_outcome(passed)}."
    return Verdict(bool(passed), reason, candidate, live, examples=examples)


def _outcome(passed: bool) -> str:
    return "published" if passed else "kept back"


def _constant_loss(examples: Examples) -> float:
    """Return the log loss of always predicting the share of clicks; at least 0.001."""
    share = float(examples.labels.mean())
    if not 0 < share < 1:
        return 1e-3
    return max(-share * math.log(share) - (1 - share) * math.log(1 - share), 1e-3)
