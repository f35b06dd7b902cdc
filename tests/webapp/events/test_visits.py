"""When a visit goes on, and when another one starts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.events.middleware import LazyVisit
from webapp.events.models import Visit
from webapp.events.visits import cookie_of, current_visit
from webapp.profiles.models import Profile

EVENING = datetime(2026, 3, 28, 23, 50, tzinfo=UTC)
ANA, KIM = Profile(pk=1, name="Ana"), Profile(pk=2, name="Kim")


def test_a_visit_goes_on_over_midnight_and_a_clock_change():
    first = current_visit(None, ANA, EVENING)
    after_midnight = EVENING + timedelta(minutes=20)
    second = current_visit(cookie_of(first, EVENING), ANA, after_midnight)
    spring_forward = after_midnight + timedelta(minutes=29)
    third = current_visit(cookie_of(second, after_midnight), ANA, spring_forward)
    assert first.id == second.id == third.id
    assert third.started_at == EVENING


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)])
def test_idle_minutes_are_real_ones_where_the_clocks_change(change):
    """In spring the wall clock leaps an hour over them, in autumn it goes back within them."""
    last = change.replace(tzinfo=UTC) - timedelta(minutes=10)
    first = current_visit(None, ANA, last.astimezone(ZoneInfo("Europe/Berlin")))
    cookie = cookie_of(first, last.astimezone(ZoneInfo("Europe/Berlin")))
    for zone in ("Europe/Berlin", "UTC", "Pacific/Auckland"):
        soon, late = (
            (last + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone)) for minutes in (29, 31)
        )
        assert current_visit(cookie, ANA, soon).id == first.id
        assert current_visit(cookie, ANA, late).id != first.id


def test_thirty_idle_minutes_end_it_and_the_next_one_remembers_it():
    first = current_visit(None, ANA, EVENING)
    cookie = cookie_of(first, EVENING)
    assert current_visit(cookie, ANA, EVENING + timedelta(minutes=30)).id == first.id
    later = current_visit(cookie, ANA, EVENING + timedelta(minutes=30, seconds=1))
    assert later.id != first.id
    assert later.previous_id == first.id


@pytest.mark.parametrize("profile", [KIM, None])
def test_another_profile_or_nobody_starts_another_visit(profile):
    first = current_visit(None, ANA, EVENING)
    second = current_visit(cookie_of(first, EVENING), profile, EVENING)
    assert second.id != first.id
    assert second.previous_id is None


@pytest.mark.parametrize("cookie", ["", "nonsense", "a:b:c"])
def test_a_cookie_that_is_not_ours_starts_a_visit(cookie):
    assert current_visit(cookie, ANA, EVENING).started_at == EVENING


def test_a_changed_cookie_is_not_believed():
    first = current_visit(None, ANA, EVENING)
    cookie = cookie_of(first, EVENING)
    changed = ("x" if cookie[0] != "x" else "y") + cookie[1:]
    assert current_visit(changed, ANA, EVENING).id != first.id


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("browser", "is_bot"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("python-requests/2.32", True),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0", True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", False),
        ("", False),
    ],
)
def test_a_program_that_says_so_is_marked_and_nobody_is_simulated_by_itself(
    client, browser, is_bot, films
):
    client.get("/api/v1/search?q=noon", headers={"user-agent": browser})
    visit = Visit.objects.get()
    assert (visit.is_bot, visit.is_simulated) == (is_bot, False)


def test_a_request_finds_its_visit_once_and_only_when_asked():
    calls = []

    def find():
        calls.append("found")
        return current_visit(None, None, datetime.now(UTC))

    lazy = LazyVisit(find)
    assert (lazy.is_found, calls) == (False, [])
    assert lazy.get() is lazy.get()
    assert (lazy.is_found, calls) == (True, ["found"])
