"""The rule of a qualified play: every reader gives the same answer to one table of cases."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from recommender.data.sessions import EventKind
from webapp.events.evidence import evidence_of
from webapp.events.models import Event, Play, Visit
from webapp.events.playback import enough_seconds
from webapp.events.visits import CurrentVisit
from webapp.experiments.models import Experiment
from webapp.experiments.outcomes import read_outcomes
from webapp.metrics.daily import count_day
from webapp.metrics.models import DailyMetric
from webapp.training.export import liked_pairs, stored_events

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 3, 10, 20, tzinfo=UTC)
AFTER = datetime(2026, 3, 12, tzinfo=UTC)
FILM = 6000


@dataclass(frozen=True)
class Case:
    """One visit that saw a title and played it.

    Attributes:
        name: what it is about.
        events: (kind, second of the visit, position, duration) in the order in which they arrive.
        is_qualified: whether its play is qualified.
        visit: fields of the visit.
    """

    name: str
    events: tuple[tuple[str, int, int | None, int | None], ...]
    is_qualified: bool
    visit: tuple[tuple[str, bool], ...] = ()

    def __str__(self) -> str:
        return self.name


def watched(seconds, duration, begun_at=0):
    return (
        ("play", 10, begun_at, duration),
        ("stop", 10 + seconds, begun_at + seconds, duration),
    )


CASES = (
    Case("two minutes", watched(120, FILM), True),
    Case("a second less", watched(119, FILM), False),
    Case("resumed at minute 15 and left at once", watched(3, FILM, 900), False),
    Case("resumed at minute 15 and watched two minutes", watched(120, FILM, 900), True),
    Case("only the play of a resumed title", (("play", 10, 900, FILM),), False),
    Case("sought forward", (*watched(5, FILM), ("play", 20, 4000, FILM)), True),
    Case(
        "paused and gone on with",
        (*watched(70, FILM, 900), ("play", 90, 970, FILM), ("stop", 140, 1020, FILM)),
        True,
    ),
    Case("duration 0, position 0", (("progress", 10, 0, 0),), False),
    Case("duration 0, two minutes", watched(120, 0), True),
    Case("duration 0, a second less", watched(119, 0), False),
    Case("duration unknown, two minutes", watched(120, None), True),
    Case("duration unknown, a second less", watched(119, None), False),
    Case("duration known of one event alone", (("play", 10, 0, 100), ("stop", 80, 70, 0)), True),
    Case("position unknown", (("play", 10, None, FILM), ("stop", 900, None, FILM)), False),
    Case("70 s of 101 s", watched(70, 101), True),
    Case("69 s of 101 s", watched(69, 101), False),
    Case("63 s of 90 s", watched(63, 90), True),
    Case("62 s of 90 s", watched(62, 90), False),
    Case("119 s of 171 s", watched(119, 171), True),
    Case("119 s of 172 s", watched(119, 172), False),
    Case("a title of one second, not watched", watched(0, 1), False),
    Case("a title of one second", watched(1, 1), True),
    Case("finish only", (("finish", 10, None, None),), True),
    Case("finished soon", (("play", 10, 5990, FILM), ("finish", 20, FILM, FILM)), True),
    Case("no play event: taken from the start", (("progress", 140, 120, FILM),), True),
    Case(
        "a clock set back: the play arrives last and says that it was later",
        (("progress", 30, 910, FILM), ("stop", 40, 915, FILM), ("play", 300, 900, FILM)),
        False,
    ),
    Case(
        "a clock set back, two minutes",
        (("progress", 30, 910, FILM), ("stop", 40, 1020, FILM), ("play", 300, 900, FILM)),
        True,
    ),
    Case("a simulated visit", watched(120, FILM), True, (("is_simulated", True),)),
    Case("a simulated visit, a second less", watched(119, FILM), False, (("is_simulated", True),)),
    Case("a bot", watched(120, FILM), True, (("is_bot", True),)),
    Case("a bot, a second less", watched(119, FILM), False, (("is_bot", True),)),
)  # fmt: skip


def store(visit, title, kind, second, position=None, duration=None, **fields):
    at = visit.started_at + timedelta(seconds=second)
    return Event.objects.create(
        id=uuid4(), visit=visit, profile=visit.profile, kind=kind, title=title, occurred_at=at,
        received_at=at, position_seconds=position, duration_seconds=duration, **fields,
    )  # fmt: skip


def seen_and_played(case, profile, title, after=timedelta(0)):
    """The case's visit, with an impression of the title before it."""
    visit = Visit.objects.create(
        profile=profile,
        started_at=EVENING + after,
        experiment="any",
        arm="one",
        **dict(case.visit),
    )
    store(visit, title, "impression", 1, surface="home")
    for event in case.events:
        store(visit, title, *event)
    return visit


def evidence_after(visit):
    """The evidence in a later visit of the same profile."""
    return evidence_of(CurrentVisit(uuid4(), visit.profile, visit.started_at + timedelta(hours=1)))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_readers_agree(case, cast, films):
    """Evidence, training, the experiments' report and the daily metrics, of one visit.

    A viewer's own evidence holds whatever that viewer did; a bot's visit is learned from and
    measured nowhere, a simulated one teaches nothing and is measured apart.
    """
    title, visit = films[0], seen_and_played(case, cast.owner, films[0])
    evidence = evidence_after(visit)
    assert [p.is_qualified for p in evidence.playbacks] == [case.is_qualified]
    assert (title.pk in evidence.liked_before) == case.is_qualified
    assert (title.pk in evidence.seen) == case.is_qualified

    is_learned_from = not (visit.is_bot or visit.is_simulated)
    expected = {(cast.owner.pk, title.pk)} if is_learned_from and case.is_qualified else set()
    assert {(profile, title) for profile, title, _ in liked_pairs()} == expected
    stored = {event.kind for event in stored_events()}
    assert bool(stored) == is_learned_from
    if is_learned_from:
        recent = {event.encoder_kind() for event in evidence.recent}
        assert (EventKind.STOP in recent) == (EventKind.STOP in stored)

    is_abandoned = float(not case.is_qualified)
    experiment = Experiment(name="any", is_simulated=visit.is_simulated)
    reported = read_outcomes(experiment, settled=AFTER).abandoned.tolist()
    assert reported == ([] if visit.is_bot else [is_abandoned])
    count_day(EVENING.date(), AFTER)
    counted = DailyMetric.objects.filter(
        metric="abandonment", dimension="all", is_simulated=visit.is_simulated
    ).values_list("numerator", "denominator")
    assert list(counted) == ([] if visit.is_bot else [(is_abandoned, 1.0)])


def test_a_play_qualifies_when_enough_was_watched(cast, films):
    events = (("progress", second, 900 + second, FILM) for second in range(5, 400, 5))
    case = Case("an evening", (("play", 0, 900, FILM), *events), True)
    play = Play.objects.get(visit=seen_and_played(case, cast.owner, films[0]))
    assert (play.began_at, play.duration_seconds) == (EVENING, FILM)
    assert play.qualified_at == EVENING + timedelta(seconds=120)


def test_minutes_of_two_visits_are_not_added(cast, films):
    """Begun twice and left after 70 s: no visit found something to watch, and it is no like."""
    seen_and_played(Case("first", watched(70, FILM), False), cast.owner, films[0])
    again = Case("again", watched(70, FILM, 70), False)
    visit = seen_and_played(again, cast.owner, films[0], after=timedelta(hours=3))
    assert Play.objects.count() == 2
    assert not Play.objects.qualified().exists()
    assert evidence_after(visit).liked == {}
    assert list(liked_pairs()) == []


def test_a_title_watched_before_stays_watched_when_it_is_resumed_and_left(cast, films):
    before = seen_and_played(Case("before", watched(900, FILM), True), cast.owner, films[0])
    resumed = Case("resumed", watched(3, FILM, 900), False)
    tonight = seen_and_played(resumed, cast.owner, films[0], after=timedelta(hours=3))
    qualified = Play.objects.qualified().values_list("visit_id", flat=True)
    assert list(qualified) == [before.pk], "tonight's visit is abandoned all the same"
    evidence = evidence_after(tonight)
    assert evidence.seen == {films[0].pk}
    assert EventKind.STOP not in {event.encoder_kind() for event in evidence.recent}, "a pause"
    assert EventKind.STOP not in {event.kind for event in stored_events()}


def test_python_and_the_database_agree_on_every_duration():
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, enough_seconds(n) FROM generate_series(0, 12000) AS n")
        of_database = dict(cursor.fetchall())
        cursor.execute("SELECT enough_seconds(NULL), enough_seconds(2147483647)")
        assert cursor.fetchone() == (enough_seconds(None), enough_seconds(2_147_483_647))
    assert of_database == {n: enough_seconds(n) for n in of_database}


def counted():
    columns = ", ".join(str(field.column) for field in Play._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM events_play_counted ORDER BY visit_id, title_id")  # noqa: S608
        return cursor.fetchall()


def kept():
    columns = [field.attname for field in Play._meta.concrete_fields]
    return list(Play.objects.order_by("visit_id", "title_id").values_list(*columns))


def test_kept_plays_follow_their_events(films, cast):
    """Whatever is written, changed or deleted: the table holds what the rule counts."""
    visits = [seen_and_played(case, cast.owner, films[0]) for case in CASES]
    visits += [seen_and_played(case, None, films[1]) for case in CASES]
    assert len(kept()) == len(visits)
    steps = [
        lambda: None,
        lambda: Event.objects.filter(visit=visits[0], kind="stop").update(position_seconds=5),
        lambda: Event.objects.filter(visit=visits[1]).update(title=films[2]),
        lambda: Event.objects.filter(visit=visits[2]).update(profile=None),
        lambda: Event.objects.filter(visit=visits[3]).update(row="x"),
        lambda: Event.objects.filter(visit=visits[4], kind="play").delete(),
        lambda: Event.objects.filter(visit=visits[5]).delete(),
        lambda: visits[6].delete(),
        lambda: films[1].delete(),
        lambda: cast.owner.delete(),
    ]
    for step in steps:
        step()
        assert kept() == counted()
    assert kept() == []
