"""Rows to arrays, once: what training learns from."""

import numpy as np

from recommender.data.interactions import Interactions
from recommender.data.sessions import Sessions, is_last_of_playback
from recommender.vocabulary import UNKNOWN, Vocabulary
from webapp.events.sessions import liked_pairs, stored_events


def export_interactions() -> Interactions:
    """Read every positive interaction of every profile. Three streamed queries."""
    pairs = np.fromiter(
        liked_pairs(), dtype=[("profile", np.int64), ("title", np.int64), ("at", np.float64)]
    )
    return Interactions.from_pairs(pairs["profile"], pairs["title"], pairs["at"])


def export_sessions(items: Vocabulary) -> Sessions:
    """Read every viewer's events, over these items, what was played counted once."""
    events = list(stored_events())
    titles = np.array([UNKNOWN if e.title_id is None else e.title_id for e in events], np.int64)
    sessions = Sessions.from_events(
        [event.viewer for event in events],
        items.items_of(titles),
        [event.at for event in events],
        kinds=[event.kind for event in events],
        queries={n: event.query for n, event in enumerate(events) if event.query},
    )
    return sessions.only(is_last_of_playback(sessions.items, sessions.kinds, sessions.visit_of))
