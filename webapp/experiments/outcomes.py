"""Outcomes of an experiment's visits: one row a visit, with the dashboards' definitions."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import Float64, Int64
from webapp.events.models import BOT_EVENTS, Visit, VisitQuerySet
from webapp.experiments.models import Experiment
from webapp.queries import Query


@dataclass(frozen=True)
class Outcomes:
    """Visits that saw something, in the order in which they began.

    B visits.

    Attributes:
        arms: (B,) names.
        units: (B,) the profile's number, or one of its own for a stranger, below 0.
        abandoned: (B,) 1 where nothing was played for real.
        seen: (B,) positions seen.
        conversions: (B,) qualified plays credited to one of them.
        seconds: (B,) from the first impression to the first qualified play, or, where there is
            none, to the visit's last event.
        visits: (B,) their ids.
    """

    arms: NDArray[np.str_]
    units: Int64
    abandoned: Float64
    seen: Float64
    conversions: Float64
    seconds: Float64
    visits: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.arms)

    def of_arm(self, arm: str) -> "Outcomes":
        return self.at(np.flatnonzero(self.arms == arm))

    def at(self, rows: Int64) -> "Outcomes":
        return Outcomes(
            self.arms[rows], self.units[rows], self.abandoned[rows], self.seen[rows],
            self.conversions[rows], self.seconds[rows], self.visits[rows],
        )  # fmt: skip


def read_outcomes(experiment: Experiment, *, settled: datetime) -> Outcomes:
    """Read the outcomes of visits that have ended: of people, or of simulated viewers, never both.

    A visit of more than `BOT_EVENTS` events is a bot's. Two queries over the experiment's visits.

    Args:
        experiment: whose visits.
        settled: visits that began later may go on.
    """
    visits = list(
        visits_of(experiment, settled=settled)
        .order_by("started_at", "pk")
        .values_list("pk", "arm", "profile_id")
    )
    of_visit = {pk: _Outcome(*row) for pk, *row in _OUTCOMES.rows(visits=[pk for pk, *_ in visits])}
    shown = [
        (pk, arm, profile, outcome)
        for pk, arm, profile in visits
        if (outcome := of_visit.get(pk))
        and outcome.first_seen_at
        and (experiment.is_simulated or outcome.events <= BOT_EVENTS)
    ]
    profiles = [profile for _, _, profile, _ in shown]
    units = [profile if profile is not None else -1 - n for n, profile in enumerate(profiles)]
    return Outcomes(
        np.array([arm for _, arm, *_ in shown], dtype=np.str_),
        np.array(units, dtype=np.int64),
        np.array([float(outcome.qualified_at is None) for *_, outcome in shown]),
        np.array([float(outcome.positions) for *_, outcome in shown]),
        np.array([float(outcome.conversions) for *_, outcome in shown]),
        np.array([outcome.seconds for *_, outcome in shown]),
        np.array([pk for pk, *_ in shown], dtype=np.object_),
    )


class _Outcome(NamedTuple):
    """What became of one visit."""

    first_seen_at: datetime | None
    last_at: datetime | None
    events: int
    positions: int
    qualified_at: datetime | None
    conversions: int

    @property
    def seconds(self) -> float:
        """From the first impression to the first qualified play, or else to the last event."""
        end = self.qualified_at or self.last_at
        if self.first_seen_at is None or end is None:
            return 0.0
        return (end - self.first_seen_at).total_seconds()


_OUTCOMES = Query(Path(__file__).parent / "sql" / "outcomes.sql")


def visits_of(experiment: Experiment, *, settled: datetime) -> VisitQuerySet:
    """Return its visits that began before a moment: of people, or of simulated viewers."""
    visits = Visit.objects.filter(experiment=experiment.name, started_at__lt=settled)
    return visits.of_simulated() if experiment.is_simulated else visits.of_people()
