"""The experiments' report and the dashboards count one world alike, to the visit."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from webapp.events.models import Event, Visit
from webapp.experiments.models import Experiment
from webapp.experiments.outcomes import read_outcomes
from webapp.metrics.daily import count_day
from webapp.metrics.models import DailyMetric
from webapp.slates.models import Slate

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 5
AFTER = FIRST + timedelta(days=DAYS + 2)
ARMS = ("one", "other")
SURFACES = ("home", "prequery", "search", "title")


def world(rng, films, profiles, visits, surfaces=SURFACES, **fields):
    """Visits of random impressions, clicks and plays: resumed, cut short, out of order, unknown."""
    all_visits, slates, events = [], [], []
    for _ in range(visits):
        at = FIRST + timedelta(seconds=int(rng.integers(DAYS * 86_400)))
        visit = Visit(
            id=UUID(bytes=rng.bytes(16)), profile=profiles[rng.integers(len(profiles))],
            started_at=at, experiment="any", arm=ARMS[rng.integers(2)], **fields,
        )  # fmt: skip
        surface = rng.choice(surfaces)
        slate = Slate(
            id=UUID(bytes=rng.bytes(16)), visit=visit, surface=surface, created_at=at, rows=[],
            took_ms=1.0, history_size=int(rng.integers(9)),
        )  # fmt: skip
        all_visits.append(visit)
        slates.append(slate)
        for _ in range(rng.integers(1, 14)):
            kind = rng.choice(["impression", "open", "play", "progress", "stop", "finish"],
                              p=[0.4, 0.1, 0.15, 0.2, 0.13, 0.02])  # fmt: skip
            is_on_slate = kind in ("impression", "open") or rng.random() < 0.2
            position = int(rng.choice([0, 60, 119, 120, 900, 960, 1020]))
            happened = at + timedelta(seconds=int(rng.integers(1500)))
            events.append(
                Event(
                    id=UUID(bytes=rng.bytes(16)), visit=visit, profile=visit.profile, kind=kind,
                    title=films[rng.integers(3)], occurred_at=happened, received_at=happened,
                    surface=surface if is_on_slate else "watch",
                    slate=slate if is_on_slate else None,
                    position_seconds=[position, None][rng.random() < 0.1],
                    duration_seconds=[None, 0, 100, 171, 6000][rng.integers(5)],
                )
            )  # fmt: skip
    Visit.objects.bulk_create(all_visits)
    Slate.objects.bulk_create(slates)
    Event.objects.bulk_create(events)


def counted(metric, arm):
    """Numerator and denominator that the dashboards have of an arm, over all days."""
    rows = DailyMetric.objects.filter(
        metric=metric, dimension="arm", slice=f"any/{arm}", is_simulated=True
    ).values_list("numerator", "denominator")
    return tuple(np.array(rows).sum(axis=0).tolist())


@pytest.mark.django_db
def test_abandonment_is_the_same(films, cast):
    rng = np.random.default_rng(3)
    world(rng, films, [cast.owner, cast.sibling, cast.stranger, None], 300, is_simulated=True)
    world(rng, films, [cast.owner], 30)
    world(rng, films, [cast.owner], 30, is_bot=True)
    for n in range(DAYS):
        count_day((FIRST + timedelta(days=n)).date(), AFTER)
    reported = read_outcomes(Experiment(name="any", is_simulated=True), settled=AFTER)
    for arm in ARMS:
        of_arm = reported.of_arm(arm)
        assert 20 < of_arm.abandoned.sum() < len(of_arm) - 20, "a world where both happen"
        assert counted("abandonment", arm) == (of_arm.abandoned.sum(), len(of_arm))


@pytest.mark.django_db
def test_conversions_are_the_same_where_every_visit_saw_something(films, cast):
    rng = np.random.default_rng(4)
    world(rng, films, [cast.owner, None], 100, SURFACES[:3], is_simulated=True)
    seen = Event.objects.filter(kind="impression").values("visit")
    Visit.objects.exclude(pk__in=seen).delete()
    for n in range(DAYS):
        count_day((FIRST + timedelta(days=n)).date(), AFTER)
    reported = read_outcomes(Experiment(name="any", is_simulated=True), settled=AFTER)
    for arm in ARMS:
        of_arm = reported.of_arm(arm)
        assert of_arm.conversions.sum() > 5
        assert counted("conversion_rate", arm) == (of_arm.conversions.sum(), of_arm.seen.sum())
