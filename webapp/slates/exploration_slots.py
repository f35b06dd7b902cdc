"""Off-policy value of never exploring and of always exploring, from the log of exploration slots.

In a varied row one slot explores: with probability ε it holds one of m titles from behind the row,
all equally likely, instead of the title due there (docs/page.md). The propensities are logged with
the slate, so one log estimates both policies without bias.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from recommender.arrays import Bool, Float64
from recommender.evaluation.off_policy import (
    Logged,
    OffPolicyEstimate,
    ips,
    self_normalised,
)
from webapp.events.models import Event
from webapp.slates.models import Slate, SlateQuerySet

EXPLOIT, EXPLORE = "never explore", "always explore"

Position = tuple[UUID | None, str, int | None]
"""A slate or a visit, a row's kind and a title."""


@dataclass(frozen=True)
class ExplorationLog:
    """Exploration slots that were seen; B of them.

    Attributes:
        propensities: (B,) the probability with which the title came there.
        exploration: (B,) ε, the probability with which another than the due title came.
        clicked: (B,) 1 where the title was clicked there.
    """

    propensities: Float64
    exploration: Float64
    clicked: Float64

    @property
    def is_due(self) -> Bool:
        """(B,) whether the title is the one due: ε is at most a half, and divided among m."""
        return np.isclose(self.propensities, 1 - self.exploration)

    def logged(self, policy: str) -> Logged:
        """Return the log with the probabilities of one of the two policies.

        `EXPLORE` shows one of the same m titles: 1 / m each, which is the propensity over ε.
        """
        if policy == EXPLOIT:
            target = self.is_due.astype(np.float64)
        else:
            target = np.where(self.is_due, 0.0, self.propensities / self.exploration)
        return Logged(self.clicked, self.propensities, target)


def read_exploration(since: datetime, until: datetime, *, simulated: bool) -> ExplorationLog:
    """Read the exploration slots seen between two moments. Two queries over the slates.

    A title that stays in its slot from page to page of a visit counts once.

    Args:
        since: the first moment.
        until: the first moment after them.
        simulated: of simulated viewers, or of people; never both.
    """
    slates = Slate.objects.of_simulated() if simulated else Slate.objects.of_people()
    slates = slates.filter(created_at__gte=since, created_at__lt=until, fallback_reason="")
    seen, clicked = _seen_and_clicked(slates)
    log: dict[Position, tuple[float, float, float]] = {}
    explored = slates.filter(exploration__gt=0).order_by("created_at", "pk")
    for slate in explored.only("visit_id", "rows", "exploration").iterator(chunk_size=500):
        for row, title_id, propensity in _exploration_slots(slate):
            if (slate.pk, row, title_id) not in seen:
                continue
            position = (slate.visit_id, row, title_id)
            first = log.get(position, (propensity, slate.exploration or 0.0, 0.0))
            is_clicked = float((slate.pk, row, title_id) in clicked)
            log[position] = (*first[:2], max(first[2], is_clicked))
    columns = np.array(list(log.values()), dtype=np.float64).reshape(-1, 3)  # (B, 3)
    return ExplorationLog(columns[:, 0], columns[:, 1], columns[:, 2])


def estimates(log: ExplorationLog) -> dict[str, list[OffPolicyEstimate]]:
    """Return the click rate of exploration slots under each policy, by two estimators.

    Raises:
        InvalidInputError: no exploration slot was seen, or one policy's titles never came.
    """
    return {
        policy: [method(log.logged(policy)) for method in (ips, self_normalised)]
        for policy in (EXPLOIT, EXPLORE)
    }


def _seen_and_clicked(slates: SlateQuerySet) -> tuple[set[Position], set[Position]]:
    """Return the positions of slates that an impression or a click names, and those clicked."""
    events = Event.objects.filter(
        slate__in=slates.values("pk"), kind__in=[Event.Kind.IMPRESSION, *Event.CLICKS]
    ).values_list("kind", "slate_id", "row", "title_id")
    seen: set[Position] = set()
    clicked: set[Position] = set()
    for kind, slate_id, row, title_id in events.iterator(chunk_size=20_000):
        seen.add((slate_id, row, title_id))
        if kind in Event.CLICKS:
            clicked.add((slate_id, row, title_id))
    return seen, clicked


def _exploration_slots(slate: Slate) -> Iterator[tuple[str, int, float]]:
    """Yield row kind, title and propensity of each slot that could have held another title."""
    for row in slate.rows:
        propensities = row.get("propensities") or []
        for title_id, propensity in zip(row["titles"], propensities, strict=False):
            if propensity < 1:
                yield row["kind"], title_id, propensity
