"""The dashboards: for staff alone, from daily metrics alone, real and simulated kept apart."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.webapp.metrics.conftest import Sitting
from webapp.metrics.daily import refresh
from webapp.pages.dashboards.serving import PAGES

pytestmark = pytest.mark.django_db
MOST_QUERIES = 16


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_user("operator", is_staff=True))
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
    client.force_login(User.objects.create_user("operator", is_staff=True))
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


def test_an_arm_can_be_chosen(staff, yesterday):
    page = staff.get("/staff/?traffic=real&arm=first/usual").content.decode()
    assert "real visits, arm first/usual" in page
    assert "arm=first%2Fusual" in page
    assert "50.0 %" in page
