"""Gram matrix: a sparse matrix in, its product with itself out, as a dense array.

U rows, I columns.
"""

import numpy as np
from scipy import sparse

from recommender.arrays import Float64, Floating
from recommender.solvers.compiled import available_cores, compiled, in_stripes

_u = np.uint64


def upper_gram(
    x: sparse.csr_array,
    row_weights: Float64,
    num_threads: int | None = None,
    dtype: type[np.floating] = np.float64,
) -> Floating:
    """Return the upper triangle of Xᵀ diag(w) X, (I, I), zeros below: I² numbers and little more.

    Args:
        x: (U, I) with sorted indices.
        row_weights: w, (U,).
        num_threads: None takes every core; the result does not depend on it.
        dtype: of the result. Single precision counts exactly up to 2^24.
    """
    cells = sparse.csr_array((np.arange(x.nnz), x.indices, x.indptr), shape=x.shape).tocsc()
    gram = np.zeros((x.shape[1], x.shape[1]), dtype=dtype)

    def multiply(start: int, stop: int) -> float:
        _multiply_stripe(
            cells.indptr, cells.indices, cells.data, x.indptr, x.indices, x.data,
            row_weights, gram, start, stop,
        )  # fmt: skip
        return 0.0

    work = cells.indptr + np.arange(x.shape[1] + 1)
    in_stripes(multiply, work, num_threads or available_cores())
    return gram


@compiled
def _multiply_stripe(  # type: ignore[no-untyped-def]
    column_ends, rows, cells, row_ends, columns, values, row_weights, gram, start, stop
):
    for i in range(start, stop):
        target = gram[i]
        for t in range(_u(column_ends[i]), _u(column_ends[i + 1])):
            row = _u(rows[t])
            cell = _u(cells[t])
            value = row_weights[row] * values[cell]
            for p in range(cell, _u(row_ends[row + _u(1)])):  # the columns from i on
                target[_u(columns[p])] += value * values[p]
