"""Outcomes from a visit's first sign on: visits and their outcomes go in, what followed comes out.

A visit's first sign is the earliest moment from which answers can depend on the visit: its first
event that is no impression (a title opened, a search), or the first answer asked for after an
impression had reached the site (what was seen was passed over).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Min, OuterRef, Subquery

from recommender.arrays import Bool
from webapp.events.models import Event, Play, Visit
from webapp.experiments.outcomes import Outcomes
from webapp.slates.models import Slate

BATCH = 2000
"""Visits read at a time."""
POSITIONS = (Event.Kind.IMPRESSION, *Event.CLICKS)
"""Kinds of events that show that a position was seen (docs/metrics.md)."""


@dataclass(frozen=True)
class FromFirstSign:
    """What followed the first signs of B visits, of which S had one.

    Attributes:
        outcomes: of the S visits, each counted from its first sign on.
        has_sign: (B,) which visits had one.
    """

    outcomes: Outcomes
    has_sign: Bool


def from_first_sign(outcomes: Outcomes) -> FromFirstSign:
    """Count the outcomes of visits again, from each visit's first sign on.

    A qualified play before the sign does not count. Three queries for 2,000 visits.
    """
    followed: dict[UUID, _Followed] = {}
    for begin in range(0, len(outcomes), BATCH):
        followed.update(_followed(outcomes.visits[begin : begin + BATCH].tolist()))
    has_sign = np.array([visit in followed for visit in outcomes.visits], dtype=np.bool_)
    signed = outcomes.at(np.flatnonzero(has_sign))
    ordered = [followed[visit] for visit in signed.visits]
    later = Outcomes(
        signed.arms,
        signed.units,
        np.array([float(each.qualified_at is None) for each in ordered]),
        np.array([float(each.positions) for each in ordered]),
        np.array([float(each.conversions) for each in ordered]),
        np.array([each.seconds for each in ordered]),
        signed.visits,
    )
    return FromFirstSign(later, has_sign)


class _Sign(NamedTuple):
    """The first sign of a visit, and its last event."""

    at: datetime
    last_at: datetime


@dataclass
class _Followed:
    """What followed a visit's first sign."""

    sign: _Sign
    positions: int = 0
    conversions: int = 0
    qualified_at: datetime | None = None

    @property
    def seconds(self) -> float:
        """From the first sign to the first qualified play, or else to the last event."""
        return ((self.qualified_at or self.sign.last_at) - self.sign.at).total_seconds()


def _followed(visits: Sequence[UUID]) -> dict[UUID, _Followed]:
    signs = dict(_signs(visits))
    positions = _first_positions(signs)
    found = {visit: _Followed(sign, len(positions[visit])) for visit, sign in signs.items()}
    for play in Play.objects.qualified().filter(visit__in=list(signs)).order_by("qualified_at"):
        visit = found[play.visit_id]
        if play.qualified_at is None or play.qualified_at < visit.sign.at:
            continue
        visit.qualified_at = visit.qualified_at or play.qualified_at
        seen = [at for (_, title), at in positions[play.visit_id].items() if title == play.title_id]
        visit.conversions += any(at <= play.began_at for at in seen)
    return found


def _signs(visits: Sequence[UUID]) -> Iterator[tuple[UUID, _Sign]]:
    """Yield the first sign of each visit that had one. One query."""
    events = Event.objects.filter(visit=OuterRef("pk"))
    impressions = events.filter(kind=Event.Kind.IMPRESSION).order_by().values("visit")
    done = events.exclude(kind__in=Event.TOO_MANY).order_by("occurred_at")
    answers = Slate.objects.filter(visit=OuterRef("pk"), created_at__gt=OuterRef("told_at"))
    rows = (
        Visit.objects.filter(pk__in=visits)
        .annotate(told_at=Subquery(impressions.annotate(at=Min("received_at")).values("at")))
        .annotate(
            done_at=Subquery(done.values("occurred_at")[:1]),
            asked_at=Subquery(answers.order_by("created_at").values("created_at")[:1]),
            last_at=Subquery(events.order_by("-occurred_at").values("occurred_at")[:1]),
        )
    )
    for visit, done_at, asked_at, last_at in rows.values_list(
        "pk", "done_at", "asked_at", "last_at"
    ):
        if moments := [at for at in (done_at, asked_at) if at is not None]:
            yield visit, _Sign(min(moments), last_at)


def _first_positions(signs: dict[UUID, _Sign]) -> dict[UUID, dict[tuple[UUID, int], datetime]]:
    """Return when each position was first seen since the sign, by visit, slate and title."""
    positions: dict[UUID, dict[tuple[UUID, int], datetime]] = defaultdict(dict)
    rows = (
        Event.objects.filter(
            visit__in=list(signs), kind__in=POSITIONS, slate__isnull=False, title__isnull=False
        )
        .order_by("occurred_at")
        .values_list("visit_id", "slate_id", "title_id", "occurred_at")
    )
    for visit, slate, title, at in rows.iterator(chunk_size=20_000):
        if at >= signs[visit].at:
            positions[visit].setdefault((slate, title), at)
    return positions
