"""Ranking metrics over many lists at once. Ranks count from 1.

B lists, k places, I items, D embedding.
"""

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Float64, Floating, Int64
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN


def hits(items: Int64, relevant: sparse.csr_array) -> Bool:
    """Return where a list names a relevant item.

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
    wanted = rows * num_items + relevant.indices
    cells = np.arange(len(items))[:, None] * num_items + items
    return np.asarray(np.isin(cells, wanted) & (items != UNKNOWN))


def ndcg(hits: Bool, num_relevant: Int64, k: int) -> Float64:
    """Return binary NDCG@k of each list, (B,), NaN where nothing is relevant.

        DCG@k = Σ_{r ≤ k} rel_r / log2(r + 1)

    The ideal list holds min(k, num_relevant) hits. A list may be shorter than k.
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[np.nan], np.cumsum(discounts)])[np.minimum(num_relevant, k)]
    found = hits[:, :k]
    return np.asarray(found @ discounts[: found.shape[1]] / ideal)


def recall(hits: Bool, num_relevant: Int64, k: int) -> Float64:
    """Return hits in k / min(k, num_relevant) of each list, (B,), NaN where nothing is relevant.

    This is the denominator of the Mult-VAE line of papers: a perfect list scores 1.
    """
    possible = np.minimum(num_relevant, k).astype(np.float64)
    return np.asarray(hits[:, :k].sum(axis=1) / np.where(possible > 0, possible, np.nan))


def hit_rate(hits: Bool, k: int) -> Float64:
    """Return HR@k of each list, (B,): 1 where a relevant item is among the first k."""
    return np.asarray(hits[:, :k].any(axis=1), dtype=np.float64)


def reciprocal_rank(hits: Bool, k: int) -> Float64:
    """Return 1 / the rank of the first hit of each list, (B,), 0 without one; the mean is MRR@k."""
    found = hits[:, :k]
    first = found.argmax(axis=1)
    return np.where(found.any(axis=1), 1.0 / (first + 1), 0.0)


def rank_of_target(target: Floating, others: Floating) -> Float64:
    """Return the rank, from 1, of one target among other candidates, (B,).

    A tie counts half: the mean over the orders the tied could stand in.

    Args:
        target: (B,), the target's score.
        others: (B, K), the scores of the candidates it competes with; NaN for none.
    """
    higher = (others > target[:, None]).sum(axis=1)
    tied = (others == target[:, None]).sum(axis=1)
    return np.asarray(1.0 + higher + 0.5 * tied)


def coverage(items: Int64, num_items: int) -> float:
    """Return the share of the catalogue that stands in at least one list.

    Args:
        items: (B, k), -1 where a list has ended.
        num_items: I.
    """
    _check_items(items, num_items)
    return len(np.unique(items[items != UNKNOWN])) / num_items


def gini(items: Int64, num_items: int) -> float:
    """Return how unevenly the lists' places are spread over the catalogue.

        G = Σ_i (2 r_i - I - 1) n_i / (I Σ_i n_i)     n_i places of item i, r_i its rank, ascending

    0 where all items stand equally often, (I - 1) / I where one item has every place.
    """
    _check_items(items, num_items)
    counts = np.sort(np.bincount(items[items != UNKNOWN], minlength=num_items))
    if not counts.sum():
        return float("nan")
    ranks = np.arange(1, num_items + 1)
    return float((2 * ranks - num_items - 1) @ counts / (num_items * counts.sum()))


def novelty(items: Int64, counts: Floating, num_profiles: int) -> Float64:
    """Return the mean surprise of each list in bits, (B,), NaN for an empty list.

        -log2((n_i + 1) / (U + 1))      n_i profiles liked item i

    Args:
        items: (B, k), -1 where a list has ended.
        counts: (I,), n.
        num_profiles: U.
    """
    surprise = -np.log2((np.asarray(counts, dtype=np.float64) + 1) / (num_profiles + 1))
    there = items != UNKNOWN
    total = np.where(there, surprise[np.where(there, items, 0)], 0.0).sum(axis=1)
    number = there.sum(axis=1)
    return np.asarray(total / np.where(number > 0, number, np.nan))


def intra_list_diversity(items: Int64, vectors: Floating) -> Float64:
    """Return 1 - the mean cosine over the pairs in each list, (B,), NaN below two items.

    Args:
        items: (B, k), -1 where a list has ended.
        vectors: (I, D); an item whose vector is 0 counts as orthogonal to all.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, norms, out=np.zeros_like(vectors, dtype=np.float64), where=norms > 0)
    there = items != UNKNOWN
    near = units[np.where(there, items, 0)] * there[:, :, None]  # (B, k, D)
    sums = near.sum(axis=1)
    # Σ_{a ≠ b} ⟨x_a, x_b⟩ = ‖Σ x_a‖² - Σ ‖x_a‖²
    alike = np.einsum("bd,bd->b", sums, sums) - np.einsum("bkd,bkd->b", near, near)
    number = there.sum(axis=1)
    pairs = number * (number - 1)
    return np.asarray(1.0 - alike / np.where(pairs > 0, pairs, np.nan))


def _check_items(items: Int64, num_items: int) -> None:
    if num_items < 1 or (items.size and (items.min() < UNKNOWN or items.max() >= num_items)):
        raise InvalidInputError(f"items must lie in 0 to {num_items - 1}, or be -1")
