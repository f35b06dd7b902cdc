"""Vocabulary: outside ids in, dense item numbers out, and back.

I items. Item numbers run from 0 to I - 1 in the order of the ids.
"""

import numpy as np
from numpy.typing import ArrayLike

from recommender.arrays import Int64
from recommender.errors import InvalidInputError

UNKNOWN = -1


class Vocabulary:
    """A fixed, sorted set of ids; an id's item number is its index in it."""

    def __init__(self, ids: ArrayLike) -> None:
        """Number the distinct ids.

        Args:
            ids: any integers, repeats allowed.

        Raises:
            InvalidInputError: an id is no integer.
        """
        array = np.asarray(ids)
        if array.size and not np.issubdtype(array.dtype, np.integer):
            raise InvalidInputError(f"ids must be integers, got {array.dtype}")
        self.ids: Int64 = np.unique(array.astype(np.int64))  # (I,)

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, id_: int) -> bool:
        return bool(self.items_of([id_])[0] != UNKNOWN)

    def items_of(self, ids: ArrayLike) -> Int64:
        """Return each id's item number, `UNKNOWN` (-1) where it has none; the shape stays."""
        queried = np.asarray(ids, dtype=np.int64)
        if not len(self.ids):
            return np.full(queried.shape, UNKNOWN, dtype=np.int64)
        index = np.searchsorted(self.ids, queried).clip(max=len(self.ids) - 1)
        return np.where(self.ids[index] == queried, index, UNKNOWN)

    def ids_of(self, items: ArrayLike) -> Int64:
        """Return each item's id; the shape stays.

        Raises:
            IndexError: an item number is out of range.
        """
        return self.ids[np.asarray(items, dtype=np.int64)]
