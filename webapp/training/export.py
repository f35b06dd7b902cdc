"""Rows to arrays, once: what training learns from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind, Sessions, is_last_of_playback
from recommender.vocabulary import UNKNOWN, Vocabulary
from webapp.events.encoder_kinds import effective_kind, encoder_kind, encoder_kind_of_stars
from webapp.events.models import Event, Play
from webapp.profiles.models import ListEntry, Rating


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


def liked_pairs() -> Iterator[tuple[int, int, float]]:
    """Every (profile, title, seconds since 1970) that training takes as positive.

    The same rule as `Evidence.liked` without this visit: liked, listed, or a qualified play.
    Simulated viewers and bots teach no release. Three streamed queries.
    """
    sources: Iterable[QuerySet[Any, Any]] = (
        Rating.objects.filter(stars__gte=Rating.LIKED_FROM_STARS).values_list(
            "profile_id", "title_id", "rated_at"
        ),
        ListEntry.objects.values_list("profile_id", "title_id", "at"),
        Play.objects.of_people()
        .qualified()
        .filter(profile__isnull=False)
        .values_list("profile_id", "title_id", "qualified_at"),
    )
    for rows in sources:
        for profile_id, title_id, at in rows.iterator(chunk_size=20_000):
            yield profile_id, title_id, at.timestamp()


@dataclass(frozen=True)
class StoredEvent:
    """An event as the session encoder learns from it.

    The viewer is a profile, or a number below 0 for the visit of an anonymous browser.
    """

    viewer: int
    title_id: int | None
    kind: EventKind
    at: float
    query: str = ""


def stored_events() -> Iterator[StoredEvent]:
    """Every event of people that tells something, and every rating that came without one.

    Anonymous visits are viewers of their own, with numbers below 0. Simulated viewers and bots
    teach nothing. Three streamed queries.
    """
    qualified_at = _first_qualified()
    anonymous: dict[UUID, int] = {}
    thumbed: set[tuple[int, int]] = set()
    rows = (
        Event.objects.of_people()
        .exclude(kind=Event.Kind.IMPRESSION)
        .order_by("occurred_at", "received_at")
        .values_list("profile_id", "visit_id", "title_id", "kind", "value", "occurred_at", "query")
    )
    for profile_id, visit_id, title_id, stored_kind, value, at, query in rows.iterator(
        chunk_size=20_000
    ):
        kind = effective_kind(stored_kind, at, qualified_at.get((profile_id or visit_id, title_id)))
        meaning = encoder_kind(kind, value)
        if profile_id is not None and kind == Event.Kind.THUMB and title_id:
            thumbed.add((profile_id, title_id))
        if meaning is not None:
            viewer = profile_id or anonymous.setdefault(visit_id, -1 - len(anonymous))
            yield StoredEvent(viewer, title_id, meaning, at.timestamp(), query)
    ratings = Rating.objects.order_by("pk").values_list(
        "profile_id", "title_id", "stars", "rated_at"
    )
    for profile_id, title_id, stars, rated_at in ratings.iterator(chunk_size=20_000):
        if (profile_id, title_id) not in thumbed:
            meaning = encoder_kind_of_stars(stars)
            yield StoredEvent(profile_id, title_id, meaning, rated_at.timestamp())


def _first_qualified() -> dict[tuple[int | UUID, int | None], datetime]:
    """Return when a viewer's play of a title first qualified, by profile or anonymous visit."""
    first: dict[tuple[int | UUID, int | None], datetime] = {}
    plays = Play.objects.of_people().qualified().order_by("qualified_at")
    rows = plays.values_list("profile_id", "visit_id", "title_id", "qualified_at")
    for profile_id, visit_id, title_id, at in rows.iterator(chunk_size=20_000):
        if at is not None:
            first.setdefault((profile_id or visit_id, title_id), at)
    return first
