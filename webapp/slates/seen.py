"""Slates of which something was seen: how many there are to learn from, and whose.

What people saw and what simulated viewers saw are never learned from together. Programs that say
they are programs teach nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from webapp.events.models import Event
from webapp.slates.models import Slate

LEARNED_DAYS = 30
"""How far back a ranker's teacher looks."""


@dataclass(frozen=True)
class Readiness:
    """How many slates were seen, and how many must be before a ranker is trained at all.

    Attributes:
        slates: seen by people.
        simulated: seen by simulated viewers; 0 where those may not teach.
        needed: of one sort.
    """

    slates: int
    simulated: int
    needed: int

    @property
    def is_there(self) -> bool:
        return max(self.slates, self.simulated) >= self.needed

    @property
    def is_of_simulated(self) -> bool:
        """Whether only the simulated visits are enough."""
        return self.slates < self.needed <= self.simulated


def readiness(now: datetime) -> Readiness:
    """Count the slates that a teacher could learn from. One query."""
    between = now - timedelta(days=LEARNED_DAYS), settled(now)
    people, simulated = (Q(visit__is_simulated=sort) for sort in (False, True))
    counts = _seen(*between).aggregate(
        people=Count("pk", filter=people), simulated=Count("pk", filter=simulated)
    )
    may_teach = settings.RANKER_LEARNS_FROM_SIMULATED
    return Readiness(
        counts["people"], counts["simulated"] if may_teach else 0, settings.RANKER_MIN_SLATES
    )


def settled(now: datetime) -> datetime:
    """Return the moment before which a visit's outcome is known."""
    return now - timedelta(seconds=settings.VISIT_GAP_SECONDS)


def seen_slates(
    since: datetime, until: datetime, *, is_simulated: bool = False
) -> "QuerySet[Slate]":
    """Return the slates between two moments that people saw, and whose features were kept.

    Args:
        since: the first moment.
        until: the first moment after them.
        is_simulated: those of simulated viewers instead.
    """
    return _seen(since, until).filter(visit__is_simulated=is_simulated)


def _seen(since: datetime, until: datetime) -> "QuerySet[Slate]":
    return Slate.objects.filter(
        Exists(Event.objects.filter(slate=OuterRef("pk"))),
        features__isnull=False,
        visit__is_bot=False,
        created_at__gte=since,
        created_at__lt=until,
    )
