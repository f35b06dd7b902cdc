"""Neighbour models of sessions: what was met together, and in visits like this one.

ItemKnn     s_ij = n_ij / √((n_i + λ)(n_j + λ)), n_ij visits with both; the score of j is its s_ij
            with the newest item i. "Item-KNN" of Hidasi et al., ICLR 2016, arXiv:1511.06939.
SessionKnn  V-SKNN of Ludewig and Jannach, UMUAI 2018, arXiv:1803.09587: an event's weight in this
            visit grows linearly with its place; the k visits nearest by those weights vote for
            their items, each vote less the longer ago the newest shared item stands.

I items, V visits, B requests.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.arrays import Float32
from recommender.data.sessions import RecentEvents, Requests, Sessions
from recommender.errors import InvalidInputError, NotFittedError
from recommender.vocabulary import UNKNOWN

REMEMBERED = 50
"""Events of this visit that are read."""


@dataclass(frozen=True)
class ItemKnnConfig:
    damping: float = 20.0
    """λ."""

    def __post_init__(self) -> None:
        if not self.damping >= 0:
            raise InvalidInputError(f"damping must be 0 or more, got {self.damping}")


class ItemKnn:
    """Scores what is often met in the same visit as the newest item."""

    def __init__(self, config: ItemKnnConfig = ItemKnnConfig()) -> None:
        self.config = config
        self._likeness: sparse.csr_array | None = None

    def fit(self, sessions: Sessions, num_items: int) -> "ItemKnn":
        """Count what is met together."""
        visits = visit_matrix(sessions, num_items)
        together = (visits.T @ visits).tocoo()
        size = np.sqrt(np.asarray(visits.sum(axis=0)).ravel() + self.config.damping)
        kept = together.row != together.col
        row, col = together.row[kept], together.col[kept]
        values = (together.data[kept] / (size[row] * size[col])).astype(np.float32)
        self._likeness = sparse.csr_array((values, (row, col)), shape=together.shape)
        return self

    def score(self, requests: Requests, rows: slice) -> Float32:
        """Score all items for some requests, (B, I)."""
        if self._likeness is None:
            raise NotFittedError("the item neighbours are not counted yet: fit them first")
        recent = requests.recent(rows, 1, this_visit_only=True)
        newest = recent.items[:, -1]
        scores = self._likeness[np.maximum(newest, 0)].toarray()
        scores[newest == UNKNOWN] = 0
        return np.asarray(scores, dtype=np.float32)


@dataclass(frozen=True)
class SessionKnnConfig:
    neighbours: int = 100
    """k."""
    sample: int = 1000
    """Neighbours are sought among so many of the latest visits that share an item."""

    def __post_init__(self) -> None:
        if self.neighbours < 1 or self.sample < self.neighbours:
            raise InvalidInputError(
                "1 or more neighbours are needed, and a sample at least as large, "
                f"got {self.neighbours} and {self.sample}"
            )


class SessionKnn:
    """Scores what the visits nearest to this one hold."""

    def __init__(self, config: SessionKnnConfig = SessionKnnConfig()) -> None:
        self.config = config
        self._visits: sparse.csr_array | None = None
        self._visits_of: sparse.csr_array | None = None

    def fit(self, sessions: Sessions, num_items: int) -> "SessionKnn":
        """Keep the visits, the latest last."""
        visits = visit_matrix(sessions, num_items)
        ends = np.append(np.flatnonzero(sessions.opens_visit)[1:], len(sessions.items)) - 1
        order = np.argsort(sessions.at[ends], kind="stable")
        self._visits = sparse.csr_array(visits[order])
        self._visits_of = sparse.csr_array(self._visits.T.tocsr())
        self._visits_of.sort_indices()
        return self

    def score(self, requests: Requests, rows: slice) -> Float32:
        """Score all items for some requests, (B, I)."""
        if self._visits is None or self._visits_of is None:
            raise NotFittedError("there are no visits to compare with: fit them first")
        recent = requests.recent(rows, REMEMBERED, this_visit_only=True)
        scores = np.zeros((len(recent.items), self._visits.shape[1]), dtype=np.float32)
        for row in range(len(scores)):
            self._vote(recent, row, scores[row])
        return scores

    def _vote(self, recent: RecentEvents, row: int, scores: Float32) -> None:
        assert self._visits is not None
        assert self._visits_of is not None
        items = recent.items[row][recent.is_there[row]]
        weights = {int(i): (n + 1) / len(items) for n, i in enumerate(items) if i != UNKNOWN}
        if not weights:
            return
        bounds, of_item = self._visits_of.indptr, self._visits_of.indices
        lists = [of_item[bounds[i] : bounds[i + 1]][-self.config.sample :] for i in weights]
        found = np.concatenate(lists)
        nearness = np.repeat(list(weights.values()), [len(each) for each in lists])
        visits, place = np.unique(found, return_inverse=True)
        likeness = np.bincount(place, nearness)
        newest_shared = np.zeros(len(visits))
        np.maximum.at(newest_shared, place, nearness)
        latest = np.arange(len(visits))[-self.config.sample :]
        best = latest[np.argsort(-likeness[latest], kind="stable")[: self.config.neighbours]]
        votes = (likeness * newest_shared)[best].astype(np.float32)
        scores += votes @ self._visits[visits[best]]


def visit_matrix(sessions: Sessions, num_items: int) -> sparse.csr_array:
    """Return (V, I) 1 where a visit holds an item."""
    known = sessions.items != UNKNOWN
    visit_of = sessions.visit_of
    number = int(visit_of[-1]) + 1 if len(visit_of) else 0
    cells = np.unique(visit_of[known] * num_items + sessions.items[known])
    ones = np.ones(len(cells), dtype=np.float32)
    return sparse.csr_array((ones, (cells // num_items, cells % num_items)), (number, num_items))
