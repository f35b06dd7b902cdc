"""Block Newton solver of iALS in torch, for GPUs: the steps of `block_newton`, rows in batches.

R rows in a batch, N observed cells of the longest, D embedding, b block.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse

from recommender.arrays import Float32, Int64

BATCH_FLOATS = 2**26
"""How many numbers a batch may hold on the device at a time."""


@dataclass(frozen=True)
class TorchSolver:
    """Stands in for `block_newton.improve_rows`: see there for what it does and takes."""

    device: torch.device

    def __call__(
        self,
        observed: sparse.csr_array,
        fixed: Float32,
        scaled_gramian: Float32,
        regularization: Float32,
        rows: Float32,
        block_size: int,
        num_threads: int,
    ) -> float:
        h = torch.from_numpy(fixed).to(self.device)
        gramian = torch.from_numpy(np.ascontiguousarray(scaled_gramian)).to(self.device)
        rows[np.diff(observed.indptr) == 0] = 0
        observed_loss = 0.0
        for batch in _batches(observed, fixed.shape[1], block_size):
            items, roots = (torch.from_numpy(a).to(self.device) for a in _padded(observed, batch))
            near = h[items] * roots[:, :, None]  # √c h, (R, N, D)
            w = torch.from_numpy(rows[batch]).to(self.device)
            ridge = torch.from_numpy(regularization[batch]).to(self.device)
            observed_loss += _improve(near, roots, gramian, ridge, w, block_size)
            rows[batch] = w.cpu().numpy()
        return observed_loss


def _improve(
    near: torch.Tensor,
    roots: torch.Tensor,
    gramian: torch.Tensor,
    ridge: torch.Tensor,
    w: torch.Tensor,
    block_size: int,
) -> float:
    """Take one Newton step per block, changing w (R, D); return Σ c (ŷ - 1)² after them."""
    errors = torch.einsum("rnd,rd->rn", near, w) - roots  # √c (ŷ - 1)
    for first in range(0, w.shape[1], block_size):
        part = slice(first, first + block_size)
        x = near[:, :, part]  # (R, N, b)
        system = x.mT @ x + gramian[part, part]
        system.diagonal(dim1=1, dim2=2).add_(ridge[:, None])
        gradient = torch.einsum("rnb,rn->rb", x, errors)
        gradient += w @ gramian[:, part] + ridge[:, None] * w[:, part]
        factor = torch.linalg.cholesky(system)
        step = torch.cholesky_solve(gradient[:, :, None], factor)[:, :, 0]
        w[:, part] -= step
        errors -= torch.einsum("rnb,rb->rn", x, step)
    return float(errors.square().sum())


def _batches(observed: sparse.csr_array, embedding_size: int, block_size: int) -> Iterator[Int64]:
    """Yield row numbers, rows of about the same length together."""
    lengths = np.diff(observed.indptr)
    order = np.argsort(-lengths, kind="stable")
    order = order[: np.count_nonzero(lengths)]
    first = 0
    while first < len(order):
        floats_a_row = int(lengths[order[first]]) * embedding_size * 2 + 2 * block_size**2
        size = max(1, BATCH_FLOATS // floats_a_row)
        yield order[first : first + size]
        first += size


def _padded(observed: sparse.csr_array, rows: Int64) -> tuple[Int64, Float32]:
    """Return the items and √c of some rows, both (R, N); c is 0 past a row's end."""
    starts, lengths = observed.indptr[rows], np.diff(observed.indptr)[rows]
    places = starts[:, None] + np.arange(lengths.max())
    there = np.arange(lengths.max()) < lengths[:, None]
    places = np.where(there, places, 0)
    items = np.where(there, observed.indices[places], 0).astype(np.int64)
    roots = np.sqrt(np.where(there, observed.data[places], 0)).astype(np.float32)
    return items, roots
