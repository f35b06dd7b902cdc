"""Rows to arrays, once: what training learns from."""

import numpy as np

from recommender.data.interactions import Interactions
from webapp.events.sessions import liked_pairs


def export_interactions() -> Interactions:
    """Read every positive interaction of every profile. Three streamed queries."""
    pairs = np.fromiter(
        liked_pairs(), dtype=[("profile", np.int64), ("title", np.int64), ("at", np.float64)]
    )
    return Interactions.from_pairs(pairs["profile"], pairs["title"], pairs["at"])
