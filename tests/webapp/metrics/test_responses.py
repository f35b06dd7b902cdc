"""Metrics of the answers themselves, by hand: fallback, age, freshness, lag, times, repeats."""

from datetime import timedelta

import pytest

from tests.webapp.metrics.conftest import NOON, told
from webapp.releases.models import Release, TrainingRun

pytestmark = pytest.mark.django_db


def test_fallbacks_are_parted_by_surface(sit, count):
    visit = sit()
    visit.slate()
    visit.slate(1, fallback_reason="ValueError: no")
    visit.slate(2, surface="title")
    assert count("fallback_share") == (1, 3)
    assert told("fallback_share", "surface", "home") == (1, 2)
    assert told("fallback_share", "surface", "title") == (0, 1)


def test_model_age_is_that_of_the_release_that_answered(sit, count):
    release = Release.objects.create(run=TrainingRun.objects.create(), folder="a")
    Release.objects.filter(pk=release.pk).update(created_at=NOON - timedelta(hours=30))
    visit = sit()
    visit.slate(release=release)
    visit.slate(3600, release=release)
    visit.slate(3601, fallback_reason="no release")
    assert count("model_age_hours") == (61, 2)


def test_a_release_younger_than_a_simulated_past_has_no_age(sit, count):
    release = Release.objects.create(run=TrainingRun.objects.create(), folder="a")
    sit(is_simulated=True).slate(release=release)
    assert count("model_age_hours", is_simulated=True) is None


def test_without_a_release_there_is_no_model_age(sit, count):
    sit().slate()
    assert count("model_age_hours") is None


@pytest.mark.parametrize(("known", "is_fresh"), [(20, 1), (10, 0), (None, 0)])
def test_a_page_is_fresh_when_made_with_the_newest_event(sit, films, count, known, is_fresh):
    visit = sit()
    visit.event("open", films[0], 10, lag=1)
    visit.event("open", films[1], 20, lag=1)
    events = []
    if known:
        at = (NOON + timedelta(seconds=known)).timestamp()
        events = [{"at": at, "is_this_visit": True}]
    visit.slate(30, snapshot={"viewer": {"events": events}})
    assert count("freshness") == (is_fresh, 1)


def test_an_event_on_its_way_makes_no_page_stale(sit, films, count):
    visit = sit()
    visit.event("open", films[0], 10, lag=60)
    visit.slate(30)
    assert count("freshness") is None


def test_who_wants_no_personal_picks_has_no_freshness(sit, films, count):
    visit = sit()
    visit.event("open", films[0], 10)
    visit.slate(30, snapshot={"switches": {"is_personal": False}})
    assert count("freshness") is None


def test_event_lag_and_its_percentile(sit, films, count):
    visit = sit()
    for lag in (0, 1, 2, 3, 14):
        visit.event("open", films[0], 10, lag=lag)
    assert count("event_lag_seconds") == (20, 5)
    numerator, events = told("event_lag_p95_seconds")
    assert numerator / events == pytest.approx(3 + 0.8 * 11)


def test_response_times_by_surface(sit, count):
    visit = sit()
    for n in range(101):
        visit.slate(n, took_ms=float(n))
    visit.slate(200, surface="title", took_ms=7)
    count("response_p50_ms")
    for name, ms in (("response_p50_ms", 50), ("response_p95_ms", 95), ("response_p99_ms", 99)):
        numerator, slates = told(name, "surface", "home")
        assert (numerator / slates, slates) == (pytest.approx(ms), 101)
    assert told("response_p95_ms", "surface", "title") == (7, 1)
    assert told("response_p50_ms") is not None


def test_a_title_twice_on_a_home_page_is_redundant(sit, films, count):
    visit = sit()
    visit.slate(rows=[("trending", films[:3]), ("new", films[2:5])])
    visit.slate(1, rows=[("trending", films[:4])])
    visit.slate(2, surface="title", rows=[("more_like", [films[0]] * 2)])
    assert count("row_redundancy") == (1, 10)


def test_exploration_slots_are_those_with_a_small_propensity(sit, films, count):
    slate = sit().slate()
    slate.rows = [
        {"kind": "new", "titles": [f.pk for f in films[:4]], "propensities": [1, 0.8, 0.01, 1]},
        {"kind": "trending", "titles": [f.pk for f in films[4:6]]},
    ]
    slate.save()
    assert count("exploration_share") == (1, 6)
