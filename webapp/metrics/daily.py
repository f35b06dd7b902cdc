"""Daily metrics from events and slates, a day at a time. Counting a day again gives the same.

A day is the visits that began on it (UTC), with all their events. Late ones make their visit's day
be counted again.
"""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from webapp.events.models import BOT_EVENTS
from webapp.metrics.models import CountedDay, DailyMetric, DailyQuery, DailyTimes, Refresh
from webapp.metrics.times import BIN_EDGES

logger = logging.getLogger(__name__)

STEPS = ("gather", "visits", "positions", "slates", "search", "sums", "whole")
"""Files of `sql/`, in their order."""
SQL = {step: (Path(__file__).parent / "sql" / f"{step}.sql").read_text() for step in STEPS}
NEWS = (Path(__file__).parent / "sql" / "news.sql").read_text()
SLATES_SAMPLED = 500
"""Home pages of a day that are searched for repeated titles: those with the smallest ids."""
QUERIES_KEPT = 200
"""Of a day, so many of the most frequent texts and of those that failed most."""
UNDER_WAY = timedelta(minutes=5)
"""Events may be so much longer on their way to the disk than their time of receipt says."""
COUNTING = 0x6D657472
"""The advisory lock of whoever counts: one at a time."""
DAY = timedelta(days=1)


class DayRefused(Exception):
    """A day that cannot be counted; the message says why."""


def count_day(day: date, now: datetime) -> CountedDay:
    """Count a day anew and replace what was kept of it. One transaction.

    Visits that may still go on at `now` are left out, as are bots.

    Raises:
        DayRefused: the day lies in the future, or its slates were already pruned.
    """
    _check(day, now)
    began = time.perf_counter()
    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    parameters: dict[str, Any] = {
        "day": day,
        "since": since,
        "until": since + DAY,
        "settled": now - timedelta(seconds=settings.VISIT_GAP_SECONDS),
        "bot_events": BOT_EVENTS,
        "slates_sampled": SLATES_SAMPLED,
        "queries_kept": QUERIES_KEPT,
        "bin_edges": list(BIN_EDGES),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        for model in (DailyMetric, DailyTimes, DailyQuery):
            model._default_manager.filter(day=day).delete()
        for step in STEPS:
            cursor.execute(SQL[step], parameters)
        cursor.execute("SELECT (SELECT count(*) FROM day_visit), (SELECT count(*) FROM day_event)")
        visits, events = cursor.fetchone()
        counted, _ = CountedDay.objects.update_or_create(
            day=day,
            defaults={
                "counted_at": now,
                "visits": visits,
                "events": events,
                "took_seconds": time.perf_counter() - began,
            },
        )
    logger.info(
        "counted %s: %d visits, %d events in %.1f s", day, visits, events, counted.took_seconds
    )
    return counted


def refresh(now: datetime) -> list[CountedDay]:
    """Count every day that has new events or slates since the last refresh, oldest first.

    These are the days of visits whose events or slates arrived since, of visits not counted yet,
    and of visits that are gone. Texts that were searched for go with the slates of their day. Two
    queries, and a transaction for each day.
    """
    counted = count_days(days_to_count(now), now)
    DailyQuery.objects.filter(day__lt=first_day(now)).delete()
    Refresh.objects.create(started_at=now, finished_at=datetime.now(UTC), days=len(counted))
    return counted


def days_to_count(now: datetime) -> list[date]:
    """Return the days to count. A query on what arrived, and one on the visits of each day."""
    last = Refresh.objects.order_by("-started_at").values_list("started_at", flat=True).first()
    margin = timedelta(seconds=settings.VISIT_GAP_SECONDS) + UNDER_WAY
    with connection.cursor() as cursor:
        cursor.execute(
            NEWS,
            {
                "arrived": last - margin if last else datetime.min.replace(tzinfo=UTC),
                "first_day": first_day(now),
            },
        )
        return [day for (day,) in cursor.fetchall()]


def count_days(days: Iterable[date], now: datetime) -> list[CountedDay]:
    """Count these days in order."""
    return [count_day(day, now) for day in days]


def first_day(now: datetime) -> date:
    """Return the first day whose slates are all still there; what is older stays as counted."""
    return (now - timedelta(days=settings.SLATE_DAYS)).date() + DAY


def _check(day: date, now: datetime) -> None:
    if day > now.date():
        raise DayRefused(f"{day} has not come yet; today is {now.date()} (UTC)")
    if day < first_day(now):
        raise DayRefused(
            f"{day} stays as it was counted: slates are deleted after {settings.SLATE_DAYS} days "
            f"(MARQUEE_SLATE_DAYS), so it could only be counted in part; the first day that can "
            f"is {first_day(now)}"
        )
