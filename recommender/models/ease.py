"""EASE: an item-to-item linear model with a closed-form solution.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, arXiv:1905.03375.

    P = (XᵀX + λI)⁻¹        B[i, j] = -P[i, j] / P[j, j] for i ≠ j, and 0 on the diagonal

U profiles, I items, N items kept, B batch. X is (U, I), the weights B are (N, N).
"""

import logging
import time
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from recommender import checks
from recommender.arrays import Float32, Float64, Floating
from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError
from recommender.models.item_to_item import ItemToItem, check_memory, most_supported
from recommender.solvers.gram import upper_gram

logger = logging.getLogger(__name__)

BYTES_PER_CELL = 4
"""The (N, N) Gram matrix in single precision, which becomes its inverse and then the weights."""


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
    max_bytes: int = 5 * 10**9
    """Refuse to fit where more memory would be needed."""

    def __post_init__(self) -> None:
        checks.positive(regularization=self.regularization)
        checks.not_negative(inverse_propensity=self.inverse_propensity)
        checks.whole(max_items=self.max_items)


class Ease(ItemToItem):
    """EASE, and EASE-IPW."""

    kind = "ease"
    config_class = EaseConfig
    config: EaseConfig

    def __init__(self, config: EaseConfig = EaseConfig()) -> None:
        super().__init__(config)

    def fit(self, interactions: Interactions) -> "Ease":
        """Solve for B in O(N³) time.

        Raises:
            InvalidInputError: the matrix is empty, or holds a weight that is negative or no number.
            TooLargeError: the (N, N) arrays would need more than `max_bytes`.
        """
        began = time.perf_counter()
        matrix = interactions.learnable()
        kept = most_supported(matrix, self.config.max_items)
        check_memory("EASE", len(kept), BYTES_PER_CELL, self.config.max_bytes)
        x = matrix[:, kept] if len(kept) < matrix.shape[1] else matrix
        profile_weights = _propensity_weights(x, self.config.inverse_propensity)
        self.weights = solve(x, profile_weights, self.config.regularization)
        self.items, self.kept = interactions.items, kept
        logger.info("EASE of %d items: %.1f s", len(kept), time.perf_counter() - began)
        return self


def solve(x: sparse.csr_array, profile_weights: Float64, regularization: float) -> Float32:
    """Return B, (N, N), the minimum of Σ_u w_u ‖x_u - x_u B‖² + λ ‖B‖² with a zero diagonal.

    It is solved in single precision in place: 4 N² bytes.

    Args:
        x: (U, N) with sorted indices.
        profile_weights: w, (U,).
        regularization: λ.

    Raises:
        InvalidInputError: Xᵀ diag(w) X + λI is not positive definite.
    """
    gram = upper_gram(x, profile_weights, dtype=np.float32)
    gram.flat[:: len(gram) + 1] += regularization
    return _off_diagonal_weights(gram)


def _propensity_weights(x: sparse.csr_array, beta: float) -> Float64:
    """Return n^-β for each profile's n interactions, scaled to a mean of 1; 0 where n = 0."""
    lengths = np.diff(x.indptr).astype(np.float64)
    some = lengths > 0
    weights = np.where(some, np.maximum(lengths, 1) ** -beta, 0.0)
    return np.asarray(weights / weights[some].mean())


def _off_diagonal_weights(gram: Floating) -> Float32:
    """Turn the upper triangle of XᵀX + λI into B, in the same memory."""
    # LAPACK wants columns first: for it, the rows' upper triangle is the lower one
    factor, info = lapack.spotrf(gram.T, lower=1, clean=0, overwrite_a=1)
    if not info:
        inverse, info = lapack.spotri(factor, lower=1, overwrite_c=1)
    if info:
        raise InvalidInputError("XᵀX + λI is not positive definite: raise regularization")
    weights: Float32 = inverse.T  # row i holds P[i, j] for j ≥ i
    for i in range(0, len(weights), TILE):
        for j in range(i, len(weights), TILE):
            tile = weights[i : i + TILE, j : j + TILE]
            if i == j:
                tile[:] = np.triu(tile) + np.triu(tile, 1).T
            else:
                weights[j : j + TILE, i : i + TILE] = tile.T
    weights /= -weights.diagonal().copy()
    np.fill_diagonal(weights, 0.0)
    return weights
