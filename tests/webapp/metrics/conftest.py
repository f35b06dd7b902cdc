"""Visits made by hand: every event at its second."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from webapp.events.models import Event, Visit
from webapp.metrics.daily import count_day
from webapp.metrics.estimates import estimate
from webapp.metrics.models import DailyMetric
from webapp.slates.models import Slate

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
AFTER = datetime(2026, 3, 12, tzinfo=UTC)
"""When days are counted: every visit has ended."""


class Sitting:
    """A visit in the making; times are seconds from its start."""

    def __init__(self, profile=None, at=NOON, **fields):
        self.at = at
        self.visit = Visit.objects.create(profile=profile, started_at=at, **fields)

    def slate(self, at=0, surface="home", rows=(), **fields):
        """A slate with (kind, titles) rows; `liked` titles before the visit, `text` typed."""
        snapshot = fields.pop("snapshot", {})
        fields.setdefault("history_size", fields.pop("liked", 0))
        if "text" in fields:
            snapshot["text"] = fields.pop("text")
        return Slate.objects.create(
            visit=self.visit,
            surface=surface,
            created_at=self.at + timedelta(seconds=at),
            rows=[{"kind": kind, "titles": [t.pk for t in titles]} for kind, titles in rows],
            snapshot=snapshot,
            **{"took_ms": 10.0} | fields,
        )

    def event(self, kind, title=None, at=0, slate=None, lag=0, **fields):
        moment = self.at + timedelta(seconds=at)
        if slate is not None:
            fields = {"surface": slate.surface} | fields
        return Event.objects.create(
            id=fields.pop("id", None) or uuid.uuid4(),
            visit=self.visit,
            profile=self.visit.profile,
            kind=kind,
            title=title,
            slate=slate,
            occurred_at=moment,
            received_at=moment + timedelta(seconds=lag),
            **fields,
        )

    def see(self, title, at=0, slate=None, row="trending", slot=0):
        return self.event("impression", title, at, slate or self.slate(at), row=row, slot=slot)

    def watch(self, title, at, seconds, start=0, duration=6000, slate=None):
        """A play, and how far it came; two events."""
        self.event("play", title, at, slate, position_seconds=start, duration_seconds=duration)
        return self.event(
            "progress", title, at + seconds, position_seconds=start + seconds,
            duration_seconds=duration,
        )  # fmt: skip


@pytest.fixture
def sit(db):
    return Sitting


@pytest.fixture
def count():
    """Count the day and tell a metric as (numerator, denominator); None where it is null."""

    def count(metric, dimension="all", part="", *, day=DAY, is_simulated=False, now=AFTER):
        count_day(day, now)
        return told(metric, dimension, part, day=day, is_simulated=is_simulated)

    return count


def told(metric, dimension="all", part="", *, day=DAY, is_simulated=False):
    found = DailyMetric.objects.filter(
        day=day, metric=metric, dimension=dimension, slice=part, is_simulated=is_simulated
    ).first()
    return (found.numerator, found.denominator) if found else None


def everything(day=DAY):
    """All that is kept of a day, to compare."""
    rows = DailyMetric.objects.filter(day=day).order_by("metric", "dimension", "slice")
    return [{**row, "id": None} for row in rows.values()]


def value_of(metric, day=DAY):
    rows = DailyMetric.objects.filter(day=day, metric=metric, dimension="all", is_simulated=False)
    return estimate(rows).value
