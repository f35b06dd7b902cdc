"""Playback: what makes a play qualified, and how far a viewer is in each title begun."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Max, Min, Q, QuerySet, Window

from webapp.events.models import Event
from webapp.events.prepared import Prepared
from webapp.events.visits import CurrentVisit

QUALIFIED_SECONDS = 120
QUALIFIED_SHARE = 0.7
FINISHED_SHARE = 0.95


@dataclass(frozen=True)
class Playback:
    """How far a profile (or an anonymous browser) is in a title.

    Visit, kind, time and position are the latest event's.
    """

    title_id: int
    visit_id: UUID
    kind: str
    at: datetime
    began_at: datetime
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
        return self.was_finished or is_enough(self.furthest_seconds, self.duration_seconds)

    @property
    def is_unfinished(self) -> bool:
        return self.progress < FINISHED_SHARE


def is_enough(position_seconds: int | None, duration_seconds: int | None) -> bool:
    """Whether so much of a title makes a qualified play."""
    enough = QUALIFIED_SECONDS
    if duration_seconds:
        enough = min(enough, int(QUALIFIED_SHARE * duration_seconds))
    return (position_seconds or 0) >= enough


def playbacks_of(visit: CurrentVisit, title_id: int | None = None) -> list[Playback]:
    """Each title the viewer began, or this one alone; oldest first. One query.

    An anonymous browser is remembered over this visit and the one before.
    """
    if title_id is not None:
        rows = list(_latest(_of_viewer(visit) & Q(title=title_id)))
    elif visit.profile:
        rows = _LATEST_OF_PROFILE.rows(profile=visit.profile.pk)
    else:
        rows = _LATEST_OF_BROWSER.rows(visit=visit.id, previous=visit.previous_id)
    playbacks = [
        Playback(id_, visit_id, kind, at, began, position or 0, length or 0, furthest or 0, ended)
        for id_, visit_id, kind, at, began, position, length, furthest, ended in rows
    ]
    return sorted(playbacks, key=lambda p: (p.at, p.title_id))


def _of_viewer(visit: CurrentVisit) -> Q:
    if visit.profile:
        return Q(profile=visit.profile)
    return Q(profile=None, visit__in=[id_ for id_ in (visit.id, visit.previous_id) if id_])


def _latest(of_viewer: Q) -> QuerySet[Any, Any]:
    """The latest playback of each title, with what all of them reached."""
    return (
        Event.objects.filter(of_viewer, kind__in=Event.PLAYBACK)
        .annotate(
            began_at=Window(Min("occurred_at"), partition_by="title_id"),
            furthest=Window(Max("position_seconds"), partition_by="title_id"),
            finished=Window(BoolOr(Q(kind=Event.Kind.FINISH)), partition_by="title_id"),
            length=Window(Max("duration_seconds"), partition_by="title_id"),
        )
        .order_by("title_id", "-occurred_at", "-received_at")
        .distinct("title_id")
        .values_list(
            "title_id", "visit_id", "kind", "occurred_at", "began_at",
            "position_seconds", "length", "furthest", "finished",
        )
    )  # fmt: skip


_LATEST_OF_PROFILE = Prepared(lambda profile: _latest(Q(profile=profile)), profile=int)
_LATEST_OF_BROWSER = Prepared(
    lambda visit, previous: _latest(Q(profile=None, visit__in=[visit, previous])),
    visit=UUID,
    previous=UUID,
)
