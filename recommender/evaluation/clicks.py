"""Click metrics: labels and predicted click probabilities in, AUC, log loss and calibration out.

N examples.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlog1py, xlogy
from scipy.stats import rankdata

from recommender.arrays import Bool, Float64
from recommender.errors import InvalidInputError

BINS = 15
LEAST = 1e-7


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the probability that a positive scores above a negative; ties count half.

    By ranks (Mann-Whitney), so exact; NaN where one label is missing.
    """
    positive, values = _checked(labels, scores)
    num_positive = int(positive.sum())
    num_negative = len(positive) - num_positive
    if not num_positive or not num_negative:
        return float("nan")
    above = rankdata(values)[positive].sum() - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * num_negative))


def auc_gap(labels: ArrayLike, scores: ArrayLike, others: ArrayLike) -> tuple[float, float]:
    """Return by how much one AUC is above another over the same examples, and its standard error.

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988: an AUC is the mean over positives of the
    share of negatives below each, and over negatives of the share of positives above each.
    """
    positive, values = _checked(labels, scores)
    parts = [_shares(positive, numbers) for numbers in (values, _checked(labels, others)[1])]
    above, below = (parts[0][side] - parts[1][side] for side in range(2))
    if len(above) < 2 or len(below) < 2:
        return float("nan"), float("nan")
    error = math.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))
    return float(above.mean()), error


def log_loss_gap(
    labels: ArrayLike, probabilities: ArrayLike, others: ArrayLike
) -> tuple[float, float]:
    """Return by how much one log loss is above another, and its standard error, paired."""
    positive, values = _checked(labels, probabilities)
    gaps = _surprise(positive, values) - _surprise(positive, _checked(labels, others)[1])
    return float(gaps.mean()), float(gaps.std() / math.sqrt(len(gaps)))


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean of -ln of the probability of the label, probabilities clipped at 1e-7."""
    positive, values = _checked(labels, probabilities)
    return float(_surprise(positive, values).mean())


def expected_calibration_error(
    labels: ArrayLike, probabilities: ArrayLike, bins: int = BINS
) -> float:
    """Return the mean gap of predicted and observed rate, over bins of equally many examples.

    Σ_b n_b / N · |mean probability - share of positives|
    """
    positive, values = _checked(labels, probabilities)
    order = np.argsort(values, kind="stable")
    gaps = positive[order].astype(np.float64) - values[order]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, bins)) / len(order))


def click_metrics(labels: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """Return `auc`, `log_loss` and `ece`."""
    return {
        "auc": auc(labels, probabilities),
        "log_loss": log_loss(labels, probabilities),
        "ece": expected_calibration_error(labels, probabilities),
    }


def _shares(positive: Bool, values: Float64) -> tuple[Float64, Float64]:
    """Return how much of the other side is below each positive, and above each negative.

    Ties count half.
    """
    ranks = rankdata(values)
    within = np.empty_like(ranks)
    within[positive], within[~positive] = rankdata(values[positive]), rankdata(values[~positive])
    others_below = ranks - within
    num_positive = int(positive.sum())
    num_negative = len(positive) - num_positive
    return (
        others_below[positive] / max(num_negative, 1),
        1 - others_below[~positive] / max(num_positive, 1),
    )


def _surprise(positive: Bool, probabilities: Float64) -> Float64:
    cut = probabilities.clip(LEAST, 1 - LEAST)
    return np.asarray(-(xlogy(positive, cut) + xlog1py(~positive, -cut)))


def _checked(labels: ArrayLike, values: ArrayLike) -> tuple[Bool, Float64]:
    positive, numbers = np.asarray(labels) > 0, np.asarray(values, dtype=np.float64)
    if positive.shape != numbers.shape or not len(numbers):
        raise InvalidInputError(
            f"labels and scores must be equally long, and not empty, got {positive.shape} and "
            f"{numbers.shape}"
        )
    return positive, numbers
