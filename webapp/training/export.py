"""Rows to arrays, once: what training learns from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import F, Q, QuerySet

from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind, Sessions, is_last_of_playback
from recommender.vocabulary import UNKNOWN, Vocabulary
from webapp.events.encoder_kinds import EventRow, meaning_of, meaning_of_stars
from webapp.events.models import Event
from webapp.events.playback import QUALIFIED_SECONDS, QUALIFIED_SHARE
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

    The same rule as `Evidence.liked` without this visit: liked, listed, or watched for real.
    Simulated viewers teach no release. Three streamed queries.
    """
    sources: Iterable[QuerySet[Any, tuple[int, int, datetime]]] = (
        Rating.objects.filter(stars__gte=Rating.LIKED_FROM_STARS).values_list(
            "profile_id", "title_id", "rated_at"
        ),
        ListEntry.objects.values_list("profile_id", "title_id", "added_at"),
        Event.objects.filter(
            Q(kind=Event.Kind.FINISH)
            | Q(position_seconds__gte=QUALIFIED_SECONDS)
            | Q(position_seconds__gte=F("duration_seconds") * QUALIFIED_SHARE),
            kind__in=Event.PLAYBACK,
            profile__isnull=False,
            visit__is_simulated=False,
        ).values_list("profile_id", "title_id", "occurred_at"),
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

    Anonymous visits are viewers of their own, with numbers below 0. Two streamed queries.
    """
    anonymous: dict[Any, int] = {}
    thumbed: set[tuple[int, int]] = set()
    rows = (
        Event.objects.filter(visit__is_simulated=False)
        .exclude(kind=Event.Kind.IMPRESSION)
        .order_by("occurred_at", "received_at")
        .values_list("profile_id", *EventRow._fields)
    )
    for profile_id, *fields in rows.iterator(chunk_size=20_000):
        event = EventRow(*fields)
        meaning = meaning_of(event.told, event.value)
        if profile_id is not None and event.kind == Event.Kind.THUMB and event.title_id:
            thumbed.add((profile_id, event.title_id))
        if meaning is not None:
            viewer = profile_id or anonymous.setdefault(event.visit_id, -1 - len(anonymous))
            at = event.occurred_at.timestamp()
            yield StoredEvent(viewer, event.title_id, meaning, at, event.query)
    ratings = Rating.objects.order_by("pk").values_list(
        "profile_id", "title_id", "stars", "rated_at"
    )
    for profile_id, title_id, stars, rated_at in ratings.iterator(chunk_size=20_000):
        if (profile_id, title_id) not in thumbed:
            yield StoredEvent(profile_id, title_id, meaning_of_stars(stars), rated_at.timestamp())
