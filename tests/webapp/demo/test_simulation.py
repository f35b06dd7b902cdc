"""Simulated viewers: whose taste they have, how they behave, and what they leave behind."""

import json
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from webapp.demo.films import DemoRating
from webapp.demo.people import FEWEST_RATINGS, delete_hidden, split_ratings
from webapp.demo.simulated import films_and_paths, log_in
from webapp.demo.simulation import DAYS, Journal, Target, month_before, plan, simulate
from webapp.demo.site import Card, Page, parse_page
from webapp.demo.tastes import Film, Intent, Person, draw_intent, similarity, with_typo
from webapp.demo.viewer import Visit as Sitting
from webapp.events.models import Event, Visit
from webapp.experiments.lifecycle import built_in, start
from webapp.experiments.models import Experiment
from webapp.experiments.outcomes import read_outcomes
from webapp.metrics.daily import count_day
from webapp.metrics.models import CountedDay, DailyMetric
from webapp.profiles.models import Profile, Rating
from webapp.training.export import liked_pairs, stored_events

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOKEN = "a token of more than thirty-two characters"


def film(id_, genres="Western", year=1970, people="", name="A Film"):
    return Film(id_, name, year, frozenset(genres.split()), frozenset(people.split()), 6000)


FILMS = {
    1: film(1, people="leone"),
    2: film(2, year=1971, people="leone"),
    3: film(3, year=1968),
    4: film(4, "Romance", 1995),
    5: film(5, "Romance", 1996),
    6: film(6, "Romance", 1994),
    7: film(7, year=1969),
}


def someone(**stars):
    hidden = {int(name[1:]): value for name, value in stars.items()}
    return Person(5, 50, hidden, set())


def ratings(person, number):
    return [DemoRating(person, film_id, 4.0, 1_000 + film_id) for film_id in range(number)]


def test_the_latest_ratings_of_two_people_in_three_are_hidden():
    matches = {n: 100 + n for n in range(200)}
    every_rating = [*ratings(1, 50), *ratings(2, FEWEST_RATINGS - 1), *ratings(3, 50)]
    shown, hidden = split_ratings(every_rating, matches)
    assert [rating.rated_film_id for rating in hidden[1]] == list(range(30, 50))
    assert hidden.keys() == {1}
    assert Counter(rating.profile_id for rating in shown) == {1: 30, 2: 39, 3: 50}


@pytest.mark.django_db
def test_hidden_ratings_of_an_older_load_go_and_the_viewers_own_stay(films):
    profile = Profile.objects.create(external_id="demo-1", name="One")
    for n, (title, seconds) in enumerate([(films[0], 0), (films[1], 5)]):
        title.external_id = f"demo-{n}"
        title.save()
        at = datetime.fromtimestamp(1_000 + seconds, UTC)
        Rating.objects.create(profile=profile, title=title, stars=4, rated_at=at)
    hidden = {1: [DemoRating(1, 70, 4.0, 1_000), DemoRating(1, 71, 4.0, 1_000)]}
    assert delete_hidden(hidden, {70: 0, 71: 1}) == 1
    assert Rating.objects.get().title == films[1]


def test_likeness_by_hand():
    assert similarity(FILMS[1], FILMS[1]) == 1.0
    # the same genre .5, a year apart .2 e^-.1, the same director .3
    assert similarity(FILMS[1], FILMS[2]) == pytest.approx(0.5 + 0.2 * np.exp(-0.1) + 0.3)
    assert similarity(FILMS[1], FILMS[4]) == pytest.approx(0.2 * np.exp(-2.5))


def test_tonight_is_a_film_that_the_person_will_like_and_those_most_like_it():
    person = someone(_1=5, _2=4, _3=4, _4=5, _5=4, _6=1)
    for seed in range(20):
        intent = draw_intent(person, FILMS, np.random.default_rng(seed))
        assert {film.id for film in intent.cluster} == {1, 2, 3, 4, 5}
        first, second = intent.cluster[0], intent.cluster[1]
        assert first.genres == second.genres


def test_what_films_are_worth():
    person = someone(_1=5, _2=4, _4=5, _6=1)
    person.seen.add(3)
    intent = Intent([FILMS[1], FILMS[2]], person, FILMS)
    utilities = {id_: intent.utility(id_) for id_ in [*FILMS, 99]}
    assert (utilities[1], utilities[2], utilities[4]) == (1.0, 1.0, 0.5)
    assert (utilities[3], utilities[6], utilities[99]) == (0.0, 0.0, 0.0)
    assert utilities[7] == pytest.approx(0.5 * similarity(FILMS[7], FILMS[1]) ** 3)
    assert utilities[5] < 0.01


def test_a_mistake_is_one_letter():
    rng = np.random.default_rng(0)
    for _ in range(50):
        text = with_typo("casablanca", rng)
        assert text
        assert abs(len(text) - 10) <= 1
    assert with_typo("up", rng) == "up"


def test_the_rows_of_a_page_are_read_as_its_own_script_reads_them():
    html = (
        '<main id="main" data-surface="home" data-slate="s1"><section data-of-row="top_picks">'
        '<a class="x" href="/a" data-title="1" data-slot="0">A</a></section>'
        '<section class="row" data-row="new"><a href="/b" data-title="2" data-slot="0">B</a>'
        '<a href="/c" data-slot="1" data-title="3">C</a></section></main>'
    )
    assert parse_page(html).rows == [
        [Card(1, "s1", "home", "top_picks", 0)],
        [Card(2, "s1", "home", "new", 0), Card(3, "s1", "home", "new", 1)],
    ]


class Stage:
    """Stands for the site: one page of rows, and what it is told."""

    def __init__(self, rows, slots):
        cards = [
            [Card(100 + row * slots + slot, "s", "home", "new", slot) for slot in range(slots)]
            for row in range(rows)
        ]
        self.page, self.events, self.known_when_asked = Page(cards), [], 0

    def load(self, path, now, *, query="", as_fragment=False):
        self.known_when_asked = len(self.events)
        return self.page

    def send(self, events, now):
        self.events += events


def test_position_bias_is_as_documented():
    """Row n is looked at with .85^n, slot m of it with .9^m."""
    seen = Counter()
    for seed in range(3000):
        stage: Any = Stage(rows=4, slots=5)
        rng = np.random.default_rng(seed)
        sitting = Sitting(stage, Intent([FILMS[1]], someone(_1=5), FILMS), rng, UNTIL, {})
        sitting.patience = 1e9
        assert sitting._scan(stage.page) is None
        seen.update((event["title"] - 100) for event in stage.events)
    for row in range(4):
        for slot in range(5):
            expected = 0.85**row * 0.9**slot
            assert seen[row * 5 + slot] / 3000 == pytest.approx(expected, abs=0.035)


def test_who_scrolls_on_is_brought_the_rows_below():
    html = '<main data-surface="home" data-slate="s"><div class="more-rows" hx-get="/rows/s/" x>'
    assert parse_page(html).more == "/rows/s/"
    stage: Any = Stage(rows=2, slots=1)
    above = Page([[Card(7, "s", "home", "new", 0)]], more="/rows/s/")
    reached = 0
    for seed in range(300):
        stage.events = []
        rng = np.random.default_rng(seed)
        sitting = Sitting(stage, Intent([FILMS[1]], someone(_1=5), FILMS), rng, UNTIL, {})
        sitting.patience = 1e9
        sitting._scan(above)
        assert stage.events[0]["title"] == 7
        if len(stage.events) > 1:
            reached += 1
            assert stage.known_when_asked == 1, "what was seen is told before more is asked for"
    assert reached / 300 == pytest.approx(0.85, abs=0.07)


def test_without_patience_nothing_more_is_looked_at():
    stage: Any = Stage(rows=9, slots=9)
    rng = np.random.default_rng(1)
    sitting = Sitting(stage, Intent([FILMS[1]], someone(_1=5), FILMS), rng, UNTIL, {})
    sitting.patience = 2.5
    sitting._scan(stage.page)
    assert len(stage.events) <= 3


@pytest.mark.parametrize("seed", range(8))
def test_a_film_watched_is_told_from_its_qualified_play_to_its_end_in_one_visit(seed):
    stage: Any = Stage(rows=1, slots=1)
    intent = Intent([FILMS[1]], someone(_1=5), FILMS)
    sitting = Sitting(stage, intent, np.random.default_rng(seed), UNTIL, {})
    sitting._watch(FILMS[1], 1.0)
    begun, enough, *further, end = stage.events
    assert (begun["kind"], enough["kind"], enough["position_seconds"]) == ("play", "progress", 125)
    times = [datetime.fromisoformat(event["occurred_at"]) for event in stage.events]
    assert [int((at - UNTIL).total_seconds()) for at in times] == [
        event["position_seconds"] for event in stage.events
    ]
    assert max(np.diff([at.timestamp() for at in times])) < 1800
    assert (end["kind"] == "finish") == (end["position_seconds"] == FILMS[1].seconds)
    assert {event["kind"] for event in further} <= {"progress"}


def test_a_month_is_planned_in_order_and_nobody_is_twice_at_once():
    planned = plan([2, 4, 5], 300, UNTIL, seed=3)
    assert [visit.number for visit in planned] == list(range(300))
    assert planned == plan([2, 4, 5], 300, UNTIL, seed=3)
    assert planned != plan([2, 4, 5], 300, UNTIL, seed=4)
    assert month_before(UNTIL) <= planned[0].at
    assert planned[-1].at <= month_before(UNTIL) + timedelta(days=DAYS)
    for person in (2, 4, 5):
        at = [visit.at for visit in planned if visit.person == person]
        gaps = np.diff([moment.timestamp() for moment in at]) / 3600
        assert gaps.min() > 0.999 * min(4, DAYS * 24 / len(at))
    assert 0.1 < np.mean([visit.is_anonymous for visit in planned]) < 0.3


@pytest.fixture
def target(live_server, settings, people, films):
    settings.SIMULATION_TOKEN = TOKEN
    known, paths = films_and_paths()
    persons = {}
    for number, profile in enumerate(people[:4], start=1):
        liked = {film.pk: 5.0 for film in films[:20]}
        for rating in Rating.objects.filter(profile=profile):
            liked.pop(rating.title_id, None)
        liked |= {film.pk: 5.0 for film in films[20:26]}
        persons[number] = Person(number, profile.pk, liked, set())
    sessions = log_in(persons.values())
    return Target(live_server.url, TOKEN, sessions, known, paths), persons


@pytest.mark.django_db(transaction=True)
def test_a_month_over_real_http_is_marked_in_both_arms_and_can_go_on(target, tmp_path):
    site, persons = target
    start(built_in(is_simulated=True), month_before(UNTIL))
    journal = Journal(tmp_path / "journal.jsonl")
    journal.create(sorted(persons), UNTIL)
    planned = plan(journal.people, 12, journal.until, seed=1)

    assert simulate(planned[:4], persons, site, journal, 1, 2, lambda: None) == 4
    assert simulate(planned, persons, site, journal, 1, 2, lambda: None) == 8
    assert simulate(planned, persons, site, journal, 1, 2, lambda: None) == 0

    visits = Visit.objects.all()
    assert len(visits) == 12
    assert all(visit.is_simulated and not visit.is_bot for visit in visits)
    assert {visit.arm for visit in visits} == {"session-aware", "long-term-only"}
    assert {visit.started_at.month for visit in visits} <= {10, 11}
    assert Event.objects.filter(kind="impression", slate__isnull=False).exists()
    assert Event.objects.filter(kind="open").exists()
    finished = Event.objects.filter(kind__in=["finish", "stop"])
    for event in finished:
        assert event.visit_id in {visit.pk for visit in visits}
    lines = list(journal.finished())
    assert sorted(line["number"] for line in lines) == list(range(12))
    told = {id_ for line in lines for id_ in line["watched"]}
    assert told <= set(Event.objects.filter(kind="play").values_list("title_id", flat=True))
    assert not User.objects.filter(username="simulated-1").get().has_usable_password()
    after = UNTIL + timedelta(days=1)
    for day in {visit.started_at.date() for visit in visits}:
        count_day(day, after)
    rows = DailyMetric.objects.filter(metric="abandonment", dimension="all", is_simulated=True)
    reported = read_outcomes(Experiment.objects.get(), settled=after)
    assert sum(row.denominator for row in rows) == len(reported), "dashboard and report agree"
    assert sum(row.numerator for row in rows) == reported.abandoned.sum()


@pytest.mark.django_db(transaction=True)
def test_the_command_begins_the_experiment_counts_the_days_and_reports(target, monkeypatch, capsys):
    site, persons = target
    module = "webapp.demo.management.commands.simulate"
    monkeypatch.setattr(f"{module}.simulated_people", lambda films: persons)
    asked = ["--visits", "6", "--seed", "2", "--workers", "1", "--address", site.address]
    call_command("simulate", *asked, "--learn")
    told = capsys.readouterr().out
    assert "6 simulated visits made over 30 days, 0 were there" in told
    experiment = Experiment.objects.get()
    assert (experiment.status, experiment.plan["visits"]) == ("running", 6)
    assert experiment.is_simulated
    assert experiment.report["simulated"]["visits"] <= 6
    assert sum(CountedDay.objects.values_list("visits", flat=True)) == 6
    call_command("simulate", *asked)
    assert "0 simulated visits made over 30 days, 6 were there" in capsys.readouterr().out


def test_a_line_cut_off_in_the_middle_is_made_again(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.create([1], UNTIL)
    whole = json.dumps({"number": 0, "person": 1, "watched": []})
    with journal.path.open("a") as file:
        file.write(whole + "\n" + '{"number": 1, "pers')
    assert [line["number"] for line in journal.finished()] == [0]


@pytest.mark.django_db
def test_the_command_says_what_is_missing(settings):
    with pytest.raises(CommandError, match="MARQUEE_SIMULATION_TOKEN is not set"):
        call_command("simulate", "--visits", "5")
    with pytest.raises(CommandError, match="must be 1 or more, got 0"):
        call_command("simulate", "--visits", "0")


@pytest.mark.django_db
def test_simulated_viewers_teach_no_release(films, cast):
    for is_simulated in (True, False):
        visit = Visit.objects.create(
            profile=cast.owner, started_at=UNTIL, is_simulated=is_simulated
        )
        for kind in ("finish", "choose"):
            Event.objects.create(
                id=uuid.uuid4(), visit=visit, profile=cast.owner, kind=kind, query="x",
                title=films[is_simulated], occurred_at=UNTIL, received_at=UNTIL,
            )  # fmt: skip
    assert [title for _, title, _ in liked_pairs()] == [films[0].pk]
    assert {event.title_id for event in stored_events()} == {films[0].pk}
