"""Metrics of visits, by hand: abandonment, time to play, and what makes a day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.webapp.metrics.conftest import AFTER, DAY, NOON, everything, told
from webapp.metrics.daily import DayRefused, count_day, days_to_count, refresh
from webapp.metrics.models import CountedDay, DailyMetric, DailyTimes
from webapp.metrics.times import BIN_EDGES, kaplan_meier

pytestmark = pytest.mark.django_db


def test_a_visit_that_saw_and_did_not_play_is_abandoned(sit, films, count):
    left, watched = sit(), sit()
    left.see(films[0])
    watched.see(films[0])
    watched.watch(films[0], at=30, seconds=120)
    assert count("abandonment") == (1, 2)


@pytest.mark.parametrize(
    ("seconds", "duration", "is_abandoned"),
    [(119, 6000, 1), (120, 6000, 0), (69, 100, 1), (70, 100, 0)],
)
def test_two_minutes_or_seventy_percent_of_less_make_a_play(
    sit, films, count, seconds, duration, is_abandoned
):
    visit = sit()
    visit.see(films[0])
    visit.watch(films[0], at=10, seconds=seconds, duration=duration)
    assert count("abandonment") == (is_abandoned, 1)


def test_a_title_gone_on_with_counts_from_where_it_was_begun_tonight(sit, films, count):
    visit = sit()
    visit.see(films[0])
    visit.watch(films[0], at=10, seconds=60, start=3000)
    assert count("abandonment") == (1, 1)
    visit.event("progress", films[0], 130, position_seconds=3120, duration_seconds=6000)
    assert count("abandonment") == (0, 1)


def test_to_finish_is_to_have_watched(sit, films, count):
    visit = sit()
    visit.see(films[0])
    visit.event("finish", films[0], 20, position_seconds=6000, duration_seconds=6000)
    assert count("abandonment") == (0, 1)


def test_a_visit_that_saw_nothing_where_titles_are_offered_is_not_judged(sit, films, count):
    sit().event("open", films[0])
    visit = sit()
    visit.see(films[0], slate=visit.slate(surface="title"))
    assert count("abandonment") is None, "null is not 0"


@pytest.mark.parametrize(
    ("kind", "value", "is_good"),
    [("list", "add", 1), ("thumb", "down", 1), ("thumb", "clear", 0), ("list", "remove", 0)],
)
def test_an_abandoned_visit_that_kept_or_rated_is_a_good_one(
    sit, films, count, cast, kind, value, is_good
):
    visit = sit(cast.owner)
    visit.see(films[0])
    visit.event(kind, films[0], 5, value=value)
    assert count("good_abandonment") == (is_good, 1)
    assert told("abandonment") == (1, 1)


def test_an_empty_day_is_counted_and_has_no_metric(db):
    counted = count_day(DAY, AFTER)
    assert (counted.visits, counted.events) == (0, 0)
    assert not DailyMetric.objects.exists()
    assert not DailyTimes.objects.exists()


def test_one_event_makes_a_visit_and_a_day(sit, films, count):
    visit = sit()
    visit.event("impression", films[0], surface="home", lag=2)
    assert count("abandonment") == (1, 1)
    assert told("event_lag_seconds") == (2, 1)
    assert told("ctr") is None


def test_a_visit_over_midnight_is_of_the_day_it_began(sit, films, count):
    visit = sit(at=datetime(2026, 3, 10, 23, 55, tzinfo=UTC))
    visit.see(films[0])
    visit.watch(films[0], at=600, seconds=300)
    assert count("abandonment") == (0, 1)
    assert count("abandonment", day=DAY + timedelta(days=1)) is None


def test_a_late_event_makes_its_day_count_anew(sit, films):
    visit = sit()
    visit.see(films[0])
    assert [day.day for day in refresh(AFTER)] == [DAY]
    assert told("abandonment") == (1, 1)
    assert refresh(AFTER + timedelta(hours=1)) == []
    visit.event(
        "finish", films[0], 60, lag=3 * 86_400, position_seconds=6000, duration_seconds=6000
    )
    assert [day.day for day in refresh(AFTER + timedelta(days=4))] == [DAY]
    assert told("abandonment") == (0, 1)


def test_a_repeated_event_and_a_repeated_count_change_nothing(sit, films, count):
    visit = sit()
    for second in range(3):
        visit.event("impression", films[0], second, surface="home")
    visit.watch(films[0], at=20, seconds=200)
    visit.watch(films[0], at=20, seconds=200)
    assert count("abandonment") == (0, 1)
    first = everything()
    count_day(DAY, AFTER + timedelta(days=1))
    assert everything() == first


def test_a_visit_that_may_go_on_is_not_counted_yet_and_is_later(sit, films, count):
    sit().see(films[0])
    soon = NOON + timedelta(minutes=10)
    assert count("abandonment", now=soon) is None
    refresh(soon)
    later = NOON + timedelta(minutes=45)
    assert [day.day for day in refresh(later)] == [DAY]
    assert told("abandonment") == (1, 1)


def test_simulated_visits_never_mix_with_real_ones(sit, films, count):
    sit().see(films[0])
    visit = sit(is_simulated=True)
    visit.see(films[0])
    visit.watch(films[0], at=5, seconds=500)
    assert count("abandonment") == (1, 1)
    assert told("abandonment", is_simulated=True) == (0, 1)


def test_programs_are_left_out_and_counted(sit, films, count, monkeypatch):
    monkeypatch.setattr("webapp.metrics.daily.BOT_EVENTS", 3)
    sit().see(films[0])
    sit(is_bot=True).see(films[0])
    busy = sit()
    for second in range(4):
        busy.see(films[second], second)
    assert count("abandonment") == (1, 1)
    assert told("bot_share") == (2, 3)
    assert told("ctr") == (0, 1)


def test_what_simulated_viewers_do_is_never_taken_for_a_program(sit, films, count, monkeypatch):
    monkeypatch.setattr("webapp.metrics.daily.BOT_EVENTS", 1)
    visit = sit(is_bot=True, is_simulated=True)
    visit.see(films[0])
    visit.see(films[1])
    assert count("abandonment", is_simulated=True) == (1, 1)


def test_a_deleted_profile_leaves_the_days_it_was_in(sit, films, cast):
    sit(cast.owner).see(films[0])
    sit(cast.stranger).see(films[0])
    refresh(AFTER)
    assert told("abandonment") == (2, 2)
    cast.owner.delete()
    assert told("abandonment") == (2, 2), "sums hold nobody"
    assert days_to_count(AFTER + timedelta(hours=1)) == [DAY]
    refresh(AFTER + timedelta(hours=1))
    assert told("abandonment") == (1, 1)
    assert refresh(AFTER + timedelta(hours=2)) == []


def test_a_day_without_its_slates_stays_as_it_was_counted(db, settings):
    with pytest.raises(DayRefused, match="MARQUEE_SLATE_DAYS"):
        count_day(date(2025, 1, 1), AFTER)
    with pytest.raises(DayRefused, match="has not come yet"):
        count_day(AFTER.date() + timedelta(days=1), AFTER)
    assert not CountedDay.objects.exists()


def test_viewers_are_parted_by_tenths_of_history_and_ties_stay_together(sit, films, count, cast):
    for liked, profile in ((0, cast.owner), (0, cast.sibling), (30, cast.stranger)):
        visit = sit(profile)
        visit.see(films[0], slate=visit.slate(liked=liked))
    sit().see(films[0])  # nobody's: without a history
    assert count("abandonment", "decile", "1") == (2, 2)
    assert told("abandonment", "decile", "10") == (1, 1)
    assert told("history_size", "decile", "10") == (30, 1)
    assert told("abandonment") == (4, 4)


def test_visits_are_parted_by_arm(sit, films, count):
    for arm, is_played in (("usual", True), ("usual", False), ("other", False)):
        visit = sit(experiment="first", arm=arm)
        visit.see(films[0])
        if is_played:
            visit.event("finish", films[0], 9)
    sit().see(films[0])
    assert count("abandonment", "arm", "first/usual") == (1, 2)
    assert told("abandonment", "arm", "first/other") == (1, 1)
    assert told("conversion_rate", "arm", "first/usual") == (1, 2)
    assert told("abandonment") == (3, 4)


def test_time_to_play_knows_of_those_who_left(sit, films):
    """Ten visits: four play after 7 s, two leave after 12 s, four play after 22 s.

    S(10) = 6/10; at risk then are 6, two leave, of the last four all play: S(25) = 0.
    """
    for n in range(10):
        visit = sit()
        visit.see(films[0])
        if n < 4:
            visit.event("finish", films[0], 7)
        elif n < 6:
            visit.event("open", films[1], 12)
        else:
            visit.event("finish", films[0], 22)
    count_day(DAY, AFTER)
    kept = DailyTimes.objects.get(dimension="all")
    assert (kept.played[:6], kept.left[:6]) == ([0, 4, 0, 0, 4, 0], [0, 0, 2, 0, 0, 0])
    curve = kaplan_meier(kept.played, kept.left)
    assert curve.waiting[:5].tolist() == pytest.approx([1, 0.6, 0.6, 0.6, 0])
    assert curve.median() == pytest.approx(20 + 5 * (0.6 - 0.5) / 0.6)


def test_the_median_is_null_where_fewer_than_half_ever_play():
    played, left = [0] * (len(BIN_EDGES) + 1), [0] * (len(BIN_EDGES) + 1)
    played[3], left[4] = 2, 8
    curve = kaplan_meier(played, left)
    assert curve.waiting[-1] == pytest.approx(0.8)
    assert curve.median() is None
    assert kaplan_meier([0] * len(played), [0] * len(left)).median() is None


def test_a_play_before_anything_was_seen_has_no_time(sit, films):
    visit = sit()
    visit.event("finish", films[0], 1)
    visit.see(films[1], at=10)
    count_day(DAY, AFTER)
    assert not DailyTimes.objects.exists()
    assert told("abandonment") == (0, 1)
