"""Block Newton solver of iALS: improves every row of one side while the other side is fixed.

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

import numpy as np
from scipy import sparse

from recommender.arrays import Float32
from recommender.solvers.compiled import compiled, in_stripes
from recommender.solvers.register_tile import TILE_COLUMNS, TILE_ROWS, add_tile

_u = np.uint64

CHUNK = 128
"""Observed vectors held close at a time: CHUNK × block × 4 bytes should fit a first-level cache."""


def improve_rows(
    observed: sparse.csr_array,
    fixed: Float32,
    scaled_gramian: Float32,
    regularization: Float32,
    rows: Float32,
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
    indices = observed.indices.astype(np.int32, copy=False)
    roots = np.sqrt(observed.data)

    def improve(start: int, stop: int) -> float:
        return float(
            _improve_stripe(
                observed.indptr, indices, roots, fixed, scaled_gramian,
                regularization, rows, block_size, start, stop,
            )
        )  # fmt: skip

    work = observed.indptr + np.arange(len(rows) + 1) * rows.shape[1]
    return sum(in_stripes(improve, work, num_threads))


# In what follows x = √c h and an error is √c (ŷ - 1): the weights then appear nowhere else, and
#
#     g = Σ error x + (α₀ HᵀH)_π w + λ w_π        A = Σ x xᵀ + (α₀ HᵀH)_{π,π} + λ I
#
# Loops count in unsigned numbers: a signed index may be negative and count from the end, and
# checking that keeps the compiler from using vector instructions. Blocks are padded with zeros
# to whole tiles.


@compiled
def _improve_stripe(  # type: ignore[no-untyped-def]
    indptr, indices, roots, fixed, scaled_gramian, regularization, rows, block_size, start, stop
):
    embedding_size = rows.shape[1]
    longest = 0
    for row in range(start, stop):
        longest = max(longest, indptr[row + 1] - indptr[row])
    errors = np.empty(longest, dtype=np.float32)
    width = -(-block_size // TILE_COLUMNS) * TILE_COLUMNS
    near = np.zeros((CHUNK, width), dtype=np.float32)
    system = np.zeros((width, width), dtype=np.float32)
    step = np.empty(block_size, dtype=np.float32)
    total = 0.0
    for row in range(start, stop):
        begin, end = indptr[row], indptr[row + 1]
        w = rows[row]
        if begin == end:
            w[:] = 0
            continue
        _predict(indices[begin:end], roots[begin:end], fixed, w, errors)
        for first in range(0, embedding_size, block_size):
            size = min(block_size, embedding_size - first)
            _improve_block(
                indices[begin:end], roots[begin:end], fixed, scaled_gramian,
                regularization[row], w, first, size, errors, near, system, step,
            )  # fmt: skip
        for k in range(end - begin):
            total += errors[k] * errors[k]
    return total


@compiled
def _predict(indices, roots, fixed, w, errors):  # type: ignore[no-untyped-def]
    for k in range(_u(len(indices))):
        predicted = _inner_product(fixed[_u(indices[k])], w, _u(len(w)))
        errors[k] = roots[k] * (predicted - np.float32(1))


@compiled
def _inner_product(x, y, size):  # type: ignore[no-untyped-def]
    value = np.float32(0)
    for j in range(size):
        value += x[j] * y[j]
    return value


@compiled
def _improve_block(  # type: ignore[no-untyped-def]
    indices, roots, fixed, scaled_gramian, ridge, w, first, size, errors, near, system, step
):
    first, size = _u(first), _u(size)
    _start_block(scaled_gramian, ridge, w, first, size, system, step)
    number, chunk = _u(len(indices)), _u(CHUNK)
    for begin in range(_u(0), number, chunk):
        length = min(chunk, number - begin)
        _bring_near(indices, roots, fixed, begin, length, first, size, near)
        for k in range(length):
            x = near[k]
            error = errors[begin + k]
            for j in range(size):
                step[j] += error * x[j]
        _add_products(system, near, _u(0), length, _u(0), size, np.float32(1))

    _factorise(system, size)
    _solve(system, step, size)
    for i in range(size):
        w[first + i] -= step[i]

    for begin in range(_u(0), number, chunk):
        length = min(chunk, number - begin)
        if number > chunk:  # otherwise they are near already
            _bring_near(indices, roots, fixed, begin, length, first, size, near)
        for k in range(length):
            errors[begin + k] -= _inner_product(near[k], step, size)


@compiled
def _start_block(scaled_gramian, ridge, w, first, size, system, step):  # type: ignore[no-untyped-def]
    """Set the system and the gradient to what all pairs and the regularization give them."""
    for i in range(size):
        g = scaled_gramian[first + i]
        step[i] = ridge * w[first + i] + _inner_product(g, w, _u(len(w)))
        target = system[i]
        for j in range(size):
            target[j] = g[first + j]
        target[i] += ridge
    width = _u(system.shape[1])
    for i in range(width):  # what an earlier, wider block may have left
        for j in range(size if i < size else _u(0), width):
            system[i, j] = 0


@compiled
def _bring_near(  # type: ignore[no-untyped-def]
    indices, roots, fixed, begin, length, first, size, near
):
    for k in range(length):
        root = roots[begin + k]
        h = fixed[_u(indices[begin + k])]
        target = near[k]
        for j in range(size):
            target[j] = root * h[first + j]
        for j in range(size, _u(near.shape[1])):
            target[j] = 0


@compiled
def _add_products(system, rows, first, last, begin, size, sign):  # type: ignore[no-untyped-def]
    """Add sign · Σ_k x xᵀ to the system's upper triangle, from row `begin` on."""
    tall, wide = _u(TILE_ROWS), _u(TILE_COLUMNS)
    for i in range(begin, size, tall):
        for j in range(i // wide * wide, size, wide):
            add_tile(system, rows, first, last, i, j, sign)


@compiled
def _factorise(system, size):  # type: ignore[no-untyped-def]
    """Overwrite the upper triangle by U of system = UᵀU, a tile's height of rows at a time.

    The diagonal holds 1 / U[i, i]. The lower triangle holds rests of sums and is never read.
    """
    tall, width = _u(TILE_ROWS), _u(system.shape[1])
    for begin in range(_u(0), size, tall):
        end = min(begin + tall, size)
        for i in range(begin, end):
            source = system[i]
            inverse = np.float32(1) / np.sqrt(source[i])
            for j in range(i, width):
                source[j] *= inverse
            for t in range(i + _u(1), end):
                target = system[t]
                factor = source[t]
                for j in range(t, width):
                    target[j] -= factor * source[j]
        _add_products(system, system, begin, end, begin + tall, size, np.float32(-1))
        for i in range(begin, end):
            system[i, i] = np.float32(1) / system[i, i]


@compiled
def _solve(factor, vector, size):  # type: ignore[no-untyped-def]
    """Replace vector by (UᵀU)⁻¹ vector."""
    for i in range(size):
        source = factor[i]
        value = vector[i] * source[i]
        vector[i] = value
        for j in range(i + _u(1), size):
            vector[j] -= value * source[j]
    for back in range(size):
        i = size - _u(1) - back
        source = factor[i]
        value = vector[i]
        for j in range(i + _u(1), size):
            value -= source[j] * vector[j]
        vector[i] = value * source[i]
