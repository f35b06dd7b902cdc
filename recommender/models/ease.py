"""EASE: an item-to-item linear model with a closed-form solution.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, arXiv:1905.03375.

    P = (XᵀX + λI)⁻¹        B[i, j] = -P[i, j] / P[j, j] for i ≠ j, and 0 on the diagonal

U profiles, I items, N items kept, B batch. X is (U, I), the weights B are (N, N).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from recommender.artifacts import UNSTATED, Manifest, Provenance, load_artifact, save_artifact
from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError, NotFittedError, TooLargeError
from recommender.models.gram import upper_gram
from recommender.vocabulary import Vocabulary

BYTES_PER_CELL = 12
"""At the peak: the (N, N) inverse in double precision and the weights in single."""


TILE = 512
"""Rows and columns mirrored at a time, so that both sides stay in cache."""


@dataclass(frozen=True)
class EaseConfig:
    regularization: float = 500.0
    """λ, added to each item's interaction count on the diagonal of XᵀX."""
    inverse_propensity: float = 0.0
    """β of EASE-IPW: a profile with n interactions weighs n^-β, scaled to a mean of 1."""
    max_items: int | None = None
    """N: keep the items with the most interactions; None keeps all."""
    max_bytes: int = 4 * 2**30
    """Refuse to fit where more memory would be needed."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.regularization) and self.regularization > 0):
            raise InvalidInputError(f"regularization must be positive, got {self.regularization}")
        if not (np.isfinite(self.inverse_propensity) and self.inverse_propensity >= 0):
            raise InvalidInputError(
                f"inverse_propensity must be 0 or more, got {self.inverse_propensity}"
            )
        if self.max_items is not None and self.max_items < 1:
            raise InvalidInputError(f"max_items must be 1 or more, got {self.max_items}")


class Ease:
    """Scores every item for a history of item interactions."""

    def __init__(self, config: EaseConfig = EaseConfig()) -> None:
        self.config = config
        self.items = Vocabulary([])
        self.kept = np.empty(0, dtype=np.int64)  # (N,) item numbers with weights, ascending
        self.weights = np.empty((0, 0), dtype=np.float32)  # B, (N, N)

    def fit(self, interactions: Interactions) -> "Ease":
        """Solve for B in O(N³) time.

        Raises:
            InvalidInputError: the matrix is empty, or holds a weight that is negative or no number.
            TooLargeError: the (N, N) arrays would need more than `max_bytes`.
        """
        matrix = interactions.learnable()
        kept = _most_supported(matrix, self.config.max_items)
        self._check_memory(len(kept))
        x = matrix[:, kept] if len(kept) < matrix.shape[1] else matrix
        gram = upper_gram(x, _propensity_weights(x, self.config.inverse_propensity))
        gram.flat[:: len(gram) + 1] += self.config.regularization
        self.weights = _off_diagonal_weights(gram)
        self.items, self.kept = interactions.items, kept
        return self

    def score(self, histories: sparse.csr_array) -> NDArray[np.float32]:
        """Score all items for a batch of histories.

        Returns:
            (B, I), comparable within a row only; items that were not kept score 0.

        Raises:
            NotFittedError: before `fit`.
        """
        if not len(self.kept):
            raise NotFittedError("Ease has no weights: call fit(), or load an artifact")
        if histories.shape[1] != len(self.items):
            raise InvalidInputError(
                f"each history needs {len(self.items)} columns, got {histories.shape[1]}"
            )
        if len(self.kept) == len(self.items):
            return np.asarray(histories @ self.weights, dtype=np.float32)
        scores = np.zeros(histories.shape, dtype=np.float32)
        scores[:, self.kept] = histories[:, self.kept] @ self.weights
        return scores

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact."""
        if not len(self.kept):
            raise NotFittedError("Ease has no weights: call fit() before save()")
        arrays: dict[str, NDArray[Any]] = {
            "item_ids": self.items.ids,
            "kept": self.kept,
            "weights": self.weights,
        }
        return save_artifact(folder, "ease", self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Ease":
        artifact = load_artifact(folder, "ease")
        model = cls(EaseConfig(**artifact.manifest.config))
        model.items = Vocabulary(artifact.arrays["item_ids"])
        model.kept = artifact.arrays["kept"]
        model.weights = artifact.arrays["weights"]
        return model

    def _check_memory(self, num_items: int) -> None:
        needed = BYTES_PER_CELL * num_items**2
        if needed > self.config.max_bytes:
            fitting = int((self.config.max_bytes / BYTES_PER_CELL) ** 0.5)
            raise TooLargeError(
                f"EASE over {num_items} items needs {needed} bytes and {self.config.max_bytes} "
                f"are allowed: raise max_bytes, or set max_items to at most {fitting}"
            )


def _most_supported(matrix: sparse.csr_array, number: int | None) -> NDArray[np.int64]:
    support = np.bincount(matrix.indices, minlength=matrix.shape[1])
    if number is None or number >= len(support):
        return np.arange(len(support))
    return np.sort(np.argsort(-support, kind="stable")[:number])


def _propensity_weights(x: sparse.csr_array, beta: float) -> NDArray[np.float64]:
    """Return n^-β for each profile's n interactions, scaled to a mean of 1; 0 where n = 0."""
    lengths = np.diff(x.indptr).astype(np.float64)
    some = lengths > 0
    weights = np.where(some, np.maximum(lengths, 1) ** -beta, 0.0)
    return np.asarray(weights / weights[some].mean())


def _off_diagonal_weights(gram: NDArray[np.float64]) -> NDArray[np.float32]:
    """Turn the upper triangle of XᵀX + λI, which is destroyed, into B."""
    # LAPACK wants columns first: for it, the rows' upper triangle is the lower one
    factor, info = lapack.dpotrf(gram.T, lower=1, clean=0, overwrite_a=1)
    if not info:
        inverse, info = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if info:
        raise InvalidInputError("XᵀX + λI is not positive definite: raise regularization")
    upper = inverse.T  # row i holds P[i, j] for j ≥ i
    weights = np.empty(upper.shape, dtype=np.float32)
    for i in range(0, len(upper), TILE):
        for j in range(i, len(upper), TILE):
            tile = upper[i : i + TILE, j : j + TILE]
            if i == j:
                tile = np.triu(tile) + np.triu(tile, 1).T
            weights[i : i + TILE, j : j + TILE] = tile
            weights[j : j + TILE, i : i + TILE] = tile.T
    weights /= -upper.diagonal().astype(np.float32)
    np.fill_diagonal(weights, 0.0)
    return weights
