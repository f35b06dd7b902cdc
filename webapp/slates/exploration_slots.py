"""Exploration slots: is the title that is due clicked more, or one from behind the row?

In a varied row one slot holds, with probability ε, one of m titles from behind the row, all alike
(docs/page.md). So one log tells, without bias, what two other policies would earn there: one that
never tries and one that always does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.off_policy import (
    Logged,
    OffPolicyEstimate,
    ips,
    self_normalised,
)
from webapp.events.models import Event
from webapp.slates.models import Slate

DUE, BEHIND = "what is due", "what lies behind"

Values = NDArray[np.float64]
Place = tuple[UUID, str, int]
"""A visit, a row's kind and a title: a title that stays where it was counts once."""


@dataclass(frozen=True)
class Chances:
    """Places left to chance that were seen; B of them.

    Attributes:
        propensities: (B,) the chance with which the title came there.
        tried: (B,) the chance ε with which another than the due one came.
        clicked: (B,) 1 where it was clicked there.
    """

    propensities: Values
    tried: Values
    clicked: Values

    @property
    def is_due(self) -> NDArray[np.bool_]:
        """(B,) whether it is the title that is due: ε is at most a half, and parted among m."""
        return np.isclose(self.propensities, 1 - self.tried)

    def logged(self, policy: str) -> Logged:
        """Return the log as one of the two policies sees it.

        What always tries takes one of the same m titles: 1 / m, which is the propensity over ε.
        """
        if policy == DUE:
            target = self.is_due.astype(np.float64)
        else:
            target = np.where(self.is_due, 0.0, self.propensities / self.tried)
        return Logged(self.clicked, self.propensities, target)


def read_chances(since: datetime, until: datetime, *, simulated: bool) -> Chances:
    """Read the places left to chance between two moments. Two queries over the slates.

    Args:
        since: the first moment.
        until: the first moment after them.
        simulated: of simulated viewers, or of people; never both.
    """
    slates = Slate.objects.filter(
        created_at__gte=since,
        created_at__lt=until,
        fallback_reason="",
        visit__is_simulated=simulated,
        visit__is_bot=False,
    ).order_by("created_at", "pk")
    told = Event.objects.filter(
        slate__in=slates.order_by().values("pk"), kind__in=[Event.Kind.IMPRESSION, *Event.CLICKS]
    ).values_list("kind", "slate_id", "row", "title_id")
    seen: set[tuple[UUID | None, str, int | None]] = set()
    clicked: set[tuple[UUID | None, str, int | None]] = set()
    for kind, slate_id, row, title_id in told.iterator(chunk_size=20_000):
        seen.add((slate_id, row, title_id))
        if kind in Event.CLICKS:
            clicked.add((slate_id, row, title_id))
    found: dict[Place, tuple[float, float, float]] = {}
    for slate in slates.only("visit_id", "rows", "exploration").iterator(chunk_size=500):
        tried = slate.exploration or 0.0
        for row, title_id, propensity in _left_to_chance(slate):
            key = (slate.pk, row, title_id)
            if key not in seen or not tried:
                continue
            place = (slate.visit_id, row, title_id)
            before = found.get(place, (propensity, tried, 0.0))
            found[place] = (*before[:2], max(before[2], float(key in clicked)))
    columns = np.array(list(found.values()), dtype=np.float64).reshape(-1, 3)
    return Chances(columns[:, 0], columns[:, 1], columns[:, 2])


def estimates(chances: Chances) -> dict[str, list[OffPolicyEstimate]]:
    """Return what each policy would earn a place seen: how often the title there is clicked.

    Raises:
        InvalidInputError: nothing was left to chance, or only one of the two ever came.
    """
    return {
        policy: [method(chances.logged(policy)) for method in (ips, self_normalised)]
        for policy in (DUE, BEHIND)
    }


def _left_to_chance(slate: Slate) -> Iterator[tuple[str, int, float]]:
    for row in slate.rows:
        propensities = row.get("propensities") or []
        for title_id, propensity in zip(row["titles"], propensities, strict=False):
            if propensity < 1:
                yield row["kind"], title_id, propensity
