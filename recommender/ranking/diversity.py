"""Titles that are not all alike: maximal marginal relevance.

N candidates, G titles given before them, D size of their vectors.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def diversified(
    vectors: Floats, size: int, relevance_share: float, given: Floats | None = None
) -> NDArray[np.int64]:
    """Return the places of the candidates to show, in the order to show them. O(size N + N² D).

    Each next one is the most relevant that is not like those before it (Carbonell and Goldstein,
    "The use of MMR, diversity-based reranking for reordering documents", SIGIR 1998):

        argmax_i  λ (1 - i / N) - (1 - λ) max_j ⟨v_i, v_j⟩        j given or chosen before

    Relevance is the candidate's place, not its score: behind those that a ranker judged, scores
    are on another scale.

    Args:
        vectors: (N, D) of the candidates, best first; unit length, or zeros where nothing is known.
        size: how many to return at most.
        relevance_share: λ; 1 leaves the order as it is.
        given: (G, D) of the titles that stand before them.
    """
    count = len(vectors)
    if relevance_share >= 1 or count <= 1:
        return np.arange(min(size, count))
    alike = vectors @ vectors.T * np.float32(1 - relevance_share)  # (N, N)
    penalty = np.zeros(count, dtype=np.float32)
    if given is not None and len(given):
        nearest = (vectors @ given.T).max(axis=1) * np.float32(1 - relevance_share)
        penalty = np.maximum(penalty, nearest)
    worth = np.linspace(1, 0, count, endpoint=False, dtype=np.float32)
    worth *= np.float32(relevance_share)
    chosen = np.empty(min(size, count), dtype=np.int64)
    for place in range(len(chosen)):
        best = int((worth - penalty).argmax())
        chosen[place] = best
        worth[best] = -np.inf
        np.maximum(penalty, alike[best], out=penalty)
    return chosen
