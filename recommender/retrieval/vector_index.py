"""Vector index: item vectors in, the items of the greatest inner product with a query out.

I items, D embedding, B batch.
"""

import faiss
import numpy as np

from recommender import checks
from recommender.arrays import Float32, Floating, Int64
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN


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
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

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
        batch = np.atleast_2d(vectors)
        k = min(k, len(self))
        scores, items = self._past_ties(batch, k)
        order = np.lexsort((items, -scores), axis=1)[:, :k]
        scores = np.take_along_axis(scores, order, axis=1)
        items = np.take_along_axis(items, order, axis=1)
        return (scores[0], items[0]) if vectors.ndim == 1 else (scores, items)

    def _past_ties(self, batch: Float32, k: int) -> tuple[Float32, Int64]:
        """Search deep enough that no tie at position k is cut, and return all results."""
        if not k or not len(batch):
            empty = np.empty((len(batch), k), dtype=np.float32)
            return empty, np.full(empty.shape, UNKNOWN, dtype=np.int64)
        depth = min(k + 1, len(self))
        while True:
            scores, items = self._index.search(batch, depth)
            if depth == len(self) or (scores[:, -1] < scores[:, k - 1]).all():
                return scores, items
            depth = min(2 * depth, len(self))
