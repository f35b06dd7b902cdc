"""Items a profile did not like, drawn to compete with the one it did.

B profiles, I items, K negatives.
"""

import numpy as np
from scipy import sparse

from recommender.arrays import Int64
from recommender.errors import InvalidInputError


def sample_negatives(known: sparse.csr_array, number: int, rng: np.random.Generator) -> Int64:
    """Draw distinct items, uniformly, none of which the profile is known to like.

    Args:
        known: (B, I), everything the profile liked, the targets too.
        number: K.
        rng: draws.

    Returns:
        (B, K).

    Raises:
        InvalidInputError: a profile has fewer than K items left.
    """
    num_rows, num_items = known.shape
    left = num_items - np.diff(known.indptr)
    if len(left) and left.min() < number:
        raise InvalidInputError(
            f"{number} negatives were asked for, a profile has {left.min()} items left"
        )
    negatives = np.empty((num_rows, number), dtype=np.int64)
    for row in range(num_rows):
        liked = np.sort(known.indices[known.indptr[row] : known.indptr[row + 1]])
        free = rng.choice(num_items - len(liked), number, replace=False)
        # the n-th item that is not liked: n plus the liked items before it
        negatives[row] = free + np.searchsorted(liked - np.arange(len(liked)), free, side="right")
    return negatives
