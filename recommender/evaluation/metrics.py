"""Ranking metrics: lists of items and relevant items in, a value for each list out.

B lists, k positions, I items. Ranks start at 1.
"""

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Float64, Floating, Int64
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN


def hits(items: Int64, relevant: sparse.csr_array) -> Bool:
    """Return where a list holds a relevant item.

    Args:
        items: (B, k), best first, -1 where a list has ended.
        relevant: (B, I), the stored cells are relevant.

    Returns:
        (B, k).
    """
    if len(items) != relevant.shape[0]:
        raise InvalidInputError(f"{len(items)} lists came with {relevant.shape[0]} sets of targets")
    num_items = relevant.shape[1]
    rows = np.repeat(np.arange(len(items)), np.diff(relevant.indptr))
    relevant_cells = rows * num_items + relevant.indices
    cells = np.arange(len(items))[:, None] * num_items + items
    return np.asarray(np.isin(cells, relevant_cells) & (items != UNKNOWN))


def ndcg(hits: Bool, num_relevant: Int64, k: int) -> Float64:
    """Return binary NDCG@k of each list, (B,), NaN where nothing is relevant.

        DCG@k = Σ_{r ≤ k} rel_r / log2(r + 1)

    The ideal list holds min(k, num_relevant) hits. A list may be shorter than k.
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[np.nan], np.cumsum(discounts)])[np.minimum(num_relevant, k)]
    top = hits[:, :k]
    return np.asarray(top @ discounts[: top.shape[1]] / ideal)


def recall(hits: Bool, num_relevant: Int64, k: int) -> Float64:
    """Return hits in k / min(k, num_relevant) of each list, (B,), NaN where nothing is relevant.

    This is the denominator of the Mult-VAE line of papers: a perfect list scores 1.
    """
    possible = np.minimum(num_relevant, k).astype(np.float64)
    return np.asarray(hits[:, :k].sum(axis=1) / np.where(possible > 0, possible, np.nan))


def rank_of_target(target: Floating, others: Floating) -> Float64:
    """Return the rank, from 1, of one target among other candidates, (B,).

    A tie counts half: the mean over all orders of the tied.

    Args:
        target: (B,), the target's score.
        others: (B, K), the scores of the candidates it competes with; NaN for none.
    """
    higher = (others > target[:, None]).sum(axis=1)
    tied = (others == target[:, None]).sum(axis=1)
    return np.asarray(1.0 + higher + 0.5 * tied)
