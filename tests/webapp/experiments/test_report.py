"""What came of an experiment: outcomes by hand, who is counted, and the command that tells it."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from webapp.events.models import Event, Visit
from webapp.experiments.lifecycle import ExperimentRefused, built_in, create, start, stop
from webapp.experiments.models import Arm, Experiment
from webapp.experiments.outcomes import Outcomes, read_outcomes
from webapp.experiments.report import (
    median_seconds,
    refresh_reports,
    report,
    shuffled_units,
    trials,
)
from webapp.slates.models import Slate

EVENING = datetime(2026, 5, 1, 20, tzinfo=UTC)
LATER = EVENING + timedelta(days=1)


@pytest.fixture
def experiment(db):
    experiment = built_in()
    start(experiment, EVENING - timedelta(days=1))
    return experiment


def visit(arm="session-aware", profile=None, at=EVENING, experiment="session-aware", **fields):
    return Visit.objects.create(
        experiment=experiment, arm=arm, profile=profile, started_at=at, **fields
    )


def event(of, kind, film, after, surface="home", **fields):
    at = of.started_at + timedelta(seconds=after)
    if surface == "home":
        fields["slate"], _ = Slate.objects.get_or_create(
            visit=of, surface=surface,
            defaults={"created_at": of.started_at, "rows": [], "took_ms": 10.0},
        )  # fmt: skip
    return Event.objects.create(
        id=uuid.uuid4(), visit=of, profile=of.profile, kind=kind, title=film, occurred_at=at,
        received_at=at, surface=surface, **fields,
    )  # fmt: skip


def played(of, film, after, seconds=6000, position=125):
    event(of, "play", film, after, "watch", position_seconds=0, duration_seconds=seconds)
    event(
        of, "progress", film, after + position, "watch",
        position_seconds=position, duration_seconds=seconds,
    )  # fmt: skip


def test_a_visit_with_a_qualified_play_is_not_abandoned(experiment, films, cast):
    good = visit(profile=cast.owner)
    for film in films[:4]:
        event(good, "impression", film, 10)
    played(good, films[0], 60)
    bad = visit("long-term-only", cast.sibling)
    event(bad, "impression", films[0], 5)
    event(bad, "open", films[0], 20)
    event(bad, "stop", films[0], 50, "watch", position_seconds=30, duration_seconds=6000)

    found = read_outcomes(experiment, settled=LATER)
    assert found.arms.tolist() in (
        ["session-aware", "long-term-only"],
        ["long-term-only", "session-aware"],
    )
    ours, theirs = found.of_arm("session-aware"), found.of_arm("long-term-only")
    assert (ours.abandoned, ours.seen, ours.conversions, ours.seconds) == ([0], [4], [1], [175])
    assert (theirs.abandoned, theirs.seen, theirs.conversions, theirs.seconds) == (
        [1],
        [1],
        [0],
        [45],
    )
    assert ours.units == [cast.owner.pk]


def test_a_short_film_qualifies_and_a_title_never_shown_is_no_conversion(experiment, films):
    short = visit()
    event(short, "impression", films[0], 0)
    played(short, films[1], 10, seconds=100, position=70)
    found = read_outcomes(experiment, settled=LATER)
    assert (found.abandoned, found.conversions) == ([0], [0])
    assert found.units[0] < 0


def test_who_is_left_out(experiment, films, cast):
    for fields in (
        {"is_bot": True},
        {"is_simulated": True},
        {"at": LATER},
        {"profile": cast.owner},
    ):
        event(visit(**fields), "impression", films[0], 5, surface="title")
    for fields in ({"is_bot": True}, {"is_simulated": True}, {"at": LATER}):
        event(visit(**fields), "impression", films[0], 5)
    assert len(read_outcomes(experiment, settled=LATER)) == 0
    experiment.is_simulated = True
    assert len(read_outcomes(experiment, settled=LATER)) == 1


def test_the_median_time_to_play_does_not_forget_who_left():
    def of(seconds, abandoned):
        many = len(seconds)
        return Outcomes(
            np.array(["a"] * many), np.arange(many), np.array(abandoned, float), np.ones(many),
            np.zeros(many), np.array(seconds, float), np.arange(many).astype(object),
        )  # fmt: skip

    assert median_seconds(of([10, 20, 30], [0, 0, 0])) == 20
    # 1, then one leaves, then a half of the two that are left, then all
    assert median_seconds(of([10, 20, 30, 40], [0, 1, 0, 0])) == 30
    # S(20) = 0.8 (1 - 1/4): who leaves in the second of a play was still at risk then
    assert median_seconds(of([10, 20, 20, 30, 40], [0, 1, 0, 0, 1])) == 30
    # counted as leaving first, S(20) would be 1/2 already
    assert median_seconds(of([10, 20, 20, 20, 30, 40], [0, 1, 1, 0, 0, 1])) == 30
    assert median_seconds(of([10, 20, 30], [1, 1, 1])) is None
    assert median_seconds(of([], [])) is None


def test_a_toss_for_each_unit_keeps_its_visits_together():
    units = np.repeat(np.arange(100), 3)
    halves = shuffled_units(units, np.random.default_rng(0)).reshape(100, 3)
    assert (halves.all(axis=1) | ~halves.any(axis=1)).all()
    assert 30 < halves[:, 0].sum() < 70


def test_parted_at_random_nothing_is_found_at_the_nominal_rate_and_a_planted_effect_at_its_power():
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(200), 10)
    rates = np.clip(rng.normal(0.45, 0.12, 200), 0, 1)
    abandoned = (rng.random(2000) < rates[units]).astype(float)
    ones = np.ones(2000)
    visits = np.arange(2000).astype(object)
    found = Outcomes(np.array(["a"] * 2000), units, abandoned, ones, ones, ones, visits)
    without, planted = trials(found, 60)
    # 5 % of 60 is 3, and 80 % is 48; three standard deviations to either side
    assert without.rejected <= 8 / 60
    assert without.rejected_always <= without.rejected
    assert 39 / 60 <= planted.rejected <= 57 / 60
    assert 0.05 < planted.planted < 0.1
    by_visit, planted_by_visit = trials(found, 60, "visit")
    assert by_visit.rejected <= 8 / 60
    assert 39 / 60 <= planted_by_visit.rejected <= 57 / 60
    assert planted_by_visit.planted < planted.planted, "what profiles have in common cancels out"


def test_an_experiment_starts_once_runs_alone_and_ends_once(db):
    first, second = built_in(), create("b", [Arm("x", "usual", 0.5), Arm("y", "usual", 0.5)])
    start(first, EVENING)
    start(first, LATER)
    assert first.started_at == EVENING
    with pytest.raises(ExperimentRefused, match="session-aware runs; stop it first"):
        start(second, LATER)
    stop(first, LATER)
    stop(first, LATER + timedelta(days=1))
    assert first.stopped_at == LATER
    with pytest.raises(ExperimentRefused, match="make a new one"):
        start(first, LATER)
    with pytest.raises(ExperimentRefused, match="does not run: it is a draft"):
        stop(second, LATER)


def test_arms_of_a_size_that_chance_does_not_explain_are_warned_of(experiment, films):
    for n in range(60):
        arm = "session-aware" if n < 50 else "long-term-only"
        event(visit(arm), "impression", films[0], 5)
    told = report(experiment, LATER)
    assert told["sizes"]["units"] == [50, 10]
    assert "believe no effect" in told["sizes"]["warning"]


def test_running_experiments_are_reported_where_somebody_came(experiment, films):
    start(built_in(is_simulated=True), EVENING - timedelta(days=1))
    assert refresh_reports(LATER) == 0
    event(visit(), "impression", films[0], 5)
    assert refresh_reports(LATER) == 1
    experiment.refresh_from_db()
    assert experiment.report["people"]["visits"] == 1


def test_the_command_plans_starts_reports_and_stops(db, films, capsys):
    built_in(is_simulated=True)
    call_command("experiments", "session-aware-simulated", "--plan", "0.4", "20000", "0.02")
    # 2.8016 sqrt(.24 * 2 / 10000) = 1.94 %
    assert "a difference of 1.94% in abandonment" in capsys.readouterr().out
    name = "session-aware-simulated"
    call_command("experiments", name, "--start", "--at", EVENING.isoformat())
    for n in range(12):
        arm = ("session-aware", "long-term-only")[n % 2]
        at = EVENING + timedelta(minutes=n)
        of = visit(arm, is_simulated=True, at=at, experiment=name)
        event(of, "impression", films[0], 5)
        if n % 3:
            played(of, films[0], 10)
    call_command("experiments", name, "--report")
    out = capsys.readouterr().out
    assert "12 visits of simulated viewers" in out
    assert "session-aware less long-term-only" in out
    assert Experiment.objects.get().report["simulated"]["arms"]["session-aware"]["visits"] == 6
    call_command("experiments", name, "--stop")
    with pytest.raises(CommandError, match="planned before"):
        call_command("experiments", name, "--plan", "0.4", "20000", "0.02")
    with pytest.raises(CommandError, match="there is no experiment nothing"):
        call_command("experiments", "nothing", "--report")
    with pytest.raises(CommandError, match="NAME=TREATMENT:SHARE, got x"):
        call_command("experiments", "new", "--create", "x")
    call_command("experiments", "new", "--create", "a=usual:0.5", "b=long_term_only:0.5")
    call_command("experiments")
    assert "new: draft; a 50%, b 50%" in capsys.readouterr().out
