"""Outcomes from a visit's first sign on, by hand, and their report."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from webapp.events.models import Event, Visit
from webapp.experiments.first_sign import from_first_sign
from webapp.experiments.lifecycle import create, start
from webapp.experiments.models import Arm
from webapp.experiments.outcomes import read_outcomes
from webapp.experiments.report import report
from webapp.slates.models import Slate

EVENING = datetime(2026, 5, 1, 20, tzinfo=UTC)
LATER = EVENING + timedelta(days=1)
NAME = "any"
ARMS = [Arm("new", "usual", 0.5), Arm("old", "long_term_only", 0.5)]


class Made:
    """A visit of the experiment, whose answers and events are made by their second."""

    def __init__(self, arm="new", profile=None):
        self.visit = Visit.objects.create(
            experiment=NAME, arm=arm, profile=profile, started_at=EVENING, is_simulated=True
        )

    def answer(self, after, surface="home"):
        return Slate.objects.create(
            visit=self.visit, surface=surface, rows=[], took_ms=1.0,
            created_at=EVENING + timedelta(seconds=after),
        )  # fmt: skip

    def event(self, kind, film, after, slate=None, received=None, **fields):
        at = EVENING + timedelta(seconds=after)
        surface = slate.surface if slate else "watch"
        Event.objects.create(
            id=uuid.uuid4(), visit=self.visit, profile=self.visit.profile, kind=kind, title=film,
            occurred_at=at, surface=surface, slate=slate,
            received_at=at if received is None else EVENING + timedelta(seconds=received),
            **fields,
        )  # fmt: skip

    def play(self, film, after):
        """Play a film of 6,000 seconds for 125, so the play is qualified 125 seconds later."""
        for kind, position in (("play", 0), ("progress", 125)):
            self.event(
                kind, film, after + position, position_seconds=position, duration_seconds=6000
            )


@pytest.fixture
def experiment(db):
    experiment = create(NAME, ARMS, is_simulated=True, unit="visit")
    start(experiment, EVENING - timedelta(days=1))
    return experiment


def followed(experiment):
    """Return what followed the only visit's first sign, or None if it had none."""
    found = from_first_sign(read_outcomes(experiment, settled=LATER))
    assert found.has_sign.tolist() in ([True], [False])
    later = found.outcomes
    if not len(later):
        return None
    columns = (later.abandoned, later.seen, later.conversions, later.seconds)
    return tuple(values.item() for values in columns)


def test_a_title_opened_is_the_first_sign_and_its_position_counts(experiment, films):
    made = Made()
    home = made.answer(0)
    made.event("impression", films[0], 10, home)
    made.event("impression", films[1], 12, home)
    made.event("open", films[1], 20, home)
    made.answer(20, "title")
    made.play(films[1], 35)
    assert followed(experiment) == (0, 1, 1, 35 + 125 - 20)


def test_rows_asked_for_after_something_was_seen_are_the_first_sign(experiment, films):
    made = Made()
    home = made.answer(0)
    made.event("impression", films[0], 5, home)
    below = made.answer(30)
    for n, film in enumerate(films[1:3]):
        made.event("impression", film, 31 + n, below)
    made.event("impression", films[1], 36, below)
    assert followed(experiment) == (1, 2, 0, 6)


def test_who_leaves_after_the_first_page_gave_no_sign(experiment, films):
    made = Made()
    home = made.answer(0)
    made.event("impression", films[0], 5, home)
    assert followed(experiment) is None


def test_what_had_not_reached_the_site_was_no_sign_yet(experiment, films):
    made = Made()
    home = made.answer(0)
    made.event("impression", films[0], 5, home, received=40)
    made.answer(30)
    below = made.answer(50)
    made.event("impression", films[1], 58, below)
    assert followed(experiment) == (1, 1, 0, 8)


def test_a_search_is_a_sign_before_its_next_page(experiment, films):
    made = Made()
    results = made.answer(0, "search")
    made.event("impression", films[0], 5, results)
    made.event("search", None, 12, query="western")
    made.answer(15, "search")
    made.event("impression", films[2], 20, results)
    assert followed(experiment) == (1, 1, 0, 8)


def test_a_play_of_a_title_not_seen_since_the_sign_is_a_play_and_no_conversion(experiment, films):
    made = Made()
    home = made.answer(0)
    made.event("impression", films[0], 5, home)
    below = made.answer(30)
    made.event("impression", films[1], 31, below)
    made.play(films[0], 40)
    assert followed(experiment) == (0, 1, 0, 40 + 125 - 30)


def test_a_play_qualified_before_the_sign_is_left_out(experiment, films):
    made = Made()
    home = made.answer(0)
    made.event("progress", films[3], 1, position_seconds=0, duration_seconds=6000)
    made.event("progress", films[3], 3, position_seconds=500, duration_seconds=6000)
    made.event("impression", films[0], 5, home)
    made.event("open", films[0], 20, home)
    assert read_outcomes(experiment, settled=LATER).abandoned.tolist() == [0]
    assert followed(experiment) == (1, 1, 0, 0)


def test_the_report_compares_the_arms_from_the_first_sign_on(experiment, films, cast, capsys):
    # Of each arm six visits: four with a sign, of which new plays in all and old in two.
    for arm, plays in (("new", 4), ("old", 2)):
        for n in range(6):
            made = Made(arm, [cast.owner, cast.sibling, None][n % 3])
            home = made.answer(0)
            made.event("impression", films[0], 5, home)
            if n < 4:
                made.event("open", films[0], 10, home)
            if n < plays:
                made.play(films[0], 20)
    found = report(experiment, LATER)
    whole, later = found["effects"][0], found["first_sign"]["effects"][0]
    assert whole["abandonment"]["difference"]["value"] == pytest.approx(2 / 6 - 4 / 6)
    assert later["abandonment"]["difference"]["value"] == pytest.approx(0 - 1 / 2)
    assert found["first_sign"]["visits"] == 8
    assert found["first_sign"]["sizes"]["units"] == [4, 4], "visits, not profiles"
    shares = found["first_sign"]["shares"]
    assert shares == {"new": {"value": 4 / 6, "p": 1.0}, "old": {"value": 4 / 6, "p": None}}
    call_command("experiments", NAME, "--report")
    out = capsys.readouterr().out
    assert "from the first sign on, 8 visits of simulated viewers" in out
    assert "new: 66.7% of visits had a first sign, p = 1" in out
    assert "abandonment: -50.00 %" in out.split("from the first sign on")[1]


def test_an_arm_in_which_other_visits_have_signs_is_warned_of(experiment, films):
    for arm, signs in (("new", 60), ("old", 20)):
        for n in range(60):
            made = Made(arm)
            home = made.answer(0)
            made.event("impression", films[0], 5, home)
            if n < signs:
                made.event("open", films[0], 10, home)
    found = report(experiment, LATER)
    assert found["sizes"]["warning"] == ""
    assert "the arms have [60, 20] visits" in found["first_sign"]["sizes"]["warning"]
