"""Rows to arrays, once: what training learns from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import QuerySet

from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind, Sessions, is_last_of_playback, next_in_visit
from recommender.training.visits import MIN_TARGETS
from recommender.vocabulary import UNKNOWN, Vocabulary
from webapp.events.encoder_kinds import effective_kind, encoder_kind
from webapp.events.models import Event, Play
from webapp.postgresql.replica import reading_from_replica
from webapp.profiles.models import ListEntry, Rating


@reading_from_replica()
def export_interactions() -> Interactions:
    """Read every positive interaction of every profile. Three streamed queries."""
    pairs = np.fromiter(
        liked_pairs(), dtype=[("profile", np.int64), ("title", np.int64), ("at", np.float64)]
    )
    return Interactions.from_pairs(pairs["profile"], pairs["title"], pairs["at"])


@dataclass(frozen=True)
class RecordedVisits:
    """Visits that the session encoder may learn from: of people, or of simulated viewers."""

    sessions: Sessions
    is_simulated: bool

    @property
    def targets(self) -> int:
        """The events that follow another in their visit."""
        return len(next_in_visit(self.sessions))


@reading_from_replica()
def export_visits(items: Vocabulary) -> RecordedVisits:
    """Read the visits that a session encoder may learn from.

    People's; or, where `RANKER_LEARNS_FROM_SIMULATED` allows it, people's are too few and
    simulated viewers' are not, those of simulated viewers; never both (`webapp.slates.readiness`).
    """
    real = RecordedVisits(export_sessions(items), is_simulated=False)
    if real.targets >= MIN_TARGETS or not settings.RANKER_LEARNS_FROM_SIMULATED:
        return real
    simulated = RecordedVisits(export_sessions(items, is_simulated=True), is_simulated=True)
    return simulated if simulated.targets >= MIN_TARGETS else real


def export_sessions(items: Vocabulary, *, is_simulated: bool = False) -> Sessions:
    """Read the recorded events of visits, over these items; a playback counts once.

    Args:
        items: other titles are `UNKNOWN`.
        is_simulated: of simulated viewers instead of people.
    """
    events = list(stored_events(is_simulated=is_simulated))
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


def stored_events(*, is_simulated: bool = False) -> Iterator[StoredEvent]:
    """Every recorded event that the session encoder can read, in time order. Two streamed queries.

    Ratings are no events: people rate lists that a site shows them, and the order of such a list
    says nothing of a visit. Anonymous visits are viewers of their own, with numbers below 0. Bots
    teach nothing.

    Args:
        is_simulated: of simulated viewers instead of people.
    """
    qualified_at = _first_qualified(is_simulated)
    anonymous: dict[UUID, int] = {}
    events = Event.objects.of_simulated() if is_simulated else Event.objects.of_people()
    rows = (
        events.exclude(kind=Event.Kind.IMPRESSION)
        .order_by("occurred_at", "received_at")
        .values_list("profile_id", "visit_id", "title_id", "kind", "value", "occurred_at", "query")
    )
    for profile_id, visit_id, title_id, stored_kind, value, at, query in rows.iterator(
        chunk_size=20_000
    ):
        kind = effective_kind(stored_kind, at, qualified_at.get((profile_id or visit_id, title_id)))
        meaning = encoder_kind(kind, value)
        if meaning is not None:
            viewer = profile_id or anonymous.setdefault(visit_id, -1 - len(anonymous))
            yield StoredEvent(viewer, title_id, meaning, at.timestamp(), query)


def _first_qualified(is_simulated: bool) -> dict[tuple[int | UUID, int | None], datetime]:
    """Return when a viewer's play of a title first qualified, by profile or anonymous visit."""
    first: dict[tuple[int | UUID, int | None], datetime] = {}
    plays = Play.objects.of_simulated() if is_simulated else Play.objects.of_people()
    rows = (
        plays.qualified()
        .order_by("qualified_at")
        .values_list("profile_id", "visit_id", "title_id", "qualified_at")
    )
    for profile_id, visit_id, title_id, at in rows.iterator(chunk_size=20_000):
        if at is not None:
            first.setdefault((profile_id or visit_id, title_id), at)
    return first
