"""LightFM's idea on planted data: people like one of two kinds of titles, liked or not before."""

import numpy as np
from scipy import sparse

from benchmarks.hybrid_peer import HybridConfig, train_hybrid


def test_titles_without_likes_rank_by_their_features():
    rng = np.random.default_rng(3)
    kind = np.arange(80) % 2
    likes = (kind[None, :] == np.arange(30)[:, None] % 2) & (rng.random((30, 80)) < 0.5)
    likes[:, 60:] = False
    features = np.eye(2, dtype=np.float32)[kind]
    hybrid = train_hybrid(
        sparse.csr_array(likes.astype(np.float32)),
        sparse.csr_array(features),
        HybridConfig(embedding_size=8, epochs=60, batch_size=64),
    )
    scores = (hybrid.people @ hybrid.items.T)[:, 60:]
    own = kind[60:][None, :] == np.arange(30)[:, None] % 2
    assert (
        scores[own].reshape(30, -1).min(axis=1) > scores[~own].reshape(30, -1).max(axis=1)
    ).all()
