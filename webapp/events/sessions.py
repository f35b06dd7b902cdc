"""What is known of a viewer right now: this visit's events, and the profile's history.

Nothing here is cached: what was recorded a moment ago is in the next answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import F, FloatField, Max, Q, QuerySet, Value, Window

from webapp.events.models import Event
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import HiddenTitle, ListEntry, Profile, Rating

QUALIFIED_SECONDS = 120
QUALIFIED_SHARE = 0.7
FINISHED_SHARE = 0.95
IN_SESSION_EVENTS = 200
"""How many of the visit's newest events count."""

IN_SESSION_WEIGHT: dict[str, float] = {
    Event.Kind.OPEN: 1.0,
    Event.Kind.CHOOSE: 1.0,
    Event.Kind.PLAY: 2.0,
    Event.Kind.PROGRESS: 2.0,
    Event.Kind.STOP: 2.0,
    Event.Kind.FINISH: 3.0,
}
"""How much an event of this visit says for its title, where a liked title of the past says 1.

A starting point, to be replaced by learned weights (docs/metrics.md, "Evidence").
"""
ADDED_WEIGHT = 2.0
LIKED_WEIGHT = 3.0


@dataclass(frozen=True)
class Playback:
    """How far a profile (or an anonymous visit) is in a title."""

    title_id: int
    at: datetime
    position_seconds: int
    duration_seconds: int
    furthest_seconds: int
    was_finished: bool

    @property
    def progress(self) -> float:
        """The share played, 0 to 1; 0 where the length is unknown."""
        if not self.duration_seconds:
            return 0.0
        return min(self.position_seconds / self.duration_seconds, 1.0)

    @property
    def is_qualified(self) -> bool:
        """At least 2 minutes watched, or 70 % of a title shorter than that."""
        enough = QUALIFIED_SECONDS
        if self.duration_seconds:
            enough = min(enough, int(QUALIFIED_SHARE * self.duration_seconds))
        return self.was_finished or self.furthest_seconds >= enough

    @property
    def is_unfinished(self) -> bool:
        return self.progress < FINISHED_SHARE


@dataclass(frozen=True)
class Verdict:
    """A title the profile rated, listed or hid, and when."""

    source: str
    title_id: int
    stars: float
    at: datetime


@dataclass(frozen=True)
class InSessionEvent:
    kind: str
    title_id: int
    value: str
    at: datetime


@dataclass(frozen=True)
class Evidence:
    """All that tells a viewer's taste at this moment, oldest first."""

    verdicts: list[Verdict]
    playbacks: list[Playback]
    in_session: list[InSessionEvent]

    def liked(self) -> dict[int, float]:
        """Each title that speaks for the viewer's taste and how much it says.

        The past says 1 for a title liked, listed or watched; what happened in this visit says
        what `IN_SESSION_WEIGHT` gives its kind. A title disliked or hidden is not in it.
        """
        liked = {
            verdict.title_id: 1.0
            for verdict in self.verdicts
            if verdict.source == "list" or verdict.stars >= Rating.LIKED_FROM_STARS
        }
        liked |= {p.title_id: 1.0 for p in self.playbacks if p.is_qualified}
        for event in self.in_session:
            weight = _in_session_weight(event)
            liked[event.title_id] = max(weight, liked.get(event.title_id, 0.0))
        refused = self.disliked() | self.hidden()
        return {id_: weight for id_, weight in liked.items() if weight > 0 and id_ not in refused}

    def disliked(self) -> set[int]:
        return {
            v.title_id
            for v in self.verdicts
            if v.source == "rating" and v.stars <= Rating.DISLIKED_TO_STARS
        }

    def hidden(self) -> set[int]:
        return {v.title_id for v in self.verdicts if v.source == "hidden"}

    def listed(self) -> list[int]:
        """My List, newest first."""
        return [v.title_id for v in reversed(self.verdicts) if v.source == "list"]

    def seen(self) -> set[int]:
        """Titles rated or watched for real: no news to recommend."""
        rated = {v.title_id for v in self.verdicts if v.source == "rating"}
        return rated | {p.title_id for p in self.playbacks if p.is_qualified}

    def unfinished(self) -> list[Playback]:
        """What can be continued, newest first."""
        return [p for p in reversed(self.playbacks) if p.is_unfinished]

    def recent_reasons(self) -> list[int]:
        """Titles to explain a row with, the most telling first.

        What was played or opened in this visit, newest first; then earlier plays; then what was
        rated highest, latest first.
        """
        liked = self.liked()
        played = [e.title_id for e in reversed(self.in_session) if e.kind in Event.PLAYBACK]
        opened = [e.title_id for e in reversed(self.in_session) if _in_session_weight(e) > 0]
        before = [p.title_id for p in reversed(self.playbacks)]
        rated = sorted(
            (v for v in self.verdicts if v.source == "rating"),
            key=lambda v: (v.stars, v.at),
            reverse=True,
        )
        ordered = [*played, *opened, *before, *(v.title_id for v in rated)]
        return [id_ for id_ in dict.fromkeys(ordered) if id_ in liked]


def evidence_of(visit: CurrentVisit) -> Evidence:
    """Read all evidence of the visit's viewer. Three queries, each by an index."""
    return Evidence(
        list(_verdicts(visit.profile)) if visit.profile else [],
        playbacks_of(visit),
        _in_session(visit),
    )


def playbacks_of(visit: CurrentVisit) -> list[Playback]:
    """Each title the viewer began, oldest first. One query."""
    of_viewer = Q(profile=visit.profile) if visit.profile else Q(visit=visit.id)
    latest = (
        Event.objects.filter(of_viewer, kind__in=Event.PLAYBACK)
        .annotate(
            furthest=Window(Max("position_seconds"), partition_by="title_id"),
            finished=Window(BoolOr(Q(kind=Event.Kind.FINISH)), partition_by="title_id"),
            length=Window(Max("duration_seconds"), partition_by="title_id"),
        )
        .order_by("title_id", "-occurred_at", "-received_at")
        .distinct("title_id")
        .values_list(
            "title_id", "occurred_at", "position_seconds", "length", "furthest", "finished"
        )
    )
    playbacks = [
        Playback(title_id, at, position or 0, length or 0, furthest or 0, finished)
        for title_id, at, position, length, furthest, finished in latest
    ]
    return sorted(playbacks, key=lambda p: (p.at, p.title_id))


def liked_pairs() -> Iterator[tuple[int, int, float]]:
    """Every (profile, title, seconds since 1970) that training takes as positive.

    The same rule as `Evidence.liked` without this visit: liked, listed, or watched for real.
    Three streamed queries.
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
        ).values_list("profile_id", "title_id", "occurred_at"),
    )
    for rows in sources:
        for profile_id, title_id, at in rows.iterator(chunk_size=20_000):
            yield profile_id, title_id, at.timestamp()


def _verdicts(profile: Profile) -> Iterator[Verdict]:
    no_stars = Value(0.0, output_field=FloatField())
    rows = (
        Rating.objects.filter(profile=profile)
        .annotate(source=Value("rating"), given=F("stars"), at=F("rated_at"))
        .values_list("source", "title_id", "given", "at")
        .union(
            ListEntry.objects.filter(profile=profile)
            .annotate(source=Value("list"), given=no_stars, at=F("added_at"))
            .order_by()
            .values_list("source", "title_id", "given", "at"),
            HiddenTitle.objects.filter(profile=profile)
            .annotate(source=Value("hidden"), given=no_stars, at=F("hidden_at"))
            .values_list("source", "title_id", "given", "at"),
            all=True,
        )
        .order_by("at", "title_id")
    )
    return (Verdict(*row) for row in rows)


def _in_session(visit: CurrentVisit) -> list[InSessionEvent]:
    newest = (
        Event.objects.filter(visit=visit.id, title__isnull=False)
        .exclude(kind=Event.Kind.IMPRESSION)
        .order_by("-occurred_at", "-received_at")
        .values_list("kind", "title_id", "value", "occurred_at")[:IN_SESSION_EVENTS]
    )
    return [InSessionEvent(*row) for row in reversed(newest)]


def _in_session_weight(event: InSessionEvent) -> float:
    if event.kind == Event.Kind.THUMB:
        return LIKED_WEIGHT if event.value in ("up", "love") else 0.0
    if event.kind == Event.Kind.LIST:
        return ADDED_WEIGHT if event.value == "add" else 0.0
    return IN_SESSION_WEIGHT.get(event.kind, 0.0)
