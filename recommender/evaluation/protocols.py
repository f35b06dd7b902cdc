"""Evaluation protocols: a scorer and held-out data in, values of ranking metrics out.

B batch, I items, k positions.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from scipy import sparse

from recommender.arrays import AnyArray, Float64
from recommender.data.sessions import Requests
from recommender.data.splits import HeldOut
from recommender.evaluation.metrics import (
    hits,
    ndcg,
    rank_of_target,
    recall,
)
from recommender.retrieval.top_k import top_k
from recommender.vocabulary import UNKNOWN

Score = Callable[[sparse.csr_array], AnyArray]
"""Takes histories (B, I), gives scores (B, I)."""

BATCH_BYTES = 64 * 2**20


def strong_generalisation(
    score: Score,
    held_out: HeldOut,
    recall_at: tuple[int, ...] = (20, 50),
    ndcg_at: tuple[int, ...] = (100,),
) -> dict[str, Float64]:
    """Rank all items for the held-out profiles, from their histories, and find their targets.

    Liang, Krishnan, Hoffman and Jebara, WWW 2018, and the papers that follow its protocol: items
    in the history are not ranked; profiles without targets are skipped.

    Returns:
        Each metric's values by its name, as `ndcg@100`: (B,), one for each profile with targets.
    """
    evaluated = np.flatnonzero(np.diff(held_out.targets.indptr))
    histories, targets = held_out.histories[evaluated], held_out.targets[evaluated]
    num_relevant = np.diff(targets.indptr).astype(np.int64)
    deepest = max(recall_at + ndcg_at)
    is_hit = np.zeros((len(evaluated), min(deepest, histories.shape[1])), dtype=np.bool_)
    for rows in batches(histories):
        _, items = top_k(score(histories[rows]), deepest, exclude=histories[rows])
        is_hit[rows] = hits(items, targets[rows])
    values = {f"ndcg@{k}": ndcg(is_hit, num_relevant, k) for k in ndcg_at}
    values |= {f"recall@{k}": recall(is_hit, num_relevant, k) for k in recall_at}
    return values


def next_item(
    score: Callable[[Requests, slice], AnyArray],
    requests: Requests,
    num_items: int,
    k: int = 20,
    *,
    without_past: bool = False,
) -> dict[str, Float64]:
    """Rank all items for each request, and find the item of its event.

    A tie counts half. A target that is no item of the model is a miss.

    Args:
        score: returns (B, I) for some of the requests.
        requests: to predict.
        num_items: I.
        k: positions that count.
        without_past: whether items the viewer met before are not ranked, as where nobody rates
            a title twice.

    Returns:
        `hr@k` (P@k where there is one target), `mrr@k` and `ndcg@k` of each request.
    """
    ranks = np.full(len(requests), np.inf)
    size = max(1, BATCH_BYTES // (8 * max(num_items, 1)))
    first = requests.viewer_starts()
    for begin in range(0, len(requests), size):
        rows = slice(begin, min(begin + size, len(requests)))
        scores, targets = np.array(score(requests, rows), dtype=np.float32), requests.targets[rows]
        if without_past:
            for row, (start, event) in enumerate(
                zip(first[rows], requests.events[rows], strict=True)
            ):
                past = requests.sessions.items[start:event]
                scores[row, past[past != UNKNOWN]] = np.nan
        with_target = np.flatnonzero(targets != UNKNOWN)
        target_scores = scores[with_target, targets[with_target]]
        scores[with_target, targets[with_target]] = np.nan
        ranks[begin + with_target] = rank_of_target(target_scores, scores[with_target])
    is_hit = ranks <= k
    return {
        f"hr@{k}": is_hit.astype(np.float64),
        f"mrr@{k}": np.where(is_hit, 1 / ranks, 0.0),
        f"ndcg@{k}": np.where(is_hit, 1 / np.log2(ranks + 1), 0.0),
    }


def batches(matrix: sparse.csr_array) -> Iterator[slice]:
    """Cut the rows so that a batch of dense scores fits in `BATCH_BYTES`."""
    size = max(1, BATCH_BYTES // (8 * max(matrix.shape[1], 1)))
    for first in range(0, matrix.shape[0], size):
        yield slice(first, min(first + size, matrix.shape[0]))


def means(values: Mapping[str, Float64]) -> dict[str, float]:
    """Return the mean of each metric; none without profiles."""
    return {name: float(v.mean()) for name, v in values.items() if len(v)}
