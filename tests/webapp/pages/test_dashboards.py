"""The dashboards: for staff alone, from daily metrics alone, real and simulated kept apart."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from recommender.verdict import Verdict
from tests.webapp.metrics.conftest import Sitting
from webapp.experiments.lifecycle import built_in, start
from webapp.experiments.report import keep_report
from webapp.metrics.daily import refresh
from webapp.metrics.estimates import RatioEstimate
from webapp.metrics.models import AuditEntry
from webapp.pages.dashboards.charts import Chart, Line
from webapp.pages.dashboards.serving import PAGES
from webapp.releases.models import Release, TrainingRun
from webapp.releases.publishing import publish

pytestmark = pytest.mark.django_db
MOST_QUERIES = 16


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_user("operator", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def yesterday(films, cast):
    """Two real visits of which one is abandoned, and a simulated one that is; counted."""
    now = timezone.now()
    at = now - timedelta(days=1)
    for is_played, fields in ((True, {}), (False, {}), (False, {"is_simulated": True})):
        visit = Sitting(
            cast.owner if is_played else None, at, experiment="first", arm="usual", **fields
        )
        home = visit.slate(rows=[("trending", films[:6])])
        visit.see(films[0], slate=home)
        visit.event("search", at=5, surface="search", query="solaris")
        if is_played:
            visit.watch(films[0], at=9, seconds=300)
    refresh(now)
    return at.date()


def csv_of(response):
    return list(csv.DictReader(io.StringIO(response.content.decode())))


@pytest.mark.parametrize("name", PAGES)
def test_staff_see_it_others_are_refused_and_strangers_log_in(client, cast, name):
    address = reverse(name)
    assert client.get(address).status_code == 302
    client.force_login(cast.owner.account)
    assert client.get(address).status_code == 403
    client.force_login(User.objects.create_user("operator", is_staff=True, is_superuser=True))
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("query", ["", "?days=90&traffic=simulated&arm=no/such", "?days=x&arm=%00"])
def test_an_empty_house_and_a_strange_address_are_no_trouble(staff, name, query):
    assert staff.get(reverse(name) + query).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_no_page_reads_events_or_more_than_a_few_queries(
    staff, yesterday, name, django_assert_max_num_queries
):
    with django_assert_max_num_queries(MOST_QUERIES) as asked:
        assert staff.get(reverse(name)).status_code == 200
    assert not [q["sql"] for q in asked if '"events_event"' in q["sql"]]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_as_many_queries_for_ninety_days_as_for_seven(staff, yesterday, name):
    staff.get(reverse(name))  # the live release is looked for once a process
    counts = []
    for days in (7, 90):
        with CaptureQueriesContext(connection) as asked:
            staff.get(f"{reverse(name)}?days={days}&traffic=real")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_each_chart_is_a_csv_file_too(staff, yesterday):
    response = staff.get("/staff/?traffic=real&csv=abandonment")
    assert response["Content-Type"].startswith("text/csv")
    assert (
        f"marquee-abandonment-real-{yesterday - timedelta(days=28)}"
        in response["Content-Disposition"]
    )
    rows = csv_of(response)
    assert len(rows) == 30
    (told,) = [row for row in rows if row["Day"] == str(yesterday)]
    assert told["Abandoned visits: value"] == "0.5"
    assert told["Abandoned visits: numerator"] == "1.0"
    assert rows[0]["Abandoned visits: value"] == "", "null is not 0"


def test_a_chart_that_is_not_there_is_not_found(staff):
    assert staff.get("/staff/?csv=nonsense").status_code == 404


def test_real_and_simulated_visits_are_never_on_one_page(staff, yesterday):
    real = staff.get("/staff/?traffic=real").content.decode()
    simulated = staff.get("/staff/?traffic=simulated").content.decode()
    assert "50.0 %" in real
    assert "50.0 %" not in simulated
    assert 'class="badge simulated"' not in real
    assert simulated.count('class="badge simulated"') > 5
    assert "simulated viewers, not people" in simulated


def test_without_real_visits_the_simulated_are_shown_and_say_so(staff, films):
    visit = Sitting(None, timezone.now() - timedelta(days=1), is_simulated=True)
    visit.see(films[0])
    refresh(timezone.now())
    assert "simulated viewers, not people" in staff.get("/staff/").content.decode()


def test_a_few_real_visits_do_not_hide_the_simulated_but_many_do(staff, yesterday, monkeypatch):
    assert "simulated viewers, not people" in staff.get("/staff/").content.decode()
    monkeypatch.setattr("webapp.pages.dashboards.filters.FEWEST_REAL", 2)
    assert "real visits" in staff.get("/staff/").content.decode()


def test_an_arm_can_be_chosen(staff, yesterday):
    page = staff.get("/staff/?traffic=real&arm=first/usual").content.decode()
    assert "real visits, arm first/usual" in page
    assert "arm=first%2Fusual" in page
    assert "50.0 %" in page


@pytest.fixture
def releases():
    """Two releases, the second live."""
    made = [
        Release.objects.create(
            run=TrainingRun.objects.create(metrics=METRICS_OF_A_RUN),
            folder=f"artifacts/{n}",
            metrics={"ials": {"ndcg@100": 0.2 + n / 100}},
            gate=Verdict(True, f"verdict {n}").as_json(),
        )
        for n in range(2)
    ]
    for release in made:
        publish(release, timezone.now())
    return made


METRICS_OF_A_RUN = {
    "ials": {"ndcg@100": 0.2, "curve": [{"epoch": n, "loss": 1 / n} for n in (1, 2, 3)]},
    "larm": {
        "by_history_size": [
            {"smallest": 1, "largest": 5, "profiles": 9, "ease": 0.1, "larm": 0.2},
            {"smallest": 6, "largest": 9, "profiles": 9, "ease": 0.3, "larm": None},
        ]
    },
}


def test_models_show_lineage_gate_curves_and_quality(staff, releases):
    page = staff.get("/staff/models/").content.decode()
    assert f"Release {releases[1].pk} serves" in page
    assert "verdict 0" in page
    assert "History (iALS): Loss" in page
    rows = csv_of(staff.get("/staff/models/?csv=quality-by-tenth"))
    assert [row["R-LARM: value"] for row in rows] == ["0.2", ""]


def test_models_show_which_side_reads_visits(staff, releases):
    page = staff.get("/staff/models/").content.decode()
    assert "The live release does not say what reads its visits." in page
    live = releases[1]
    values = {"hr@20": 0.125, "hr@20 after one event": None}
    live.metrics["visits"] = {
        "visit_side": "prior", "reason": "The encoder is no better.", "is_simulated": True,
        "sides": {"long-term only": values, "prior": values, "encoder": values},
    }  # fmt: skip
    live.save()
    page = staff.get("/staff/models/").content.decode()
    assert "The encoder is no better. The visits are simulated." in page
    [row] = re.findall(r"<tr>(?:(?!</tr>).)*Visit intents.*?</tr>", page, re.DOTALL)
    assert "live" in row
    assert "0.125" in row


def test_one_click_rolls_back_and_is_written_down(staff, releases):
    old, live = releases
    response = staff.post("/staff/models/roll-back/", {"live": live.pk, "release": old.pk})
    assert response.status_code == 302
    assert Release.objects.get(is_live=True) == old
    entry = AuditEntry.objects.get()
    assert (entry.operator_name, entry.act) == ("operator", "release_published")
    assert entry.what == f"release {old.pk} in place of release {live.pk}"


@pytest.mark.parametrize("told", [{}, {"live": 1, "release": 999_999}, {"live": "x"}])
def test_a_roll_back_of_what_is_not_shown_any_more_changes_nothing(staff, releases, told):
    page = staff.post("/staff/models/roll-back/", told, follow=True).content.decode()
    assert "Nothing was changed" in page
    assert Release.objects.get(is_live=True) == releases[1]
    assert not AuditEntry.objects.exists()


def test_viewers_and_other_sites_cannot_roll_back(client, cast, releases):
    told = {"live": releases[1].pk, "release": releases[0].pk}
    client.force_login(cast.owner.account)
    assert client.post("/staff/models/roll-back/", told).status_code == 403
    assert client.get("/staff/models/roll-back/").status_code == 405
    foreign = Client(enforce_csrf_checks=True)
    foreign.force_login(User.objects.create_user("other", is_staff=True, is_superuser=True))
    assert foreign.post("/staff/models/roll-back/", told).status_code == 403
    assert Release.objects.get(is_live=True) == releases[1]


def test_an_experiment_shows_its_arms_side_by_side(staff, films):
    experiment = built_in()
    now = timezone.now()
    start(experiment, now - timedelta(days=3))
    for arm in ("session-aware", "long-term-only"):
        for is_played in (True, arm == "session-aware"):
            visit = Sitting(None, now - timedelta(days=1), experiment=experiment.name, arm=arm)
            visit.see(films[0])
            if is_played:
                visit.event("finish", films[0], 60)
    refresh(now)
    page = staff.get("/staff/experiments/?traffic=real").content.decode()
    assert experiment.question in page
    assert "0.00 % (" in page
    assert "50.0 % (" in page
    rows = csv_of(staff.get(f"/staff/experiments/?traffic=real&csv=abandonment-{experiment.pk}"))
    assert rows[-2]["long-term-only: value"] == "0.5"
    assert rows[-2]["session-aware: value"] == "0.0"


def test_an_experiment_shows_its_differences_from_the_first_sign_on(staff, films):
    experiment = built_in(is_simulated=True)
    now = timezone.now()
    start(experiment, now - timedelta(days=3))
    for arm in ("session-aware", "long-term-only"):
        for is_played in (True, True, arm == "session-aware"):
            visit = Sitting(
                None, now - timedelta(days=1), is_simulated=True, experiment=experiment.name,
                arm=arm,
            )  # fmt: skip
            home = visit.slate(rows=[("trending", films[:6])])
            visit.see(films[0], slate=home)
            visit.event("open", films[0], 10, slate=home)
            if is_played:
                visit.event("finish", films[0], 60)
    keep_report(experiment, now)
    page = staff.get("/staff/experiments/?traffic=simulated").content.decode()
    _, _, table = page.partition("Differences from the first sign on, 6 visits")
    assert "session-aware less long-term-only: Abandoned visits" in table
    assert "-33.3 %" in table
    assert "session-aware 100.0 %, long-term-only 100.0 %" in table
    assert "simulated" in page.lower()


@pytest.mark.parametrize("start", list("=+-@\t\r\n"))
def test_no_cell_of_a_file_is_a_formula(start):
    name = f'{start}HYPERLINK("http://evil","x")'
    estimate = RatioEstimate(-0.5)
    chart = Chart("x", "X", "", name, [name, "plain"], [Line(name, [estimate, estimate])])
    [head, first, second] = csv.reader(io.StringIO(chart.as_csv(), newline=""))
    assert (head[0], first[0], second[0]) == (f"'{name}", f"'{name}", "plain")
    assert head[1] == f"'{name}: value"
    assert first[1] == "-0.5", "a number stays one"
