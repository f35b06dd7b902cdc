"""Item-to-item weights, as EASE and LARM learn them: dense, or as short lists of neighbours.

    scores = x B        x a history, B[i, j] the weight of i for j, 0 on the diagonal

I items, N items kept, B batch, k neighbours.
"""

from copy import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.arrays import AnyArray, Bool, Float32, Int32, Int64
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.errors import InvalidInputError, NotFittedError, TooLargeError
from recommender.vocabulary import UNKNOWN, Vocabulary


class ItemToItem:
    """Scores every item for a history, by dense weights between the items kept."""

    kind: str
    """What an artifact of it is called."""
    config_class: type[Any]

    def __init__(self, config: Any) -> None:
        self.config = config
        self.items = Vocabulary([])
        self.kept = np.empty(0, dtype=np.int64)  # (N,) item numbers with weights, ascending
        self.weights = np.empty((0, 0), dtype=np.float32)  # B, (N, N)

    def score(self, histories: sparse.csr_array) -> Float32:
        """Score all items for a batch of histories.

        Returns:
            (B, I), comparable within a row only; items that were not kept score 0.

        Raises:
            NotFittedError: before `fit`.
        """
        self._check_fitted()
        _check_width(histories, len(self.items))
        if len(self.kept) == len(self.items):
            return np.asarray(histories @ self.weights, dtype=np.float32)
        scores = np.zeros(histories.shape, dtype=np.float32)
        scores[:, self.kept] = histories[:, self.kept] @ self.weights
        return scores

    def neighbours(self, size: int) -> "Neighbours":
        """Keep the k strongest weights towards each item, refusals (below 0) among them.

        Raises:
            NotFittedError: before `fit`.
            InvalidInputError: size is below 1.
        """
        self._check_fitted()
        if size < 1:
            raise InvalidInputError(f"an item needs 1 neighbour or more, got {size}")
        number = len(self.kept)
        size = min(size, number)
        neighbours = np.empty((number, size), dtype=np.int32)
        weights = np.empty((number, size), dtype=np.float32)
        at_once = max(1, 2**22 // number)
        for begin in range(0, number, at_once):
            columns = slice(begin, begin + at_once)
            towards = np.ascontiguousarray(self.weights[:, columns].T)
            best = np.argpartition(-np.abs(towards), size - 1, axis=1)[:, :size]
            best.sort(axis=1)
            neighbours[columns] = self.kept[best]
            weights[columns] = np.take_along_axis(towards, best, axis=1)
        return Neighbours(self.items, self.kept, neighbours, weights)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact, with 4 N² bytes of weights."""
        self._check_fitted()
        arrays: dict[str, AnyArray] = {
            "item_ids": self.items.ids,
            "kept": self.kept,
            "weights": self.weights,
        }
        return save_artifact(folder, self.kind, self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or of another kind or version.
        """
        with loading(folder):
            artifact = load_artifact(folder, cls.kind)
            model = cls(read_config(cls.config_class, artifact.manifest.config, {}))
            model.items = Vocabulary(artifact.ids("item_ids"))
            model.kept = artifact.indices("kept", len(model.items), None)
            model.weights = artifact.array("weights", "f", len(model.kept), len(model.kept))
            return model

    def _check_fitted(self) -> None:
        if not len(self.kept):
            name = type(self).__name__
            raise NotFittedError(f"{name} has no weights: call fit(), or load an artifact")


class Neighbours:
    """The strongest weights towards each item: a sparse B, small enough to publish.

    An item takes 8 k bytes; 50,000 items with 100 neighbours each 40 MB.
    """

    def __init__(
        self,
        items: Vocabulary,
        kept: Int64,
        neighbours: Int32,
        weights: Float32,
    ) -> None:
        """Build B.

        Args:
            items: what the item numbers mean.
            kept: (N,) the items with neighbours.
            neighbours: (N, k) item numbers.
            weights: (N, k) what each neighbour adds to the item's score.
        """
        self.items, self.kept = items, kept
        self._neighbours, self._weights = neighbours, weights
        shape = (len(items), len(items))
        towards = np.repeat(kept, neighbours.shape[1])
        self._matrix = sparse.csr_array(
            (weights.ravel(), (neighbours.ravel().astype(np.int64), towards)), shape=shape
        )  # (I, I)
        self._matrix.eliminate_zeros()

    def score(self, histories: sparse.csr_array) -> Float32:
        """Score all items for a batch of histories: (B, I), comparable within a row only."""
        _check_width(histories, len(self.items))
        return np.asarray((histories @ self._matrix).toarray(), dtype=np.float32)

    def of(self, item: int) -> Float32:
        """Return (I,) the weights of one item for all others; all 0 if it was not kept."""
        weights = np.zeros(len(self.items), dtype=np.float32)
        items, of_items = self.row(item)
        weights[items] = of_items
        return weights

    def row(self, item: int) -> tuple[Int32, Float32]:
        """Return (n,) the items that one speaks for, and its weights for them."""
        own = slice(*self._matrix.indptr[item : item + 2].tolist())
        return self._matrix.indices[own], self._matrix.data[own]

    def over(self, items: Vocabulary, is_available: Bool) -> "Neighbours":
        """Return the same in the numbers of another vocabulary.

        Args:
            items: the vocabulary; what it does not know is left out.
            is_available: (I,) False at items left out as well.
        """
        new_item = items.items_of(self.items.ids)
        new_item = np.where(is_available[new_item] if len(items) else False, new_item, UNKNOWN)
        is_kept = new_item[self.kept] != UNKNOWN
        neighbours = new_item[self._neighbours[is_kept]]
        weights = np.where(neighbours == UNKNOWN, 0, self._weights[is_kept]).astype(np.float32)
        neighbours = np.where(neighbours == UNKNOWN, 0, neighbours).astype(np.int32)
        return Neighbours(items, new_item[self.kept[is_kept]], neighbours, weights)

    def among(self, items: Vocabulary) -> "Neighbours":
        """Return the same among more items behind its own, which have no neighbours."""
        neighbours = copy(self)
        neighbours.items = items
        own, missing = self._matrix, len(items) - len(self.items)
        bounds = np.append(own.indptr, np.full(missing, own.indptr[-1], dtype=own.indptr.dtype))
        neighbours._matrix = sparse.csr_array(
            (own.data, own.indices, bounds), shape=(len(items), len(items)), copy=False
        )
        return neighbours

    def save(
        self, folder: Path, kind: str, config: Any, provenance: Provenance = UNSTATED
    ) -> Manifest:
        """Write the artifact under the name and config of the model the lists come from."""
        arrays: dict[str, AnyArray] = {
            "item_ids": self.items.ids,
            "kept": self.kept,
            "neighbours": self._neighbours,
            "neighbour_weights": self._weights,
        }
        return save_artifact(folder, f"{kind}-neighbours", config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path, kind: str) -> "Neighbours":
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or of another kind or version.
        """
        with loading(folder):
            artifact = load_artifact(folder, f"{kind}-neighbours")
            items = Vocabulary(artifact.ids("item_ids"))
            kept = artifact.indices("kept", len(items), None)
            neighbours = artifact.indices("neighbours", len(items), len(kept), None)
            weights = artifact.array("neighbour_weights", "f", *neighbours.shape)
            return cls(items, kept, neighbours, weights)


def most_supported(matrix: sparse.csr_array, number: int | None) -> Int64:
    """Return the items with the most interactions, ascending; None keeps all."""
    support = np.bincount(matrix.indices, minlength=matrix.shape[1])
    if number is None or number >= len(support):
        return np.arange(len(support))
    return np.sort(np.argsort(-support, kind="stable")[:number])


def check_memory(name: str, num_items: int, bytes_per_cell: int, max_bytes: int) -> None:
    """Refuse what would need more memory than allowed.

    Raises:
        TooLargeError: (N, N) cells take more than `max_bytes`.
    """
    needed = bytes_per_cell * num_items**2
    if needed > max_bytes:
        fitting = int((max_bytes / bytes_per_cell) ** 0.5)
        raise TooLargeError(
            f"{name} over {num_items} items needs {needed} bytes and {max_bytes} "
            f"are allowed: raise max_bytes, or set max_items to at most {fitting}"
        )


def _check_width(histories: sparse.csr_array, num_items: int) -> None:
    if histories.shape[1] != num_items:
        raise InvalidInputError(f"each history needs {num_items} columns, got {histories.shape[1]}")
