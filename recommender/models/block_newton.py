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

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.models.compiled import compiled, in_stripes

Floats = NDArray[np.float32]

_u = np.uint64

CHUNK = 128
"""Observed vectors held close at a time: CHUNK × block × 4 bytes should fit a first-level cache."""


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
    indices = observed.indices.astype(np.int32, copy=False)

    def improve(start: int, stop: int) -> float:
        return float(
            _improve_stripe(
                observed.indptr, indices, observed.data, fixed, scaled_gramian,
                regularization, rows, block_size, start, stop,
            )
        )  # fmt: skip

    work = observed.indptr + np.arange(len(rows) + 1) * rows.shape[1]
    return sum(in_stripes(improve, work, num_threads))


# Loops count in unsigned numbers: a signed index may be negative and count from the end, and
# checking that keeps the compiler from using vector instructions.


@compiled
def _improve_stripe(  # type: ignore[no-untyped-def]
    indptr, indices, weights, fixed, scaled_gramian, regularization, rows, block_size, start, stop
):
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


@compiled
def _predict(indices, fixed, w, predictions):  # type: ignore[no-untyped-def]
    for k in range(_u(len(indices))):
        predictions[k] = _inner_product(fixed[_u(indices[k])], w, _u(len(w)))


@compiled
def _inner_product(x, y, size):  # type: ignore[no-untyped-def]
    value = np.float32(0)
    for j in range(size):
        value += x[j] * y[j]
    return value


@compiled
def _improve_block(  # type: ignore[no-untyped-def]
    indices, weights, fixed, scaled_gramian, ridge, w, first, size, predictions, near, system, step
):
    first, size = _u(first), _u(size)
    _start_block(scaled_gramian, ridge, w, first, size, system, step)
    number, chunk = _u(len(indices)), _u(CHUNK)
    for begin in range(_u(0), number, chunk):
        length = min(chunk, number - begin)
        _bring_near(indices, fixed, begin, length, first, size, near)
        for k in range(length):
            h = near[k]
            pull = weights[begin + k] * (predictions[begin + k] - np.float32(1))
            for j in range(size):
                step[j] += pull * h[j]
        _add_outer_products(weights[begin : begin + length], length, size, near, system)

    _factorise(system, size)
    _solve(system, step, size)
    for i in range(size):
        w[first + i] -= step[i]

    for begin in range(_u(0), number, chunk):
        length = min(chunk, number - begin)
        if number > chunk:  # otherwise they are near already
            _bring_near(indices, fixed, begin, length, first, size, near)
        for k in range(length):
            predictions[begin + k] -= _inner_product(near[k], step, size)


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


@compiled
def _bring_near(indices, fixed, begin, length, first, size, near):  # type: ignore[no-untyped-def]
    for k in range(length):
        h = fixed[_u(indices[begin + k])]
        target = near[k]
        for j in range(size):
            target[j] = h[first + j]


@compiled
def _add_outer_products(weights, length, size, near, system):  # type: ignore[no-untyped-def]
    """Add Σ c h hᵀ to the system's upper triangle, two of its rows and four vectors at a time."""
    even, fours = size & ~_u(1), length & ~_u(3)
    for k in range(_u(0), fours, _u(4)):
        c0, c1, c2, c3 = weights[k], weights[k + _u(1)], weights[k + _u(2)], weights[k + _u(3)]
        h0, h1, h2, h3 = near[k], near[k + _u(1)], near[k + _u(2)], near[k + _u(3)]
        for i in range(_u(0), even, _u(2)):
            a0, a1, a2, a3 = c0 * h0[i], c1 * h1[i], c2 * h2[i], c3 * h3[i]
            i_next = i + _u(1)
            b0, b1, b2, b3 = c0 * h0[i_next], c1 * h1[i_next], c2 * h2[i_next], c3 * h3[i_next]
            upper, lower = system[i], system[i_next]
            for j in range(i & ~_u(15), size):
                x0, x1, x2, x3 = h0[j], h1[j], h2[j], h3[j]
                upper[j] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                lower[j] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
        if even < size:
            a0, a1, a2, a3 = c0 * h0[even], c1 * h1[even], c2 * h2[even], c3 * h3[even]
            system[even, even] += a0 * h0[even] + a1 * h1[even] + a2 * h2[even] + a3 * h3[even]
    for k in range(fours, length):
        h = near[k]
        for i in range(size):
            a = weights[k] * h[i]
            target = system[i]
            for j in range(i & ~_u(15), size):
                target[j] += a * h[j]


@compiled
def _factorise(system, size):  # type: ignore[no-untyped-def]
    """Overwrite the upper triangle by U of system = UᵀU, four of its rows at a time.

    The lower triangle holds rests of sums and is never read.
    """
    for begin in range(_u(0), size, _u(4)):
        end = min(begin + _u(4), size)
        for i in range(begin, end):
            source = system[i]
            inverse = np.float32(1) / np.sqrt(source[i])
            for j in range(i, size):
                source[j] *= inverse
            for t in range(i + _u(1), end):
                target = system[t]
                factor = source[t]
                for j in range(t, size):
                    target[j] -= factor * source[j]
        if end == size:
            break
        s0, s1, s2, s3 = (
            system[begin], system[begin + _u(1)], system[begin + _u(2)], system[begin + _u(3)]
        )  # fmt: skip
        for t in range(end, (size - end & ~_u(1)) + end, _u(2)):
            a0, a1, a2, a3 = s0[t], s1[t], s2[t], s3[t]
            t_next = t + _u(1)
            b0, b1, b2, b3 = s0[t_next], s1[t_next], s2[t_next], s3[t_next]
            upper, lower = system[t], system[t_next]
            for j in range(t & ~_u(15), size):
                x0, x1, x2, x3 = s0[j], s1[j], s2[j], s3[j]
                upper[j] -= a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                lower[j] -= b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
        if (size - end) & _u(1):
            t = size - _u(1)
            a0, a1, a2, a3 = s0[t], s1[t], s2[t], s3[t]
            system[t, t] -= a0 * a0 + a1 * a1 + a2 * a2 + a3 * a3


@compiled
def _solve(factor, vector, size):  # type: ignore[no-untyped-def]
    """Replace vector by (UᵀU)⁻¹ vector."""
    for i in range(size):
        source = factor[i]
        value = vector[i] / source[i]
        vector[i] = value
        for j in range(i + _u(1), size):
            vector[j] -= value * source[j]
    for back in range(size):
        i = size - _u(1) - back
        source = factor[i]
        value = vector[i]
        for j in range(i + _u(1), size):
            value -= source[j] * vector[j]
        vector[i] = value / source[i]
