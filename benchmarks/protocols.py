"""Protocols that only published comparisons need: histories and targets in, values of metrics out.

B profiles, I items, K negatives, k positions.
"""

import numpy as np
from scipy import sparse

from recommender.arrays import Float64, Floating, Int64
from recommender.evaluation.metrics import rank_of_target
from recommender.evaluation.protocols import Score, batches


def sampled_leave_one_out(
    score: Score, histories: sparse.csr_array, targets: Int64, negatives: Int64, k: int = 10
) -> dict[str, Float64]:
    """Ask for each profile's target among a few sampled negatives.

    He et al., "Neural Collaborative Filtering", WWW 2017. The figures depend on how many negatives
    there are, and cannot be compared with those over all items (Krichene and Rendle, KDD 2020).

    Args:
        score: what is judged.
        histories: (B, I).
        targets: (B,) items.
        negatives: (B, K) items; a profile's own target among them is left out of account.
        k: places that count.

    Returns:
        `hr@k` and `ndcg@k` of each profile, (B,).
    """
    ranks = np.empty(len(targets))
    for rows in batches(histories):
        scores = np.asarray(score(histories[rows]), dtype=np.float64)
        wanted, others = targets[rows, None], negatives[rows]
        competing = np.take_along_axis(scores, others, axis=1)
        competing[others == wanted] = np.nan
        ranks[rows] = rank_of_target(np.take_along_axis(scores, wanted, axis=1)[:, 0], competing)
    return {
        f"hr@{k}": (ranks <= k).astype(np.float64),
        f"ndcg@{k}": np.where(ranks <= k, 1 / np.log2(ranks + 1), 0.0),
    }


def bottom_shares(order: Floating, parts: int = 10) -> list[tuple[float, Int64]]:
    """Return the bottom tenth of the profiles, two tenths, and so on to all.

    Args:
        order: (B,) what puts a profile at the bottom, low values first; all that share a border's
            value are in. NaN leaves a profile out.
        parts: how many borders.

    Returns:
        Each share with the rows of its profiles.
    """
    known = order[~np.isnan(order)]
    if not len(known):
        return []
    shares = [part / parts for part in range(1, parts + 1)]
    borders = np.quantile(known, shares, method="inverted_cdf")
    return [
        (share, np.flatnonzero(order <= border))
        for share, border in zip(shares, borders, strict=True)
    ]
