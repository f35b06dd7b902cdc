"""Vector index: item vectors in, the items of the greatest inner product with a query out.

It holds nothing but the vectors, so processes that map them into memory share the whole index.

I items, D embedding, B batch.
"""

import numpy as np

from recommender import checks
from recommender.arrays import Float32, Floating, Int64
from recommender.errors import InvalidInputError
from recommender.retrieval.top_k import top_k


class VectorIndex:
    """Exact search over one vector an item; ties go to the lower item number."""

    def __init__(self, vectors: Floating) -> None:
        """Build the index.

        Args:
            vectors: (I, D), row i is item i's.

        Raises:
            InvalidInputError: the array has another shape, or a value is not finite.
        """
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or not vectors.shape[1]:
            raise InvalidInputError(f"vectors must be (items, embedding), got {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise InvalidInputError("every vector must be finite")
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, vectors: Floating, k: int) -> tuple[Float32, Int64]:
        """Return the k items of the greatest inner product with each vector, best first.

        Args:
            vectors: (B, D) or (D,).
            k: how many, from 1 up; an index of fewer items returns them all.

        Returns:
            Scores and items, both (B, min(k, I)), or (min(k, I),) for one vector.
        """
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.shape[-1] != self.vectors.shape[1] or vectors.ndim not in (1, 2):
            raise InvalidInputError(
                f"the index holds vectors of {self.vectors.shape[1]}, got {vectors.shape}"
            )
        checks.whole(k=k)
        scores, items = top_k(np.atleast_2d(vectors) @ self.vectors.T, k)
        return (scores[0], items[0]) if vectors.ndim == 1 else (scores, items)
