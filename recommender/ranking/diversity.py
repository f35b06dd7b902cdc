"""Diversify a list by maximal marginal relevance: candidates and vectors in, an order out.

N candidates, G titles above them, D size of their vectors.
"""

import numpy as np

from recommender.arrays import Float32, Int64


def diversified(
    vectors: Float32, size: int, relevance_share: float, above: Float32 | None = None
) -> Int64:
    """Return the indices of the candidates to show, in order. O(size N + N² D).

    Each next one is the most relevant that is not like those before it (Carbonell and Goldstein,
    "The use of MMR, diversity-based reranking for reordering documents", SIGIR 1998):

        argmax_i  λ (1 - i / N) - (1 - λ) max_j ⟨v_i, v_j⟩        j above or chosen before

    Relevance is the candidate's rank, not its score: behind those that a ranker scored, scores
    are on another scale.

    Args:
        vectors: (N, D) of the candidates, best first; unit length, or zeros where nothing is known.
        size: how many to return at most.
        relevance_share: λ; 1 leaves the order as it is.
        above: (G, D) of the titles that stand before them.
    """
    count = len(vectors)
    if relevance_share >= 1 or count <= 1:
        return np.arange(min(size, count))
    similarity = vectors @ vectors.T * np.float32(1 - relevance_share)  # (N, N)
    penalty = np.zeros(count, dtype=np.float32)
    if above is not None and len(above):
        nearest = (vectors @ above.T).max(axis=1) * np.float32(1 - relevance_share)
        penalty = np.maximum(penalty, nearest)
    relevance = np.linspace(1, 0, count, endpoint=False, dtype=np.float32)
    relevance *= np.float32(relevance_share)
    chosen = np.empty(min(size, count), dtype=np.int64)
    for position in range(len(chosen)):
        best = int((relevance - penalty).argmax())
        chosen[position] = best
        relevance[best] = -np.inf
        np.maximum(penalty, similarity[best], out=penalty)
    return chosen
