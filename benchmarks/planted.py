"""Interactions made to a given shape, with tastes planted in them that a model can find.

Each of the topics prefers some items; each profile mixes a few topics. A profile's items are
drawn from its mixture, so knowing the mixture is as good as one can do.

U profiles, I items, N interactions, T topics.
"""

import numpy as np
from scipy import sparse

SHAPES = {
    # profiles, items, interactions: what remains of each with ratings above 3.5 and 5 or more each
    "ml-1m": (6_034, 3_533, 575_000),
    "ml-20m": (136_677, 20_108, 8_700_000),
}


def planted(
    num_profiles: int, num_items: int, num_interactions: int, seed: int = 0, num_topics: int = 120
) -> sparse.csr_array:
    """Return a (U, I) float32 csr matrix of ones with about `num_interactions` of them."""
    rng = np.random.default_rng(seed)
    popularity = np.log(np.arange(num_items) + 20.0) * -1.0
    taste = rng.normal(0.0, 3.3, (num_topics, num_items)) + popularity  # (T, I)
    weights = np.exp(taste - taste.max(axis=1, keepdims=True))
    cumulative = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    mixtures = rng.gamma(0.05, size=(num_profiles, num_topics)) + 1e-6
    lengths = rng.lognormal(0.0, 1.1, num_profiles)
    lengths = np.maximum(5, lengths * num_interactions * 0.98 / lengths.sum()).astype(np.int64)
    cells = np.empty(0, dtype=np.int64)
    missing = lengths
    for _ in range(3):  # what is drawn twice is drawn anew
        drawn = _draw(missing, mixtures, cumulative, rng)
        cells = np.union1d(cells, drawn)
        missing = lengths - np.bincount(cells // num_items, minlength=num_profiles)
    rows, columns = np.divmod(cells, num_items)
    columns = rng.permutation(num_items)[columns]  # item numbers tell nothing of popularity
    ones = np.ones(len(cells), dtype=np.float32)
    return sparse.csr_array((ones, (rows, columns)), shape=(num_profiles, num_items))


def _draw(
    numbers: np.ndarray, mixtures: np.ndarray, cumulative: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw so many items for each profile; return cells profile · I + item."""
    num_topics, num_items = cumulative.shape
    shares = mixtures / mixtures.sum(axis=1, keepdims=True)
    profiles = np.repeat(np.arange(len(numbers)), np.maximum(numbers, 0))
    bounds = (np.cumsum(shares, axis=1) + np.arange(len(shares))[:, None]).ravel()
    topics = np.searchsorted(bounds, profiles + rng.random(len(profiles)) * 0.999999)
    topics = np.minimum(topics - profiles * num_topics, num_topics - 1)
    steps = (cumulative + np.arange(num_topics)[:, None]).ravel()
    order = np.argsort(topics, kind="stable")
    items = np.empty(len(topics), dtype=np.int64)
    found = np.searchsorted(steps, topics[order] + rng.random(len(topics)) * 0.999999)
    items[order] = np.clip(found - topics[order] * num_items, 0, num_items - 1)
    return np.unique(profiles * num_items + items)
