"""Interactions: pairs of profile and title in, the sparse matrix of the long-term models out.

U profiles, I items, N interactions.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from recommender.arrays import Bool, Floating, Int64
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN, Vocabulary


@dataclass(frozen=True)
class Interactions:
    """Positive interactions, once per (profile, item).

    Attributes:
        profiles: row numbers of the matrix.
        items: column numbers of the matrix.
        matrix: (U, I) float32 csr with sorted indices, 1 where the profile liked the item.
        last_at: (U, I) csr of the same structure, when it last did, in seconds since 1970;
            None where the times are unknown.
    """

    profiles: Vocabulary
    items: Vocabulary
    matrix: sparse.csr_array
    last_at: sparse.csr_array | None = None

    @classmethod
    def from_pairs(
        cls,
        profile_ids: ArrayLike,
        item_ids: ArrayLike,
        at_seconds: ArrayLike | None = None,
    ) -> "Interactions":
        """Number the ids and drop repeats, keeping the latest time of each pair.

        Args:
            profile_ids: (N,) integers.
            item_ids: (N,) integers.
            at_seconds: (N,) seconds since 1970, or None.

        Raises:
            InvalidInputError: the lengths differ, or a time is not finite.
        """
        profile_ids = np.asarray(profile_ids, dtype=np.int64)
        item_ids = np.asarray(item_ids, dtype=np.int64)
        if len(profile_ids) != len(item_ids):
            raise InvalidInputError(
                f"as many profiles as items are needed, got {len(profile_ids)} and {len(item_ids)}"
            )
        profiles, items = Vocabulary(profile_ids), Vocabulary(item_ids)
        shape = (len(profiles), len(items))
        cells = profiles.items_of(profile_ids) * max(len(items), 1) + items.items_of(item_ids)
        cells, which = np.unique(cells, return_inverse=True)
        rows, columns = np.divmod(cells, max(len(items), 1))
        matrix = _csr(np.ones(len(cells), dtype=np.float32), rows, columns, shape)
        if at_seconds is None:
            return cls(profiles, items, matrix)
        times = np.asarray(at_seconds, dtype=np.float64)
        if len(times) != len(profile_ids):
            raise InvalidInputError(f"{len(profile_ids)} pairs came with {len(times)} times")
        if not np.isfinite(times).all():
            raise InvalidInputError("every time must be finite")
        latest = np.full(len(cells), -np.inf)
        np.maximum.at(latest, which, times)
        return cls(profiles, items, matrix, _csr(latest, rows, columns, shape))

    @classmethod
    def from_matrix(cls, matrix: sparse.csr_array) -> "Interactions":
        """Wrap a (U, I) matrix whose row and column numbers are the ids."""
        matrix = matrix.tocsr().astype(np.float32)
        matrix.sort_indices()
        profiles, items = (Vocabulary(np.arange(length)) for length in matrix.shape)
        return cls(profiles, items, matrix)

    def over(self, items: Vocabulary) -> "Interactions":
        """Return the same over another vocabulary; items that it does not have are left out."""
        numbers = items.items_of(self.items.ids)

        def renumbered(part: sparse.csr_array) -> sparse.csr_array:
            cells = sparse.coo_array(part)
            column = numbers[cells.col]
            kept = column != UNKNOWN
            shape = (part.shape[0], len(items))
            return _csr(cells.data[kept], cells.row[kept], column[kept], shape)

        last_at = None if self.last_at is None else renumbered(self.last_at)
        return Interactions(self.profiles, items, renumbered(self.matrix), last_at)

    def with_cells(self, mask: Bool) -> "Interactions":
        """Keep the marked cells; profiles and items stay, with less or nothing in them.

        Args:
            mask: (N,), in the matrix's order.
        """
        indptr = np.concatenate([[0], np.cumsum(mask)])[self.matrix.indptr]

        def kept(part: sparse.csr_array) -> sparse.csr_array:
            return sparse.csr_array((part.data[mask], part.indices[mask], indptr), part.shape)

        last_at = None if self.last_at is None else kept(self.last_at)
        return Interactions(self.profiles, self.items, kept(self.matrix), last_at)

    def learnable(self) -> sparse.csr_array:
        """Return the matrix, if there is anything to learn from it.

        Raises:
            InvalidInputError: it is empty, or holds a weight that is negative or no number.
        """
        matrix = checked_weights(self.matrix)
        if not matrix.nnz or not matrix.data.any():
            raise InvalidInputError(
                f"there is nothing to learn from: {matrix.shape[0]} profiles, "
                f"{matrix.shape[1]} items, no interaction"
            )
        return matrix

    def fingerprint(self) -> str:
        """Return a SHA-256 of who liked what, the same wherever the same ids are paired."""
        digest = hashlib.sha256()
        for part in (self.profiles.ids, self.items.ids, self.matrix.indptr, self.matrix.indices):
            digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        return digest.hexdigest()

    @property
    def num_profiles(self) -> int:
        return len(self.profiles)

    @property
    def num_items(self) -> int:
        return len(self.items)


def checked_weights(matrix: sparse.csr_array) -> sparse.csr_array:
    """Return the matrix as float32 csr.

    Raises:
        InvalidInputError: a weight is negative, infinite or no number.
    """
    matrix = matrix.tocsr().astype(np.float32)
    if matrix.nnz and not (np.isfinite(matrix.data).all() and matrix.data.min() >= 0):
        wrong = matrix.data[~(np.isfinite(matrix.data) & (matrix.data >= 0))][0]
        raise InvalidInputError(f"every weight must be 0 or more and finite, got {wrong}")
    return matrix


def _csr(
    data: Floating,
    rows: Int64,
    columns: Int64,
    shape: tuple[int, int],
) -> sparse.csr_array:
    """Build a csr array from cells already in row-major order."""
    indptr = np.zeros(shape[0] + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=shape[0]), out=indptr[1:])
    return sparse.csr_array((data, columns, indptr), shape=shape)
