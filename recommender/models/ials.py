"""iALS: implicit matrix factorisation; interactions in, vectors of profiles and titles out.

Rendle, Krichene, Zhang and Koren, "Revisiting the Performance of iALS on Item Recommendation
Benchmarks", RecSys 2022, arXiv:2110.14037, with the block solver of iALS++, arXiv:2110.14044.

    ŷ(u, i) = ⟨w_u, h_i⟩
    L   = L_S + L_I + R
    L_S = Σ_{(u,i) ∈ S} c_ui (ŷ(u, i) - 1)²            c = 1 in the paper
    L_I = α₀ Σ_u Σ_i ŷ(u, i)²                          all pairs, the observed ones too
    R   = λ (Σ_u #_u^ν ‖w_u‖² + Σ_i #_i^ν ‖h_i‖²)
    #_u = Σ_i c_ui + α₀ I        #_i = Σ_u c_ui + α₀ U

U profiles, I items, D embedding, B batch.
"""

import logging
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from recommender import checks
from recommender.arrays import AnyArray, Float32
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.data.interactions import Interactions, checked_weights
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.models.early_stopping import BestSoFar, EpochReport
from recommender.solvers.block_newton import improve_rows
from recommender.solvers.compiled import available_cores
from recommender.solvers.power_iteration import leading_subspace
from recommender.vocabulary import UNKNOWN, Vocabulary

logger = logging.getLogger(__name__)

Solver = Callable[[sparse.csr_array, Float32, Float32, Float32, Float32, int, int], float]
"""What `block_newton.improve_rows` is."""


@dataclass(frozen=True)
class IalsConfig:
    embedding_size: int = 64
    """D."""
    epochs: int = 16
    """Passes over profiles and items; one less may run where `patience` is set."""
    unobserved_weight: float = 0.1
    """α₀: the pull of every pair towards 0. Smaller for sparser data, at most 1 in the paper."""
    regularization: float = 0.003
    """λ*: λ on the scale it has at ν* = 1, so that one value serves every ν."""
    regularization_exponent: float = 1.0
    """ν: 0 treats all rows alike, 1 regularises a row in proportion to its data."""
    block_size: int | None = None
    """b of iALS++, 1 is coordinate descent; None solves each row exactly."""
    init_stdev: float = 0.1
    """σ*: entries start from N(0, σ*/√D)."""
    power_iterations: int = 0
    """Power iterations that turn the random start of the items towards the data; 0 in the paper."""
    patience: int | None = None
    """Epochs without a better validation value before stopping; None runs them all."""
    num_threads: int | None = None
    """None uses every core this process may run on. The result does not depend on it."""
    seed: int = 0

    def __post_init__(self) -> None:
        checks.whole(
            embedding_size=self.embedding_size,
            epochs=self.epochs,
            block_size=self.block_size,
            patience=self.patience,
            num_threads=self.num_threads,
        )
        checks.whole(0, power_iterations=self.power_iterations)
        checks.positive(
            unobserved_weight=self.unobserved_weight,
            regularization=self.regularization,
            init_stdev=self.init_stdev,
        )
        checks.not_negative(regularization_exponent=self.regularization_exponent)
        if self.block_size is not None and self.block_size > self.embedding_size:
            raise InvalidInputError(
                f"block_size must be at most embedding_size ({self.embedding_size}),"
                f" got {self.block_size}: None solves exactly"
            )


@dataclass(frozen=True, kw_only=True)
class IalsEpochReport(EpochReport):
    """An epoch's report with the three parts of its loss."""

    observed_loss: float
    """L_S."""
    unobserved_loss: float
    """L_I."""
    regularization: float
    """R."""


class Ials:
    """Learns a vector for each profile and each item; scores are their inner products."""

    def __init__(self, config: IalsConfig = IalsConfig()) -> None:
        self.config = config
        self.profiles = Vocabulary([])
        self.items = Vocabulary([])
        self.profile_factors = np.empty((0, config.embedding_size), dtype=np.float32)  # W, (U, D)
        self.item_factors = np.empty((0, config.embedding_size), dtype=np.float32)  # H, (I, D)
        self.scale = 0.0
        """λ, from λ* and the training data."""
        self._profile_gramian = np.empty((0, 0), dtype=np.float32)  # α₀ WᵀW, (D, D)
        self._item_gramian = np.empty((0, 0), dtype=np.float32)  # α₀ HᵀH, (D, D)
        self._num_trained = 0  # rows of H

    def fit(
        self,
        interactions: Interactions,
        on_epoch: Callable[[IalsEpochReport], None] | None = None,
        validation: Callable[["Ials"], float] | None = None,
        warm_start: "Ials | None" = None,
        solver: Solver = improve_rows,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> "Ials":
        """Learn both sides by alternating least squares.

        Args:
            interactions: who liked what; the matrix may hold other weights than 1.
            on_epoch: called with the report of every epoch.
            validation: returns a value after every epoch, higher is better.
                With `config.patience` it decides when to stop, and the best epoch is kept.
            warm_start: a fitted model whose vectors are taken for the profiles and items it knows.
            solver: improves one side; `block_newton_torch.TorchSolver` does so on a GPU.
            should_stop: called between two epochs; True ends the training, for example where its
                time is over.

        Raises:
            InvalidInputError: the matrix is empty, or holds a weight that is negative or no number.
        """
        observed = interactions.learnable()
        transposed = observed.T.tocsr()
        self.profiles, self.items = interactions.profiles, interactions.items
        began = time.perf_counter()
        self._start(observed, transposed, warm_start)
        seconds = time.perf_counter() - began
        penalties = self._penalties(observed)
        best = BestSoFar[tuple[Float32, Float32]](self.config.patience)
        for epoch in range(1, self.config.epochs + 1):
            began = time.perf_counter()
            observed_loss = self._alternate(solver, observed, transposed, *penalties)
            seconds += time.perf_counter() - began
            value = validation(self) if validation is not None else None
            report = self._report(epoch, observed_loss, penalties, seconds, value)
            logger.info("iALS %s", report)
            if on_epoch is not None:
                on_epoch(report)
            best.improved(value, lambda: (self.profile_factors.copy(), self.item_factors.copy()))
            if best.is_exhausted or (epoch < self.config.epochs and should_stop()):
                break
        if best.state is not None:
            self.set_factors(*best.state)
        return self

    def fold_in(self, histories: sparse.csr_array) -> Float32:
        """Return the exact vectors of profiles, seen in training or not.

        Args:
            histories: (B, I), the weights c of what each liked; an empty row gives zeros.

        Returns:
            (B, D).
        """
        self._require_fitted()
        if histories.shape[1] != len(self.item_factors):
            raise InvalidInputError(
                f"each row needs {len(self.item_factors)} columns as in training, "
                f"got {histories.shape[1]}"
            )
        histories = checked_weights(histories)
        alpha, nu = self.config.unobserved_weight, self.config.regularization_exponent
        vectors = np.zeros((histories.shape[0], self.config.embedding_size), dtype=np.float32)
        for row in range(len(vectors)):
            begin, end = histories.indptr[row], histories.indptr[row + 1]
            weights = histories.data[begin:end]
            support = float(weights.sum())
            if support == 0:
                continue
            liked = self.item_factors[histories.indices[begin:end]]  # (N, D)
            system = self._item_gramian + liked.T @ (liked * weights[:, None])
            penalty = self.scale * (support + alpha * self._num_trained) ** nu
            system.flat[:: len(system) + 1] += np.float32(penalty)
            _, vectors[row], info = lapack.sposv(system, weights @ liked, lower=True)
            if info or not np.isfinite(vectors[row, 0]):
                raise ArtifactError(
                    "the factors are no longer finite: the artifact is broken, train it again"
                )
        return vectors

    def place_profiles(self, interactions: Interactions) -> None:
        """Fold in every profile of the interactions, so that `profile_factors` has them all.

        Args:
            interactions: over the training items; its profiles become the model's.
        """
        self.set_factors(self.fold_in(interactions.matrix), self.item_factors)
        self.profiles = interactions.profiles

    def set_factors(self, profile_factors: Float32, item_factors: Float32) -> None:
        """Take these vectors for W (U, D) and H (I, D), and get ready to fold in."""
        alpha = np.float32(self.config.unobserved_weight)
        self.profile_factors, self.item_factors = profile_factors, item_factors
        self._profile_gramian = alpha * (profile_factors.T @ profile_factors)
        self._item_gramian = alpha * (item_factors.T @ item_factors)
        self._num_trained = len(item_factors)

    def with_items(self, items: Vocabulary, item_factors: Float32) -> "Ials":
        """Return the same model that folds in what is liked of other items, learning nothing.

        What is not liked counts as in training, so a history of trained items gives what it gave.

        Args:
            items: M' of any kind.
            item_factors: (M', D) their vectors.
        """
        model = copy(self)
        model.items, model.item_factors = items, item_factors
        return model

    def score(self, histories: sparse.csr_array) -> Float32:
        """Score all items for a batch of histories: (B, I), higher is better."""
        return np.asarray(self.fold_in(histories) @ self.item_factors.T)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact."""
        self._require_fitted()
        arrays: dict[str, AnyArray] = {
            "profile_ids": self.profiles.ids,
            "item_ids": self.items.ids,
            "profile_factors": self.profile_factors,
            "item_factors": self.item_factors,
            "scale": np.array([self.scale]),
        }
        return save_artifact(folder, "ials", self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Ials":
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or of another kind or version.
        """
        with loading(folder):
            artifact = load_artifact(folder, "ials")
            model = cls(read_config(IalsConfig, artifact.manifest.config, {}))
            model.profiles = Vocabulary(artifact.ids("profile_ids"))
            model.items = Vocabulary(artifact.ids("item_ids"))
            model.scale = float(artifact.array("scale", "f", 1)[0])
            size = model.config.embedding_size
            model.set_factors(
                artifact.array("profile_factors", "f", len(model.profiles), size),
                artifact.array("item_factors", "f", len(model.items), size),
            )
            return model

    def _start(
        self,
        observed: sparse.csr_array,
        transposed: sparse.csr_array,
        warm_start: "Ials | None",
    ) -> None:
        size, shape = self.config.embedding_size, observed.shape
        rng = np.random.default_rng(self.config.seed)
        stdev = np.float32(self.config.init_stdev / np.sqrt(size))
        profile_factors = rng.standard_normal((shape[0], size), dtype=np.float32) * stdev
        item_factors = rng.standard_normal((shape[1], size), dtype=np.float32) * stdev
        if self.config.power_iterations:
            item_factors = leading_subspace(
                observed,
                transposed,
                item_factors,
                self.config.power_iterations,
                self.config.num_threads or available_cores(),
            )
        if warm_start is not None:
            warm_start._require_fitted()
            if warm_start.config.embedding_size != size:
                raise InvalidInputError(
                    f"a warm start needs the same embedding_size, got "
                    f"{warm_start.config.embedding_size} for {size}"
                )
            _carry_over(
                warm_start.profiles, warm_start.profile_factors, self.profiles, profile_factors
            )
            _carry_over(warm_start.items, warm_start.item_factors, self.items, item_factors)
        self.profile_factors, self.item_factors = profile_factors, item_factors

    def _penalties(self, observed: sparse.csr_array) -> tuple[Float32, Float32]:
        """Set λ and return λ #_u^ν (U,) and λ #_i^ν (I,)."""
        alpha, nu = self.config.unobserved_weight, self.config.regularization_exponent
        profile_support = observed.sum(axis=1).astype(np.float64) + alpha * observed.shape[1]
        item_support = observed.sum(axis=0).astype(np.float64) + alpha * observed.shape[0]
        at_reference = profile_support.sum() + item_support.sum()  # ν* = 1
        at_nu = (profile_support**nu).sum() + (item_support**nu).sum()
        self.scale = float(self.config.regularization * at_reference / at_nu)
        return (
            (self.scale * profile_support**nu).astype(np.float32),
            (self.scale * item_support**nu).astype(np.float32),
        )

    def _alternate(
        self,
        solver: Solver,
        observed: sparse.csr_array,
        transposed: sparse.csr_array,
        profile_penalty: Float32,
        item_penalty: Float32,
    ) -> float:
        """Improve all profiles, then all items; return L_S after it."""
        profile_factors, item_factors = self.profile_factors, self.item_factors
        block_size = self.config.block_size or self.config.embedding_size
        num_threads = self.config.num_threads or available_cores()
        alpha = np.float32(self.config.unobserved_weight)
        solver(
            observed, item_factors, alpha * (item_factors.T @ item_factors),
            profile_penalty, profile_factors, block_size, num_threads,
        )  # fmt: skip
        observed_loss = solver(
            transposed, profile_factors, alpha * (profile_factors.T @ profile_factors),
            item_penalty, item_factors, block_size, num_threads,
        )  # fmt: skip
        self.set_factors(profile_factors, item_factors)
        return observed_loss

    def _report(
        self,
        epoch: int,
        observed_loss: float,
        penalties: tuple[Float32, Float32],
        seconds: float,
        validation: float | None,
    ) -> IalsEpochReport:
        w, h = self.profile_factors, self.item_factors
        unobserved = np.sum(self._profile_gramian * (h.T @ h), dtype=np.float64)
        regularization = penalties[0].astype(np.float64) @ _squared_norms(w)
        regularization += penalties[1].astype(np.float64) @ _squared_norms(h)
        return IalsEpochReport(
            epoch=epoch,
            loss=observed_loss + float(unobserved) + float(regularization),
            observed_loss=observed_loss,
            unobserved_loss=float(unobserved),
            regularization=float(regularization),
            seconds=seconds,
            validation=validation,
        )

    def _require_fitted(self) -> None:
        if not len(self._item_gramian):
            raise NotFittedError("Ials has no factors: call fit(), or load an artifact")


def _carry_over(old: Vocabulary, old_rows: Float32, new: Vocabulary, rows: Float32) -> None:
    """Copy the rows of the ids that both know."""
    old_items = old.items_of(new.ids)
    is_known = old_items != UNKNOWN
    rows[is_known] = old_rows[old_items[is_known]]


def _squared_norms(rows: Float32) -> Float32:
    return np.asarray(np.einsum("rd,rd->r", rows, rows))
