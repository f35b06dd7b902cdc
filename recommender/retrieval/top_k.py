"""Top k: scores in, the k best items of each row out, ties by item number.

B batch, I items.
"""

import numpy as np
from scipy import sparse

from recommender import checks
from recommender.arrays import Float32, Floating, Int64
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN


def top_k(
    scores: Floating, k: int, exclude: sparse.csr_array | None = None
) -> tuple[Float32, Int64]:
    """Return the best items of each row, best first; ties go to the lower item number.

    Args:
        scores: (B, I), finite, or -inf where an item may not be chosen.
        k: how many, from 1 up.
        exclude: (B, I), items that may not be chosen: its stored cells.

    Returns:
        Scores and items, both (B, min(k, I)). Where a row has too few items to choose from,
        it ends in -inf and item -1.

    Raises:
        InvalidInputError: k is below 1, a score is NaN, or the shapes differ.
    """
    checks.whole(k=k)
    if np.isnan(scores).any():
        raise InvalidInputError("a score is NaN: the model that gave it is broken")
    if exclude is not None:
        if exclude.shape != scores.shape:
            raise InvalidInputError(f"exclude is {exclude.shape} but the scores {scores.shape}")
        scores = np.array(scores, dtype=np.float32)
        scores[
            np.repeat(np.arange(len(scores)), np.diff(exclude.indptr)), exclude.indices
        ] = -np.inf
    k = min(k, scores.shape[1])
    items = _best(scores, k)
    best = np.take_along_axis(scores, items, axis=1).astype(np.float32)
    items[np.isneginf(best)] = UNKNOWN
    return best, items


def _best(scores: Floating, k: int) -> Int64:
    """Return the (B, k) best items in order."""
    if not scores.size or k == scores.shape[1]:
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]
    items = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    items.sort(axis=1)
    values = np.take_along_axis(scores, items, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    items = np.take_along_axis(items, order, axis=1)
    # a tie across the border: which of the tied items argpartition kept is chance
    tied = np.count_nonzero(scores >= values.min(axis=1)[:, None], axis=1) > k
    items[tied] = np.argsort(-scores[tied], axis=1, kind="stable")[:, :k]
    return items
