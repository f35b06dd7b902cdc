"""Losses for next-item prediction, with one interface: queries, item vectors, targets in, loss out.

N predictions, I items, d width, M negatives.

softmax           -log e^{y_+} / Σ_i e^{y_i}                                         over all items
sampled_softmax   the same over the target and M shared negatives, each y less its log expected
                  count, so that the expectation is the full softmax's (Bengio & Senécal 2008)
gbce              -log σ(y_+)^β - Σ_- log σ(-y_-), β = α (t (1 - 1/α) + 1/α), α = k/(I-1)
                  (Petrov & Macdonald, gSASRec, RecSys 2023, arXiv:2308.07192; without their
                  factor 1/(k+1), which brings the gradients down to Adam's ε); M negatives shared
bce               gbce with one negative drawn for each prediction and β = 1: SASRec's own loss
                  (Kang & McAuley 2018, arXiv:1808.09781)
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from recommender.errors import InvalidInputError

LOSSES = ("softmax", "sampled_softmax", "gbce", "bce")

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From queries (N, d), item vectors (I, d) and targets (N,) to a mean over the N."""


def make_loss(
    name: str,
    num_items: int,
    *,
    num_negatives: int = 256,
    calibration: float = 0.75,
    counts: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Loss:
    """Return one of `LOSSES`.

    Args:
        name: which.
        num_items: I.
        num_negatives: M, at most I.
        calibration: t of gbce: 0 is plain bce over k negatives, 1 is fully calibrated.
        counts: (I,) how often each item is a target: what sampled_softmax draws by, half of its
            negatives in proportion to them and half evenly; None draws all evenly.
        generator: draws the negatives.

    Raises:
        InvalidInputError: there is no loss of this name.
    """
    size = min(num_negatives, num_items)
    if name == "softmax":
        return lambda queries, items, targets: functional.cross_entropy(queries @ items.T, targets)
    if name == "sampled_softmax":
        return _SampledSoftmax(num_items, size, counts, generator)
    if name == "gbce":
        return _SharedBce(num_items, size, _beta(num_items, size, calibration), generator)
    if name == "bce":
        return _OneNegativeBce(num_items, generator)
    raise InvalidInputError(f"there is no loss {name!r}; there are {', '.join(LOSSES)}")


def average_logit(name: str, num_items: int, num_negatives: int, calibration: float) -> float:
    """Return the starting score of an item of average popularity.

    gbce has k negatives for each target, so that is log β/k: a start at 0 would spend the first
    epoch on pushing all items down, and the vectors with them. bce has as many negatives as
    targets, and a softmax does not care: 0.
    """
    size = min(num_negatives, num_items)
    return math.log(_beta(num_items, size, calibration) / size) if name == "gbce" else 0.0


def _beta(num_items: int, size: int, calibration: float) -> float:
    rate = size / max(num_items - 1, 1)
    return rate * (calibration * (1 - 1 / rate) + 1 / rate)


class _SampledSoftmax:
    def __init__(
        self,
        num_items: int,
        size: int,
        counts: Tensor | None,
        generator: torch.Generator | None,
    ) -> None:
        even = torch.full((num_items,), 1.0 / num_items, dtype=torch.float64)
        share = even if counts is None else 0.5 * even + 0.5 * counts.double() / counts.sum()
        self._cumulative = share.cumsum(0)
        self._cumulative[-1] = 1.0
        self._log_expected = (share * size).log().float()  # (I,)
        self._size, self._generator = size, generator

    def __call__(self, queries: Tensor, items: Tensor, targets: Tensor) -> Tensor:
        drawn = torch.rand(self._size, dtype=torch.float64, generator=self._generator)  # (M,)
        negatives = torch.searchsorted(self._cumulative, drawn)  # (M,)
        scores = queries @ items[negatives].T - self._log_expected[negatives]  # (N, M)
        scores = scores.masked_fill(negatives == targets[:, None], -torch.inf)  # (N, M)
        target_scores = (queries * items[targets]).sum(-1)  # (N,)
        totals = torch.logaddexp(scores.logsumexp(-1), target_scores)  # (N,)
        return (totals - target_scores).mean()  # ()


class _SharedBce:
    def __init__(
        self, num_items: int, size: int, beta: float, generator: torch.Generator | None
    ) -> None:
        self._num_items, self._size, self._beta = num_items, size, beta
        self._generator = generator

    def __call__(self, queries: Tensor, items: Tensor, targets: Tensor) -> Tensor:
        negatives = torch.randint(self._num_items, (self._size,), generator=self._generator)  # (M,)
        scores = queries @ items[negatives].T  # (N, M)
        is_target = negatives == targets[:, None]  # (N, M)
        negative_losses = functional.softplus(scores).masked_fill(is_target, 0.0)  # (N, M)
        target_scores = (queries * items[targets]).sum(-1)  # (N,)
        losses = self._beta * functional.softplus(-target_scores) + negative_losses.sum(-1)  # (N,)
        return losses.mean()  # ()


class _OneNegativeBce:
    def __init__(self, num_items: int, generator: torch.Generator | None) -> None:
        self._num_items, self._generator = num_items, generator

    def __call__(self, queries: Tensor, items: Tensor, targets: Tensor) -> Tensor:
        negatives = torch.randint(self._num_items, targets.shape, generator=self._generator)  # (N,)
        target_scores = (queries * items[targets]).sum(-1)  # (N,)
        negative_scores = (queries * items[negatives]).sum(-1)  # (N,)
        negative_losses = functional.softplus(negative_scores)  # (N,)
        negative_losses = negative_losses.masked_fill(negatives == targets, 0.0)  # (N,)
        return (functional.softplus(-target_scores) + negative_losses).mean()  # ()
