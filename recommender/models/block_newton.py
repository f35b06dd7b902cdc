"""The inner loop of iALS: every row of one side improved against the other side, held fixed.

Rendle, Krichene, Zhang and Koren, "iALS++: Speeding up Matrix Factorization with Subspace
Optimization", arXiv:2110.14044. For a row w with observed set S, weights c, and a block π of b
of the D dimensions, one Newton step on the row's loss

    Σ_{k ∈ S} c_k (⟨w, h_k⟩ - 1)² + wᵀ(α₀ HᵀH) w + λ ‖w‖²

is  w_π ← w_π - A⁻¹ g  with

    g = Σ_k c_k (ŷ_k - 1) h_{k,π} + (α₀ HᵀH)_π w + λ w_π
    A = Σ_k c_k h_{k,π} h_{k,π}ᵀ + (α₀ HᵀH)_{π,π} + λ I

b = D is the exact least-squares solution, b = 1 is coordinate descent. All blocks of a row are
visited before the next row, so the row's predictions ŷ and the vectors it needs stay in cache.

R rows being improved, N observed cells, D embedding.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]

CHUNK = 128
"""Observed vectors held close at a time: CHUNK × block × 4 bytes should fit a first-level cache."""

STRIPES_PER_THREAD = 16
"""Stripes of rows handed to each thread; many, because rows differ much in length."""


def improve_rows(
    observed: sparse.csr_array,
    fixed: Floats,
    scaled_gramian: Floats,
    regularization: Floats,
    rows: Floats,
    block_size: int,
    num_threads: int,
) -> float:
    """Take one Newton step per block in every row, in place.

    A row without observations becomes zero, which is its exact minimum.

    Args:
        observed: (R, M) csr with the weights c ≥ 0.
        fixed: H, (M, D).
        scaled_gramian: α₀ HᵀH, (D, D).
        regularization: λ of each row, (R,).
        rows: W, (R, D), changed.
        block_size: b, from 1 to D.
        num_threads: rows are independent, so their number changes nothing but the time.

    Returns:
        Σ c (ŷ - 1)² over the observed cells, after the steps.
    """
    stripes = _stripes(observed.indptr, rows.shape[1], num_threads * STRIPES_PER_THREAD)
    indices = observed.indices.astype(np.int32, copy=False)

    def improve(stripe: tuple[int, int]) -> float:
        return float(
            _improve_stripe(
                observed.indptr, indices, observed.data, fixed, scaled_gramian,
                regularization, rows, block_size, *stripe,
            )
        )  # fmt: skip

    if num_threads == 1:
        return sum(map(improve, stripes))
    with ThreadPoolExecutor(num_threads) as pool:
        return sum(pool.map(improve, stripes))


def _stripes(indptr: NDArray[Any], embedding_size: int, number: int) -> list[tuple[int, int]]:
    """Cut the rows into at most `number` runs of about equal work."""
    num_rows = len(indptr) - 1
    work = indptr - indptr[0] + np.arange(num_rows + 1) * embedding_size
    wanted = np.linspace(0, work[-1], number + 1)
    bounds = np.unique(np.searchsorted(work, wanted))
    return [(int(a), int(b)) for a, b in pairwise(bounds)]


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first call, keeping the machine code on disk where there is a place for it."""
    options = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz"}, "boundscheck": False}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba finds no folder it may write to
        return numba.njit(**options)(function)


@_compiled
def _improve_stripe(
    indptr, indices, weights, fixed, scaled_gramian, regularization, rows, block_size, start, stop
):  # type: ignore[no-untyped-def]
    embedding_size = rows.shape[1]
    longest = 0
    for row in range(start, stop):
        longest = max(longest, indptr[row + 1] - indptr[row])
    predictions = np.empty(longest, dtype=np.float32)
    near = np.empty((CHUNK, block_size), dtype=np.float32)
    system = np.empty((block_size, block_size), dtype=np.float32)
    step = np.empty(block_size, dtype=np.float32)
    total = 0.0
    for row in range(start, stop):
        begin, end = indptr[row], indptr[row + 1]
        w = rows[row]
        if begin == end:
            w[:] = 0
            continue
        _predict(indices[begin:end], fixed, w, predictions)
        for first in range(0, embedding_size, block_size):
            size = min(block_size, embedding_size - first)
            _improve_block(
                indices[begin:end], weights[begin:end], fixed, scaled_gramian,
                regularization[row], w, first, size, predictions, near, system, step,
            )  # fmt: skip
        for k in range(end - begin):
            error = predictions[k] - np.float32(1)
            total += weights[begin + k] * error * error
    return total


@_compiled
def _predict(indices, fixed, w, predictions):  # type: ignore[no-untyped-def]
    for k in range(len(indices)):
        h = fixed[indices[k]]
        value = np.float32(0)
        for j in range(len(w)):
            value += h[j] * w[j]
        predictions[k] = value


@_compiled
def _improve_block(
    indices, weights, fixed, scaled_gramian, ridge, w, first, size, predictions, near, system, step
):  # type: ignore[no-untyped-def]
    for i in range(size):
        gradient = ridge * w[first + i]
        g = scaled_gramian[first + i]
        for j in range(len(w)):
            gradient += g[j] * w[j]
        step[i] = gradient
        for j in range(size):
            system[i, j] = g[first + j]
        system[i, i] += ridge

    number = len(indices)
    for begin in range(0, number, CHUNK):
        length = min(CHUNK, number - begin)
        _bring_near(indices, fixed, begin, length, first, size, near)
        _add_outer_products(weights, predictions, begin, length, size, near, system, step)

    _solve(system, step, size)
    for i in range(size):
        w[first + i] -= step[i]

    for begin in range(0, number, CHUNK):
        length = min(CHUNK, number - begin)
        if number > CHUNK:  # otherwise they are near already
            _bring_near(indices, fixed, begin, length, first, size, near)
        for k in range(length):
            h = near[k]
            change = np.float32(0)
            for j in range(size):
                change += h[j] * step[j]
            predictions[begin + k] -= change


@_compiled
def _bring_near(indices, fixed, begin, length, first, size, near):  # type: ignore[no-untyped-def]
    for k in range(length):
        h = fixed[indices[begin + k]]
        for j in range(size):
            near[k, j] = h[first + j]


@_compiled
def _add_outer_products(weights, predictions, begin, length, size, near, system, step):  # type: ignore[no-untyped-def]
    """Add c h hᵀ to the upper triangle of the system and c (ŷ - 1) h to the gradient."""
    for k in range(length):
        error = weights[begin + k] * (predictions[begin + k] - np.float32(1))
        for j in range(size):
            step[j] += error * near[k, j]
    k = 0
    while k + 8 <= length:
        c0, c1, c2, c3 = (weights[begin + k + 0], weights[begin + k + 1],
                          weights[begin + k + 2], weights[begin + k + 3])  # fmt: skip
        c4, c5, c6, c7 = (weights[begin + k + 4], weights[begin + k + 5],
                          weights[begin + k + 6], weights[begin + k + 7])  # fmt: skip
        h0, h1, h2, h3 = near[k], near[k + 1], near[k + 2], near[k + 3]
        h4, h5, h6, h7 = near[k + 4], near[k + 5], near[k + 6], near[k + 7]
        for i in range(size):
            a0, a1, a2, a3 = c0 * h0[i], c1 * h1[i], c2 * h2[i], c3 * h3[i]
            a4, a5, a6, a7 = c4 * h4[i], c5 * h5[i], c6 * h6[i], c7 * h7[i]
            target = system[i]
            for j in range(i & ~15, size):
                target[j] += (
                    (a0 * h0[j] + a1 * h1[j]) + (a2 * h2[j] + a3 * h3[j])
                    + (a4 * h4[j] + a5 * h5[j]) + (a6 * h6[j] + a7 * h7[j])
                )  # fmt: skip
        k += 8
    while k < length:
        c = weights[begin + k]
        h = near[k]
        for i in range(size):
            a = c * h[i]
            target = system[i]
            for j in range(i & ~15, size):
                target[j] += a * h[j]
        k += 1


@_compiled
def _solve(system, step, size):  # type: ignore[no-untyped-def]
    """Replace step by system⁻¹ step, by Cholesky; the upper triangle is read, and overwritten."""
    for i in range(size):  # system = UᵀU, row by row
        pivot = np.sqrt(system[i, i])
        inverse = np.float32(1) / pivot
        source = system[i]
        for j in range(i, size):
            source[j] *= inverse
        for t in range(i + 1, size):
            factor = source[t]
            target = system[t]
            for j in range(t & ~15, size):
                target[j] -= factor * source[j]
    for i in range(size):  # Uᵀ z = step
        value = step[i] / system[i, i]
        step[i] = value
        for j in range(i + 1, size):
            step[j] -= value * system[i, j]
    for i in range(size - 1, -1, -1):  # U x = z
        value = step[i]
        for j in range(i + 1, size):
            value -= system[i, j] * step[j]
        step[i] = value / system[i, i]
