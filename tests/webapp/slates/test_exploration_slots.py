"""Slots left to chance: which places count, and what the two policies would earn there."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from webapp.events.models import Event, Visit
from webapp.slates.exploration_slots import BEHIND, DUE, Chances, estimates, read_chances
from webapp.slates.models import Slate

AT = datetime(2026, 5, 1, 20, tzinfo=UTC)
SOON = AT + timedelta(days=1)


def shown(visit, titles, propensities, minutes=0, kind="top_picks"):
    row = {"kind": kind, "titles": [title.pk for title in titles], "propensities": propensities}
    return Slate.objects.create(
        visit=visit, surface="home", created_at=AT + timedelta(minutes=minutes), rows=[row],
        exploration=0.2, took_ms=1,
    )  # fmt: skip


def told(slate, kind, title, row="top_picks"):
    Event.objects.create(
        id=uuid.uuid4(), visit=slate.visit, kind=kind, title=title, slate=slate, row=row,
        surface="home", occurred_at=AT, received_at=AT,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_place_counts_once_if_it_was_seen_and_was_left_to_chance(films):
    visit = Visit.objects.create(started_at=AT)
    first = shown(visit, films[:3], [1, 0.8, 1])
    again = shown(visit, films[:3], [1, 0.8, 1], minutes=5)
    other = shown(visit, films[3:5], [0.02, 1], minutes=6, kind="genre")
    shown(visit, films[6:8], [0.02, 1], minutes=7)
    told(first, "impression", films[0])
    told(first, "impression", films[1])
    told(again, "open", films[1])
    told(other, "impression", films[3], row="genre")
    made_up = shown(Visit.objects.create(started_at=AT, is_simulated=True), films[:1], [0.8])
    told(made_up, "impression", films[0])

    chances = read_chances(AT, SOON, simulated=False)
    assert chances.propensities.tolist() == [0.8, 0.02]
    assert chances.clicked.tolist() == [1, 0]
    assert chances.is_due.tolist() == [True, False]
    assert len(read_chances(AT, SOON, simulated=True).clicked) == 1


def test_by_hand_what_is_due_and_what_lies_behind():
    chances = Chances(
        np.array([0.8, 0.8, 0.8, 0.8, 0.01]), np.full(5, 0.2), np.array([1.0, 0, 0, 0, 1])
    )
    # of 5 places 4 weigh 1 / .8, one is clicked; one weighs 1 / .2, and is clicked
    assert estimates(chances)[DUE][0].reward.value == pytest.approx(1 / 0.8 / 5)
    assert estimates(chances)[DUE][1].reward.value == pytest.approx(0.25)
    assert estimates(chances)[BEHIND][0].reward.value == pytest.approx(1)
    assert estimates(chances)[BEHIND][1].reward.value == pytest.approx(1)
    assert "count as 1" in estimates(chances)[BEHIND][1].warning


def test_the_truth_is_found_in_a_long_log():
    rng = np.random.default_rng(3)
    is_due = rng.random(40_000) < 0.8
    taken = (rng.random(40_000) < np.where(is_due, 0.05, 0.03)).astype(float)
    chances = Chances(np.where(is_due, 0.8, 0.2 / 20), np.full(40_000, 0.2), taken)
    for policy, rate in ((DUE, 0.05), (BEHIND, 0.03)):
        for estimate in estimates(chances)[policy]:
            assert estimate.reward.low <= rate <= estimate.reward.high
            assert estimate.reward.high - estimate.reward.low < 0.02


@pytest.mark.django_db
def test_the_command_says_what_is_missing():
    with pytest.raises(CommandError, match="too little was left to chance"):
        call_command("off_policy")
