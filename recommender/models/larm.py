"""LARM: EASE trained against an adversary that raises the weight of profiles served badly.

Shivaswamy & Garcia-Garcia, RecSys 2022 (ARM, R-LARM), after the adversarially reweighted learning
of Lahoti et al., NeurIPS 2020.

    learner     min_B  Σ_u w_u ‖x_u - x_u B‖² + C/2 ‖B‖²          diag B = 0
    adversary   max_f  Σ_u w_u ℓ_u - D/2 ‖f's parameters‖²
                w_u = σ(f(x_u)) / Σ_v σ(f(x_v))
                f(x) = x a                    or, with k hidden units, tanh(x A) a₂
                ℓ_u = ‖x_u - x_u B‖²          "direct": ARM, plain ARL on EASE
                ℓ_u = N (1 - NDCG@100(x_u B)) "rank": R-LARM, where x_u itself is relevant

The adversary takes ℓ as a constant, so the ranking loss needs no gradient. Squared errors are
large for long histories, so ARM raises the heavy users; 1 - NDCG is comparable between users.

Two ways to the learner's minimum. `closed_form` solves it exactly for the weights of all profiles,
then the adversary moves, in turn. `gradient` is the paper's own: both players take Adam steps on
batches. The settings name λ in EASE's terms, C = 2 λ / U, so that equal settings mean equal models:
the gradient of C/2 ‖B‖² at C = λ/U would regularise half as much as the closed form does.

U profiles, I items, N items kept, b batch.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from recommender import checks
from recommender.arrays import Float32, Float64
from recommender.data.interactions import Interactions
from recommender.models.early_stopping import BestSoFar, EpochReport
from recommender.models.ease import BYTES_PER_CELL, solve
from recommender.models.item_to_item import ItemToItem, check_memory, most_supported

logger = logging.getLogger(__name__)

ADVERSARIES = ("none", "direct", "rank")
SOLVERS = ("closed_form", "gradient")
RANKED = 100
"""How deep the adversary looks: NDCG@100."""
GRADIENT_BYTES_PER_CELL = 24
"""At the peak: B, its gradient, Adam's two moments, the best B so far and one temporary."""


@dataclass(frozen=True)
class LarmConfig:
    adversary: str = "rank"
    """What the adversary is paid: `none` leaves all weights equal, which is EASE."""
    hidden_units: int | None = None
    """k; None is the linear adversary."""
    regularization: float = 500.0
    """λ, as EASE has it; the paper's C is 2 λ / U."""
    adversary_penalty: float = 0.5
    """D / N. The paper has D of 500 to 8,000 for 18,000 to 41,000 items: .01 to .45."""
    solver: str = "closed_form"
    rounds: int = 12
    """Turns of both players: solutions in closed form, or epochs."""
    patience: int | None = 5
    """Rounds without a better validation value before stopping; None runs them all."""
    adversary_steps: int = 20
    """The adversary's steps a round, closed form only."""
    adversary_rate: float = 0.005
    """Adam's rate for them."""
    learning_rate: float = 1e-3
    """Adam's, of both players, gradient only; it falls linearly to 0 over all epochs."""
    batch_profiles: int = 1024
    """b, gradient only."""
    max_items: int | None = None
    """N: keep the items with the most interactions; None keeps all."""
    max_bytes: int = 4 * 2**30
    """Refuse to fit where more memory would be needed."""
    seed: int = 0

    def __post_init__(self) -> None:
        checks.one_of(ADVERSARIES, adversary=self.adversary)
        checks.one_of(SOLVERS, solver=self.solver)
        checks.whole(
            hidden_units=self.hidden_units,
            rounds=self.rounds,
            patience=self.patience,
            adversary_steps=self.adversary_steps,
            batch_profiles=self.batch_profiles,
            max_items=self.max_items,
        )
        checks.positive(
            regularization=self.regularization,
            adversary_penalty=self.adversary_penalty,
            adversary_rate=self.adversary_rate,
            learning_rate=self.learning_rate,
        )


@dataclass(frozen=True, kw_only=True)
class LarmEpochReport(EpochReport):
    """A round's report; its loss is the mean of ‖x_u - x_u B‖² by the weights learned with."""

    training_ndcg: float | None
    """Mean of the NDCG that determines the adversary's loss; None unless that is by rank."""
    effective_share: float
    """(Σ w)² / (U Σ w²) of the weights learned with: 1 where all are equal."""


class Larm(ItemToItem):
    """ARM, R-LARM and, with the adversary off, EASE."""

    kind = "larm"
    config_class = LarmConfig
    config: LarmConfig

    def __init__(self, config: LarmConfig = LarmConfig()) -> None:
        super().__init__(config)
        self.profile_weights = np.empty(0)
        """(U,) what each profile weighed in the weights that were kept, 1 on average; 0 for a
        profile without interactions. It is not part of the artifact."""

    def fit(
        self,
        interactions: Interactions,
        on_epoch: Callable[[LarmEpochReport], None] | None = None,
        validation: Callable[["Larm"], float] | None = None,
    ) -> "Larm":
        """Run all rounds or, with `config.patience`, until validation no longer improves.

        Args:
            interactions: the training data.
            on_epoch: called with the report of every round.
            validation: returns a value after every round, higher is better; the best is kept.

        Raises:
            InvalidInputError: the matrix is empty, or holds a weight that is negative or no number.
            TooLargeError: the (N, N) arrays would need more than `max_bytes`.
        """
        config = self.config
        matrix = interactions.learnable()
        kept = most_supported(matrix, config.max_items)
        per_cell = BYTES_PER_CELL + 4 if config.solver == "closed_form" else GRADIENT_BYTES_PER_CELL
        check_memory("LARM", len(kept), per_cell, config.max_bytes)
        x = matrix[:, kept] if len(kept) < matrix.shape[1] else matrix
        rows = np.flatnonzero(np.diff(x.indptr))
        self.items, self.kept = interactions.items, kept
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            game = (_ClosedForm if config.solver == "closed_form" else _Gradient)(x[rows], config)
            weights = self._play(game, on_epoch, validation)
        self.profile_weights = np.zeros(x.shape[0])
        self.profile_weights[rows] = weights
        return self

    def _play(
        self,
        game: "_ClosedForm | _Gradient",
        on_epoch: Callable[[LarmEpochReport], None] | None,
        validation: Callable[["Larm"], float] | None,
    ) -> Float64:
        """Return the profile weights of the best round."""
        config = self.config
        best = BestSoFar[tuple[Float32, Float64]](config.patience)
        seconds = 0.0
        weights = np.ones(game.num_profiles)
        for turn in range(1, config.rounds + 1):
            began = time.perf_counter()
            learned, weights, loss, ndcg = game.round(turn)
            self.weights = learned
            seconds += time.perf_counter() - began
            report = LarmEpochReport(
                epoch=turn,
                loss=loss,
                training_ndcg=ndcg,
                effective_share=float(weights.sum() ** 2 / (len(weights) * (weights**2).sum())),
                seconds=seconds,
                validation=validation(self) if validation is not None else None,
            )
            logger.info("LARM %s", report)
            if on_epoch is not None:
                on_epoch(report)
            best.improved(report.validation, partial(_copied, learned, weights))
            if best.is_exhausted or (config.adversary == "none" and config.solver == "closed_form"):
                break
        if best.state is None:
            return weights
        self.weights, weights = best.state
        return weights


class _ClosedForm:
    """The learner is solved for the weights of all profiles; then the adversary moves.

    The weights go half the way to what the adversary asks for: two exact answers to each other
    would swing.
    """

    def __init__(self, x: sparse.csr_array, config: LarmConfig) -> None:
        self._x, self._config = x, config
        self.num_profiles = x.shape[0]
        self._rows = _Rows.of(x)
        self._adversary = _Adversary(x.shape[1], config)
        self._optimizer = torch.optim.Adam(
            self._adversary.parameters(), lr=config.adversary_rate, maximize=True
        )
        self._losses: Tensor | None = None
        self._weights = np.ones(self.num_profiles)

    def round(self, turn: int) -> tuple[Float32, Float64, float, float | None]:
        if self._losses is not None and self._config.adversary != "none":
            for _ in range(self._config.adversary_steps):
                self._optimizer.zero_grad()
                objective = self._adversary.objective(self._rows, self._losses)
                torch.autograd.backward(objective)
                self._optimizer.step()
            with torch.no_grad():
                shares = self._adversary.shares(self._rows).double().numpy()
            self._weights = (self._weights + shares * self.num_profiles) / 2
        weights = self._weights
        learned = solve(self._x, weights, self._config.regularization)
        squared, ndcgs = self._judge(torch.from_numpy(learned))
        self._losses = _paid(self._config.adversary, squared, ndcgs, self._x.shape[1])
        loss = float(torch.from_numpy(weights) @ squared.double()) / self.num_profiles
        return learned, weights, loss, None if ndcgs is None else float(ndcgs.mean())

    def _judge(self, learned: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return (U,) squared errors and, where it pays the adversary, NDCG."""
        wants_rank = self._config.adversary == "rank"
        squared, ndcgs = [], []
        for begin in range(0, self.num_profiles, self._config.batch_profiles):
            batch = _Rows.of(self._x[begin : begin + self._config.batch_profiles])
            scores = batch @ learned
            if wants_rank:
                ndcgs.append(batch.ndcg(scores))
            squared.append(batch.minus_history(scores).square().sum(1))
        return torch.cat(squared), torch.cat(ndcgs) if wants_rank else None


class _Gradient:
    """Both players take Adam steps on batches of neighbours in an order drawn once."""

    def __init__(self, x: sparse.csr_array, config: LarmConfig) -> None:
        self._config = config
        self._rng = np.random.default_rng(config.seed)
        order = self._rng.permutation(x.shape[0])
        self._x, self._order = x[order], order
        self.num_profiles, num_items = x.shape
        self._size = min(config.batch_profiles, self.num_profiles)
        self._batches = max(1, self.num_profiles // self._size)
        deviation = math.sqrt(1.0 / num_items)  # Glorot's, for N inputs and N outputs
        self._weights = (torch.randn(num_items, num_items) * deviation).fill_diagonal_(0.0)
        self._weights.grad = torch.zeros_like(self._weights)
        self._adversary = _Adversary(num_items, config)
        self._learner = torch.optim.Adam([self._weights], lr=config.learning_rate, fused=True)
        self._opponent = torch.optim.Adam(
            self._adversary.parameters(), lr=config.learning_rate, maximize=True
        )
        steps = config.rounds * self._batches
        self._learners_rate, self._opponents_rate = (
            torch.optim.lr_scheduler.LinearLR(player, 1.0, 0.0, steps)
            for player in (self._learner, self._opponent)
        )

    def round(self, turn: int) -> tuple[Float32, Float64, float, float | None]:
        """One epoch; the adversary moves from the second on."""
        config = self._config
        plays = config.adversary != "none"
        penalty = 2 * config.regularization / self.num_profiles  # C
        losses, ranks = [], []
        for _ in range(self._batches):
            begin = int(self._rng.integers(0, self.num_profiles - self._size + 1))
            batch = _Rows.of(self._x[begin : begin + self._size])
            with torch.no_grad():
                shares = torch.full((self._size,), 1.0 / self._size)
                if plays:
                    shares = self._adversary.shares(batch)
                scores = batch @ self._weights  # (b, N)
                ndcgs = batch.ndcg(scores) if config.adversary == "rank" else None
                error = batch.minus_history(scores)
                squared = error.square().sum(1)
                self._step(batch, error.mul_(shares[:, None]), penalty)
            losses.append(float(shares @ squared))
            if ndcgs is not None:
                ranks.append(float(ndcgs.mean()))
            if plays and turn > 1:
                paid = _paid(config.adversary, squared, ndcgs, self._x.shape[1])
                assert paid is not None  # noqa: S101 - an adversary that plays is paid
                self._opponent.zero_grad()
                torch.autograd.backward(self._adversary.objective(batch, paid))
                self._opponent.step()
                self._opponents_rate.step()
        weights = np.ones(self.num_profiles)
        if plays:
            with torch.no_grad():
                weights[self._order] = self._adversary.shares(_Rows.of(self._x)).numpy()
            weights *= self.num_profiles
        mean_ndcg = float(np.mean(ranks)) if ranks else None
        return self._weights.numpy(), weights, float(np.mean(losses)), mean_ndcg

    def _step(self, batch: "_Rows", weighted_error: Tensor, penalty: float) -> None:
        """Move B by the gradient 2 Xᵀ diag(w) (X B - X) + C B."""
        gradient = self._weights.grad
        assert gradient is not None  # noqa: S101 - set when B was made
        torch.mul(self._weights, penalty, out=gradient)
        gradient.add_(batch.transposed() @ weighted_error, alpha=2.0)
        gradient.fill_diagonal_(0.0)
        self._learner.step()
        self._learners_rate.step()


@dataclass(frozen=True)
class _Rows:
    """Sparse rows (b, N) whose product with a dense matrix is fast and can be derived."""

    matrix: sparse.csr_array
    indices: Tensor
    bounds: Tensor
    values: Tensor

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> "_Rows":
        return cls(
            matrix,
            torch.from_numpy(matrix.indices.astype(np.int64)),
            torch.from_numpy(matrix.indptr.astype(np.int64)),
            torch.from_numpy(matrix.data),
        )

    def __matmul__(self, dense: Tensor) -> Tensor:
        return functional.embedding_bag(
            self.indices, dense, self.bounds, mode="sum", per_sample_weights=self.values,
            include_last_offset=True,
        )  # fmt: skip

    def transposed(self) -> "_Rows":
        return _Rows.of(sparse.csr_array(self.matrix.T))

    @property
    def row_of(self) -> Tensor:
        """The row of each stored cell."""
        return torch.repeat_interleave(torch.arange(len(self.bounds) - 1), self.bounds.diff())

    def minus_history(self, scores: Tensor) -> Tensor:
        """Replace X B by X B - X, (b, N), and return it."""
        scores[self.row_of, self.indices] -= self.values
        return scores

    def ndcg(self, scores: Tensor) -> Tensor:
        """Return (b,) NDCG@100 of each row's own items by the scores (b, N)."""
        depth = min(RANKED, scores.shape[1])
        is_own = torch.zeros_like(scores, dtype=torch.bool)
        is_own[self.row_of, self.indices] = True
        hits = is_own.gather(1, scores.topk(depth).indices)
        discounts = 1.0 / torch.arange(2, depth + 2).log2()
        ideal = discounts.cumsum(0)[self.bounds.diff().clamp(1, depth) - 1]
        return (hits * discounts).sum(1) / ideal


class _Adversary(nn.Module):
    """f: from a history to how much it should weigh."""

    def __init__(self, num_items: int, config: LarmConfig) -> None:
        super().__init__()
        width = config.hidden_units or 1
        self.inner = nn.Parameter(torch.empty(num_items, width))
        nn.init.xavier_normal_(self.inner)
        self.outer: nn.Parameter | None = None
        if config.hidden_units is not None:
            self.outer = nn.Parameter(torch.empty(width, 1))
            nn.init.xavier_normal_(self.outer)
        self._penalty = config.adversary_penalty * num_items

    def shares(self, rows: _Rows) -> Tensor:
        """Return w, (b,), which sums to 1."""
        logits = rows @ self.inner  # (b, k or 1)
        if self.outer is not None:
            logits = logits.tanh() @ self.outer
        strength = logits[:, 0].sigmoid()
        return strength / strength.sum()

    def objective(self, rows: _Rows, losses: Tensor) -> Tensor:
        """What the adversary maximises; the losses are constants to it."""
        size = sum(p.square().sum() for p in self.parameters())
        return self.shares(rows) @ losses - self._penalty / 2 * size


def _copied(learned: Float32, weights: Float64) -> tuple[Float32, Float64]:
    """Return the state of a round; the gradient solver changes its weights in place."""
    return learned.copy(), weights


def _paid(adversary: str, squared: Tensor, ndcgs: Tensor | None, num_items: int) -> Tensor | None:
    """Return ℓ, (b,)."""
    if adversary == "rank" and ndcgs is not None:
        return num_items * (1.0 - ndcgs)
    return squared if adversary == "direct" else None
