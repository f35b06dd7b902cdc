"""Titles to ask a newcomer about: well liked, and of every kind."""

import numpy as np

from recommender.data.catalogue import Catalogue
from recommender.serving.candidates import genres_by_size
from webapp.catalog.models import Title
from webapp.engine.live import holder

STARTERS = 36


def starters(limit: int | None, k: int = STARTERS) -> list[Title]:
    """Return titles within a maturity limit, each genre's best liked in turn. Two queries.

    Args:
        limit: the age up to which titles may be shown; None for all.
        k: how many.
    """
    catalogue = holder.get().catalogue
    ids = catalogue.titles.ids_of(starting_items(catalogue, limit, k)).tolist()
    return Title.objects.for_cards().in_order(ids)


def starting_items(catalogue: Catalogue, limit: int | None, k: int) -> np.ndarray:
    """Return at most k item numbers: one of each genre in turn, the largest genre first.

    In a genre the title that most people liked comes first, ties by item number.
    """
    left = ~catalogue.above(limit)  # (I,)
    queues = []
    for genre in genres_by_size(catalogue):
        items = catalogue.items_with_genre(int(genre))
        queues.append(items[np.argsort(-catalogue.liked_by[items], kind="stable")])
    chosen: list[int] = []
    while len(chosen) < k and any(len(queue) for queue in queues):
        for n, queue in enumerate(queues):
            queues[n] = queue = queue[left[queue]]
            if len(queue) and len(chosen) < k:
                chosen.append(int(queue[0]))
                left[queue[0]] = False
    return np.array(chosen, dtype=np.int64)
