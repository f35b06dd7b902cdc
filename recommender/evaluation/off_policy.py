"""Off-policy evaluation: a log with propensities in, the value of another policy out.

B logged choices, K actions. Propensity: the logging policy's probability of an action.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from recommender.arrays import Float64, Int64
from recommender.errors import InvalidInputError
from recommender.evaluation.significance import Estimate

SMALL_SHARE = 0.01
SMALL_NUMBER = 50
"""Below either effective sample size, a few choices dominate the estimate."""


@dataclass(frozen=True)
class Logged:
    """Choices of the logging policy.

    Attributes:
        rewards: (B,) of each choice.
        propensities: (B,) of the actions taken, above 0.
        target: (B,) the probability with which the other policy would have taken them.
    """

    rewards: Float64
    propensities: Float64
    target: Float64

    def __post_init__(self) -> None:
        if not len(self.rewards):
            raise InvalidInputError("the log is empty")
        if {self.rewards.shape, self.propensities.shape, self.target.shape} != {self.rewards.shape}:
            raise InvalidInputError("rewards, propensities and target must be of one length")
        if self.propensities.min() <= 0 or self.propensities.max() > 1:
            raise InvalidInputError(
                f"propensities must be above 0 and at most 1, got "
                f"{self.propensities.min():g} to {self.propensities.max():g}"
            )

    @property
    def weights(self) -> Float64:
        """(B,) how much more often the other policy would have done this."""
        return self.target / self.propensities


@dataclass(frozen=True)
class OffPolicyEstimate:
    """The other policy's reward for each choice.

    Attributes:
        method: ips, self-normalised or doubly robust.
        reward: with its interval.
        effective_sample: (Σw)²/Σw² of Kish: so many choices of its own are worth as much.
        warning: why the estimate is unreliable; empty if it is not.
    """

    method: str
    reward: Estimate
    effective_sample: float
    warning: str = ""


def ips(logged: Logged, level: float = 0.95) -> OffPolicyEstimate:
    """Inverse propensity scoring, Horvitz and Thompson 1952: the mean of w r.

    Unbiased, and of great variance where weights are.
    """
    return _estimate("ips", logged.weights * logged.rewards, logged, level)


def self_normalised(logged: Logged, level: float = 0.95) -> OffPolicyEstimate:
    """Σ w r / Σ w, Swaminathan and Joachims, NIPS 2015; hardly biased, and steadier.

    The interval is the delta method's: the error of the mean of w (r - estimate) / mean w.
    """
    weights = logged.weights
    if not weights.sum():
        raise InvalidInputError("the other policy takes none of the logged actions")
    value = float(weights @ logged.rewards / weights.sum())
    return _estimate(
        "self-normalised",
        value + weights * (logged.rewards - value) / weights.mean(),
        logged,
        level,
    )


def doubly_robust(
    logged: Logged, predicted: Float64, expected: Float64, level: float = 0.95
) -> OffPolicyEstimate:
    """Dudík, Langford and Li, ICML 2011: a reward model, corrected by its weighted residuals.

    A reward model plus an importance-weighted correction of its residuals: the mean of
    expected + w (r - predicted); unbiased if either the propensities or the model are
    right. The model must not have learned from the same choices: `crossed_means` sees to that.

    Args:
        logged: the log.
        predicted: (B,) the model's reward for what was done.
        expected: (B,) the model's reward, over what the other policy would do there.
        level: the interval's share.
    """
    values = expected + logged.weights * (logged.rewards - predicted)
    return _estimate("doubly robust", values, logged, level)


def crossed_means(
    actions: Int64,
    rewards: Float64,
    num_actions: int,
    rng: np.random.Generator,
    folds: int = 5,
    prior: float = 100.0,
) -> Float64:
    """Return (B, K) each action's mean reward, learned from the other folds; a plain reward model.

    Args:
        actions: (B,) what was done, 0 to K - 1.
        rewards: (B,).
        num_actions: K.
        rng: parts the folds.
        folds: how many.
        prior: as many choices of the mean over all actions are added to each.
    """
    if len(actions) < folds:
        raise InvalidInputError(f"{folds} folds need as many choices, got {len(actions)}")
    fold_of = rng.permutation(len(actions)) % folds
    tables = np.empty((folds, num_actions))
    for fold in range(folds):
        others = fold_of != fold
        taken = np.bincount(actions[others], minlength=num_actions)
        earned = np.bincount(actions[others], rewards[others], minlength=num_actions)
        tables[fold] = (earned + prior * rewards[others].mean()) / (taken + prior)
    return np.asarray(tables[fold_of])


def effective_sample(weights: Float64) -> float:
    """Return Kish's effective sample size."""
    return float(weights.sum() ** 2 / max(float(weights @ weights), 1e-300))


def _estimate(method: str, values: Float64, logged: Logged, level: float) -> OffPolicyEstimate:
    """Take the mean of independent values, its normal interval, and what makes it doubtful."""
    value = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")
    reach = float(stats.norm.isf((1 - level) / 2)) * error
    size = effective_sample(logged.weights)
    warning = ""
    if size < max(SMALL_NUMBER, SMALL_SHARE * len(values)):
        warning = (
            f"the {len(values)} logged choices count as {size:.0f}: the two policies are too "
            "unlike, and the interval may be too short"
        )
    return OffPolicyEstimate(method, Estimate(value, value - reach, value + reach), size, warning)
