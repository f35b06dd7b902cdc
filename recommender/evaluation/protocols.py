"""How a scorer is questioned: what it is shown, what it must find, among which items.

B batch, I items, k places.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.data.splits import HeldOut
from recommender.evaluation.metrics import hits, ndcg, recall
from recommender.retrieval.top_k import top_k

Values = NDArray[np.float64]
Score = Callable[[sparse.csr_array], NDArray[Any]]
"""Takes histories (B, I), gives scores (B, I)."""

BATCH_BYTES = 64 * 2**20


def strong_generalisation(
    score: Score,
    held_out: HeldOut,
    recall_at: tuple[int, ...] = (20, 50),
    ndcg_at: tuple[int, ...] = (100,),
) -> dict[str, Values]:
    """Ask for the held-out profiles' targets, given the rest of their history.

    Liang, Krishnan, Hoffman and Jebara, WWW 2018, and the papers that follow its protocol: items
    in the history are not ranked; profiles without targets are skipped.

    Returns:
        Each metric's values by its name, as `ndcg@100`: (B,), one for each profile with targets.
    """
    asked = np.flatnonzero(np.diff(held_out.targets.indptr))
    histories, targets = held_out.histories[asked], held_out.targets[asked]
    num_relevant = np.diff(targets.indptr).astype(np.int64)
    deepest = max(recall_at + ndcg_at)
    found = np.zeros((len(asked), min(deepest, histories.shape[1])), dtype=np.bool_)
    batch = max(1, BATCH_BYTES // (8 * max(histories.shape[1], 1)))
    for first in range(0, len(asked), batch):
        rows = slice(first, first + batch)
        _, items = top_k(score(histories[rows]), deepest, exclude=histories[rows])
        found[rows] = hits(items, targets[rows])
    values = {f"ndcg@{k}": ndcg(found, num_relevant, k) for k in ndcg_at}
    values |= {f"recall@{k}": recall(found, num_relevant, k) for k in recall_at}
    return values


def means(values: Mapping[str, Values]) -> dict[str, float]:
    """Return the mean of each metric; none where no profile was asked."""
    return {name: float(v.mean()) for name, v in values.items() if len(v)}
