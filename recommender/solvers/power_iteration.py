"""Power iteration: random item vectors in, the leading singular directions of the matrix out.

    H ← orth(Aᵀ A H),    A = diag(1/√n_u) X diag(1/√n_i)

Subspace (power) iteration on the matrix with the popularity of both sides taken out; see Halko,
Martinsson and Tropp, SIAM Review 2011, arXiv:0909.4061.

U profiles, I items, D embedding.
"""

import numpy as np
from scipy import sparse

from recommender.arrays import AnyArray, Float32
from recommender.solvers.compiled import compiled, in_stripes

_u = np.uint64


def leading_subspace(
    observed: sparse.csr_array,
    transposed: sparse.csr_array,
    start: Float32,
    iterations: int,
    num_threads: int,
) -> Float32:
    """Turn random item vectors towards the leading right singular vectors of A.

    Cost: 4 D flops for each interaction and iteration.

    Args:
        observed: (U, I), nonnegative.
        transposed: (I, U), the same.
        start: (I, D) random.
        iterations: how often.
        num_threads: the result does not depend on it.

    Returns:
        (I, D) with orthogonal columns, its entries as large as those of `start` on average; columns
        beyond the number of items are those of `start`.
    """
    profile_scale = _inverse_root(observed.sum(axis=1))
    item_scale = _inverse_root(observed.sum(axis=0))
    items = start[:, : len(start)]  # no more directions than there are items
    for _ in range(iterations):
        profiles = _product(observed, item_scale[:, None] * items, num_threads)
        profiles *= (profile_scale**2)[:, None]
        turned = _product(transposed, profiles, num_threads) * item_scale[:, None]
        items = np.asarray(np.linalg.qr(turned).Q, dtype=np.float32)
    leading = start.copy()
    leading[:, : items.shape[1]] = items * np.sqrt(np.mean(start**2) * len(start))
    return leading


def _inverse_root(support: AnyArray) -> Float32:
    roots = np.sqrt(support, dtype=np.float64)
    inverse = np.divide(1, roots, out=np.zeros_like(roots), where=roots > 0)
    return np.asarray(inverse, dtype=np.float32)


def _product(x: sparse.csr_array, dense: Float32, num_threads: int) -> Float32:
    """Return x @ dense, each row of it by one thread."""
    dense = np.ascontiguousarray(dense, dtype=np.float32)
    product = np.zeros((x.shape[0], dense.shape[1]), dtype=np.float32)

    def multiply(start: int, stop: int) -> float:
        _multiply_stripe(x.indptr, x.indices, x.data, dense, product, start, stop)
        return 0.0

    in_stripes(multiply, x.indptr + np.arange(x.shape[0] + 1), num_threads)
    return product


@compiled
def _multiply_stripe(indptr, indices, values, dense, product, start, stop):  # type: ignore[no-untyped-def]
    width = _u(dense.shape[1])
    for row in range(_u(start), _u(stop)):
        target = product[row]
        for p in range(_u(indptr[row]), _u(indptr[row + _u(1)])):
            source = dense[_u(indices[p])]
            value = values[p]
            for k in range(width):
                target[k] += value * source[k]
