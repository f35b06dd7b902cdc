"""What became of the visits of an experiment: one row a visit, in one query."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db.models import Count, Exists, F, FloatField, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from numpy.typing import NDArray

from webapp.discovery.surface import Surface
from webapp.events.models import Event, Visit
from webapp.events.playback import QUALIFIED_SECONDS, QUALIFIED_SHARE
from webapp.experiments.models import Experiment

SHOWING = (Surface.HOME, Surface.PREQUERY, Surface.SEARCH)
"""Surfaces on which a visit without a qualified play counts as abandoned."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Outcomes:
    """Visits that saw something, in the order in which they began.

    B visits.

    Attributes:
        arms: (B,) names.
        units: (B,) the profile's number, or one of its own for a stranger, below 0.
        abandoned: (B,) 1 where nothing was played for real.
        seen: (B,) impressions.
        taken: (B,) titles played for real that the visit had been shown.
        seconds: (B,) from the first impression to the first qualified play, or, where there is
            none, to the visit's last event.
    """

    arms: NDArray[np.str_]
    units: NDArray[np.int64]
    abandoned: Values
    seen: Values
    taken: Values
    seconds: Values

    def __len__(self) -> int:
        return len(self.arms)

    def of_arm(self, arm: str) -> "Outcomes":
        return self.at(np.flatnonzero(self.arms == arm))

    def at(self, rows: NDArray[np.int64]) -> "Outcomes":
        return Outcomes(
            self.arms[rows], self.units[rows], self.abandoned[rows], self.seen[rows],
            self.taken[rows], self.seconds[rows],
        )  # fmt: skip


def outcomes(experiment: Experiment, *, settled: datetime) -> Outcomes:
    """Read the outcomes of visits that have ended: of people, or of simulated viewers, never both.

    Two queries over the experiment's visits.

    Args:
        experiment: whose visits.
        settled: visits that began later may go on.
    """
    theirs = visits_of(experiment, settled=settled)
    shown = Q(events__kind=Event.Kind.IMPRESSION, events__surface__in=SHOWING)
    rows = list(
        theirs.annotate(
            seen=Count("events", filter=shown),
            first_seen=Min("events__occurred_at", filter=shown),
            played=Min("events__occurred_at", filter=qualified("events__")),
            ended=Max("events__occurred_at"),
        )
        .filter(seen__gt=0)
        .order_by("started_at", "pk")
        .values_list("pk", "arm", "profile_id", "seen", "first_seen", "played", "ended")
    )
    taken = _taken(theirs)
    units = [
        profile if profile is not None else -1 - n for n, (_, _, profile, *_) in enumerate(rows)
    ]
    return Outcomes(
        np.array([arm for _, arm, *_ in rows], dtype=np.str_),
        np.array(units, dtype=np.int64),
        np.array([float(played is None) for *_, played, _ in rows]),
        np.array([float(seen) for _, _, _, seen, *_ in rows]),
        np.array([float(taken.get(pk, 0)) for pk, *_ in rows]),
        np.array([((played or end) - first).total_seconds() for *_, first, played, end in rows]),
    )


def visits_of(experiment: Experiment, *, settled: datetime) -> "QuerySet[Visit]":
    """Return its visits that began before a moment: of people, or of simulated viewers."""
    return Visit.objects.filter(
        experiment=experiment.name,
        is_simulated=experiment.is_simulated,
        is_bot=False,
        started_at__lt=settled,
    )


def qualified(prefix: str = "") -> Q:
    """Return what makes an event tell of a qualified play (docs/metrics.md)."""
    position, duration = f"{prefix}position_seconds", f"{prefix}duration_seconds"
    return Q(**{f"{prefix}kind": Event.Kind.FINISH}) | (
        Q(**{f"{prefix}kind__in": Event.PLAYBACK})
        & (
            Q(**{f"{position}__gte": QUALIFIED_SECONDS})
            | Q(**{f"{position}__gte": Cast(F(duration), FloatField()) * QUALIFIED_SHARE})
        )
    )


def _taken(theirs: "QuerySet[Visit]") -> dict[UUID, int]:
    """Return how many titles that a visit had been shown it played for real. One query."""
    was_shown = Event.objects.filter(
        visit=OuterRef("visit"),
        title=OuterRef("title"),
        kind=Event.Kind.IMPRESSION,
        surface__in=SHOWING,
    )
    played = (
        Event.objects.filter(qualified(), Exists(was_shown), visit__in=theirs)
        .order_by()
        .values("visit")
        .annotate(titles=Count("title", distinct=True))
        .values_list("visit", "titles")
    )
    return dict(played)
