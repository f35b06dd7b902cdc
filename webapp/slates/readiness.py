"""Slates that a ranker may learn from, and whether there are enough of them.

Slates of people and of simulated viewers are never mixed, and those of bots are left out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from webapp.slates.models import Slate, SlateQuerySet

TEACHER_DAYS = 30
"""How far back a ranker's teacher learns."""


@dataclass(frozen=True)
class Readiness:
    """How many slates were seen, and how many a ranker needs.

    Attributes:
        slates: seen by people.
        simulated: seen by simulated viewers; 0 where a ranker may not learn from them.
        needed: of one of the two.
    """

    slates: int
    simulated: int
    needed: int

    @property
    def is_ready(self) -> bool:
        return max(self.slates, self.simulated) >= self.needed

    @property
    def only_simulated_ready(self) -> bool:
        """Return True if people saw too few slates and simulated viewers saw enough."""
        return self.slates < self.needed <= self.simulated


def readiness(now: datetime) -> Readiness:
    """Count the slates that a teacher could learn from. At most two queries."""
    between = now - timedelta(days=TEACHER_DAYS), outcome_known_before(now)
    may_simulate = settings.RANKER_LEARNS_FROM_SIMULATED
    return Readiness(
        seen_slates(*between).count(),
        seen_slates(*between, is_simulated=True).count() if may_simulate else 0,
        settings.RANKER_MIN_SLATES,
    )


def outcome_known_before(now: datetime) -> datetime:
    """Return the moment before which shown slates belong to visits that have ended."""
    return now - timedelta(seconds=settings.VISIT_GAP_SECONDS)


def seen_slates(since: datetime, until: datetime, *, is_simulated: bool = False) -> SlateQuerySet:
    """Return the slates seen by people between two moments, whose ranker fields were stored.

    Args:
        since: the first moment.
        until: the first moment after them.
        is_simulated: those of simulated viewers instead.
    """
    slates = Slate.objects.seen().filter(
        features__isnull=False, created_at__gte=since, created_at__lt=until
    )
    return slates.of_simulated() if is_simulated else slates.of_people()
