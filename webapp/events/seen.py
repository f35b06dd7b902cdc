"""Slates of which something was seen: how many there are to learn from."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from webapp.events.models import Event, Slate

LEARNED_DAYS = 30
"""How far back a ranker's teacher looks."""


@dataclass(frozen=True)
class Readiness:
    """How many slates were seen, and how many must be before a ranker is trained at all."""

    slates: int
    needed: int

    @property
    def is_there(self) -> bool:
        return self.slates >= self.needed


def readiness(now: datetime) -> Readiness:
    """Count the slates that a teacher could learn from. One query."""
    seen = seen_slates(now - timedelta(days=LEARNED_DAYS), settled(now))
    return Readiness(seen.count(), settings.RANKER_MIN_SLATES)


def settled(now: datetime) -> datetime:
    """Return the moment before which a visit's outcome is known."""
    return now - timedelta(seconds=settings.VISIT_GAP_SECONDS)


def seen_slates(since: datetime, until: datetime) -> "QuerySet[Slate]":
    """Return the slates between two moments that were seen, and whose features were kept."""
    return Slate.objects.filter(
        Exists(Event.objects.filter(slate=OuterRef("pk"))),
        features__isnull=False,
        created_at__gte=since,
        created_at__lt=until,
    )
