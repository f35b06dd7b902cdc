"""Exploration slots: which positions count, and the click rate of the two policies there."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from webapp.events.models import Event, Visit
from webapp.slates.exploration_slots import (
    EXPLOIT,
    EXPLORE,
    ExplorationLog,
    estimates,
    read_exploration,
)
from webapp.slates.models import Slate

AT = datetime(2026, 5, 1, 20, tzinfo=UTC)
SOON = AT + timedelta(days=1)


def shown(visit, titles, propensities, minutes=0, kind="top_picks"):
    row = {"kind": kind, "titles": [title.pk for title in titles], "propensities": propensities}
    return Slate.objects.create(
        visit=visit, surface="home", created_at=AT + timedelta(minutes=minutes), rows=[row],
        exploration=0.2, took_ms=1,
    )  # fmt: skip


def record(slate, kind, title, row="top_picks"):
    Event.objects.create(
        id=uuid.uuid4(), visit=slate.visit, kind=kind, title=title, slate=slate, row=row,
        surface="home", occurred_at=AT, received_at=AT,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_position_counts_once_if_it_was_seen_and_explores(films):
    visit = Visit.objects.create(started_at=AT)
    first = shown(visit, films[:3], [1, 0.8, 1])
    again = shown(visit, films[:3], [1, 0.8, 1], minutes=5)
    other = shown(visit, films[3:5], [0.02, 1], minutes=6, kind="genre")
    shown(visit, films[6:8], [0.02, 1], minutes=7)
    record(first, "impression", films[0])
    record(first, "impression", films[1])
    record(again, "open", films[1])
    record(other, "impression", films[3], row="genre")
    simulated = shown(Visit.objects.create(started_at=AT, is_simulated=True), films[:1], [0.8])
    record(simulated, "impression", films[0])

    log = read_exploration(AT, SOON, simulated=False)
    assert log.propensities.tolist() == [0.8, 0.02]
    assert log.clicked.tolist() == [1, 0]
    assert log.is_due.tolist() == [True, False]
    assert len(read_exploration(AT, SOON, simulated=True).clicked) == 1


def test_both_policies_by_hand():
    log = ExplorationLog(
        np.array([0.8, 0.8, 0.8, 0.8, 0.01]), np.full(5, 0.2), np.array([1.0, 0, 0, 0, 1])
    )
    # of 5 slots 4 weigh 1 / .8, one is clicked; one weighs 1 / .2, and is clicked
    assert estimates(log)[EXPLOIT][0].reward.value == pytest.approx(1 / 0.8 / 5)
    assert estimates(log)[EXPLOIT][1].reward.value == pytest.approx(0.25)
    assert estimates(log)[EXPLORE][0].reward.value == pytest.approx(1)
    assert estimates(log)[EXPLORE][1].reward.value == pytest.approx(1)
    assert "count as 1" in estimates(log)[EXPLORE][1].warning


def test_a_long_log_gives_the_true_click_rates():
    rng = np.random.default_rng(3)
    is_due = rng.random(40_000) < 0.8
    clicked = (rng.random(40_000) < np.where(is_due, 0.05, 0.03)).astype(float)
    log = ExplorationLog(np.where(is_due, 0.8, 0.2 / 20), np.full(40_000, 0.2), clicked)
    for policy, rate in ((EXPLOIT, 0.05), (EXPLORE, 0.03)):
        for estimate in estimates(log)[policy]:
            assert estimate.reward.low <= rate <= estimate.reward.high
            assert estimate.reward.high - estimate.reward.low < 0.02


@pytest.mark.django_db
def test_the_command_names_what_is_missing():
    with pytest.raises(CommandError, match="too few exploration slots"):
        call_command("off_policy")
