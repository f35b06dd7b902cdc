"""Visit counts: recorded visits in, what is wanted next after each title out.

    c_ji = Σ  γ^(d - 1) 2^(-age / h)          pairs of events, j first and i d events later, d ≤ D;
                                              times b where i came first
    P(i | j) = c_ji / n_j                     n_j = Σ_i c_ji, the support
    D_i = Σ_j w_j [s_j P(i | j) + (1 - s_j) p_i]     s_j = n_j / (n_j + κ)

w_j falls by a factor from the newest title of the visit to the ones before, and sums to 1. p is
the long-term probability, to which little support falls back. "Item-to-item" counting is Linden,
Smith and York, IEEE Internet Computing 7(1), 2003; the decay over distance is that of the
sequential rules of Ludewig and Jannach, UMUAI 2018, arXiv:1803.09587.

I items, E events, N pairs.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from recommender import checks
from recommender.arrays import AnyArray, Bool, Float32, Float64, Int64
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.data.sessions import POSITIVE_KINDS, Sessions
from recommender.vocabulary import UNKNOWN, Vocabulary

KIND = "visit_counts"


@dataclass(frozen=True)
class VisitCountsConfig:
    decay: float = 0.7
    """γ: what each event between two titles takes from their count."""
    backward: float = 1.0
    """b: the weight of a title for those before it."""
    distance: int = 8
    """D."""
    half_life_days: float | None = None
    """h; None counts every visit alike, whenever it was."""
    doubt: float = 5.0
    """κ: a title with so much support is trusted half."""
    recency: float = 0.5
    """The weight of a title of the visit over that of the next newer one."""
    max_titles: int = 6
    """The newest titles of the visit that count."""
    neighbours: int = 200
    """The most titles stored after each."""

    def __post_init__(self) -> None:
        checks.between(0, 1, decay=self.decay, backward=self.backward, recency=self.recency)
        checks.positive(doubt=self.doubt)
        checks.whole(1, distance=self.distance, max_titles=self.max_titles)
        checks.whole(1, neighbours=self.neighbours)
        if self.half_life_days is not None:
            checks.positive(half_life_days=self.half_life_days)


class VisitCounts:
    """Counts of what was opened or played within a visit. Immutable once fitted."""

    def __init__(self, config: VisitCountsConfig = VisitCountsConfig()) -> None:
        self.config = config
        self.items = Vocabulary([])
        self.support = np.zeros(0, dtype=np.float32)
        """n, (I,)."""
        self._after = sparse.csr_array(np.zeros((0, 0), dtype=np.float32))
        """P, (I, I): row j holds P(i | j)."""

    def fit(self, sessions: Sessions, items: Vocabulary) -> "VisitCounts":
        """Count the positive events of known titles; a title after itself is not counted.

        Args:
            sessions: over the item numbers of `items`.
            items: what the numbers mean.
        """
        self.items = items
        counts = self._counts(sessions, len(items))
        self.support = np.asarray(counts.sum(axis=1), dtype=np.float32).ravel()
        scale = 1 / np.maximum(self.support, 1e-9)
        self._after = _strongest(
            sparse.csr_array(sparse.diags_array(scale) @ counts), self.config.neighbours
        )
        return self

    def distribution(self, titles: Int64, prior: Float32) -> Float32 | None:
        """Return D, (I,); None where no title of the visit was counted.

        Args:
            titles: of the visit, oldest first, each once.
            prior: (I,) p.
        """
        newest = titles[-self.config.max_titles :]
        support = self.support[newest]
        if not support.any():
            return None
        weights = np.float32(self.config.recency) ** np.arange(len(newest))[::-1]
        trusted = weights / weights.sum() * support / (support + self.config.doubt)  # w s
        distribution = np.float32(1 - trusted.sum()) * prior
        for title, weight in zip(newest.tolist(), trusted.tolist(), strict=True):
            row = slice(self._after.indptr[title], self._after.indptr[title + 1])
            distribution[self._after.indices[row]] += np.float32(weight) * self._after.data[row]
        return np.asarray(distribution, dtype=np.float32)

    def over(self, items: Vocabulary, is_available: Bool) -> "VisitCounts":
        """Return the same in the numbers of another vocabulary.

        Args:
            items: the vocabulary; what it does not know is left out.
            is_available: (I,) False at items left out as well.
        """
        number = items.items_of(self.items.ids)
        number = np.where(is_available[number] if len(items) else False, number, UNKNOWN)
        cells = sparse.coo_array(self._after)
        row, column = number[cells.row], number[cells.col]
        kept = (row != UNKNOWN) & (column != UNKNOWN)
        over = VisitCounts(self.config)
        over.items = items
        over.support = np.zeros(len(items), dtype=np.float32)
        over.support[number[number != UNKNOWN]] = self.support[number != UNKNOWN]
        shape = (len(items), len(items))
        over._after = sparse.csr_array((cells.data[kept], (row[kept], column[kept])), shape=shape)
        return over

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact: 12 bytes a pair of titles."""
        arrays: dict[str, AnyArray] = {
            "item_ids": self.items.ids,
            "support": self.support,
            "bounds": self._after.indptr.astype(np.int64),
            "neighbours": self._after.indices.astype(np.int64),
            "probabilities": self._after.data,
        }
        return save_artifact(folder, KIND, self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "VisitCounts":
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or of another kind.
        """
        with loading(folder):
            artifact = load_artifact(folder, KIND)
            counts = cls(read_config(VisitCountsConfig, artifact.manifest.config, {}))
            counts.items = Vocabulary(artifact.ids("item_ids"))
            size = len(counts.items)
            counts.support = artifact.array("support", "f", size)
            probabilities = artifact.array("probabilities", "f", None)
            neighbours = artifact.indices("neighbours", size, len(probabilities))
            bounds = artifact.indices("bounds", len(probabilities) + 1, size + 1)
            counts._after = sparse.csr_array((probabilities, neighbours, bounds), (size, size))
            counts._after.check_format(full_check=True)
            return counts

    def _counts(self, sessions: Sessions, num_items: int) -> sparse.csr_array:
        """Return c, (I, I)."""
        config = self.config
        kept = np.isin(sessions.kinds, list(POSITIVE_KINDS)) & (sessions.items != UNKNOWN)
        items, visits = sessions.items[kept], sessions.visit_of[kept]
        weights = self._age_weights(sessions.at[kept])  # (E,)
        first, second, counted = [], [], []
        for distance in range(1, config.distance + 1):
            is_pair = visits[:-distance] == visits[distance:]
            is_pair &= items[:-distance] != items[distance:]
            before, after = items[:-distance][is_pair], items[distance:][is_pair]
            value = config.decay ** (distance - 1) * weights[distance:][is_pair]  # (N,)
            first += [before, after]
            second += [after, before]
            counted += [value, config.backward * value]
        cells = (np.concatenate(first), np.concatenate(second))
        shape = (num_items, num_items)
        counts = sparse.csr_array((np.concatenate(counted), cells), shape=shape)
        counts.sum_duplicates()
        counts.eliminate_zeros()
        return sparse.csr_array(counts.astype(np.float32))

    def _age_weights(self, at: Float64) -> Float64:
        half_life = self.config.half_life_days
        if half_life is None or not len(at):
            return np.ones(len(at))
        return np.asarray(0.5 ** ((at.max() - at) / (86_400 * half_life)))


def _strongest(matrix: sparse.csr_array, number: int) -> sparse.csr_array:
    """Return (I, I) with at most so many of the greatest of each row; ties by item number."""
    matrix.sort_indices()
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, row))
    rank = np.arange(len(order)) - matrix.indptr[row[order]]
    best = np.sort(order[rank < number])
    cells = (row[best], matrix.indices[best])
    return sparse.csr_array((matrix.data[best], cells), shape=matrix.shape)
