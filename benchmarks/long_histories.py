"""A page for 50,000 events in one visit, or 20,000 plays of one profile, next to a usual page.

Three profiles with the ratings of imported ones ask for the same pages in turns, as in
`benchmarks/requests.py`: one has done nothing else, one has finished films 20,000 times, and one's
visit goes on after 50,000 events. Plays and events are made up, written straight into the tables.
A figure is the processor time of an answer as a multiple of the first profile's.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings

from benchmarks.harness import Options, Row
from benchmarks.requests import Browser, kinds_of, measure, milliseconds, prepare
from benchmarks.viewers import viewers

PLAYS, EVENTS, BATCH = 20_000, 50_000, 5_000
ROUNDS, QUICK_ROUNDS = 11, 3
PAGES = (
    "keystroke",
    "home, first rows",
    "home, after an open",
    "title page",
    "search page",
)
USUAL, PLAYED, BUSY = "usual", f"{PLAYS:,} plays", f"{EVENTS:,} events"


def run(options: Options) -> Iterator[Row]:
    """Yield each page's processor time by viewer, and as a multiple of the usual viewer's."""
    prepare()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    options.settings.update(rounds=rounds, synthetic=True)
    with viewers(3, is_staff=True, skipped=80, stride=1) as keys:
        browsers = dict(zip((USUAL, PLAYED, BUSY), map(Browser, keys), strict=True))
        for browser in browsers.values():
            browser.begin_visit()
        _, played, busy = map(_visit_of, keys)
        _write(_earlier(played), "finish", PLAYS)
        _write(busy, "open", EVENTS)
        kinds = {
            name: [kind for kind in kinds_of(browser) if kind.name in PAGES]
            for name, browser in browsers.items()
        }
        for number in range(-1, rounds):
            for name, browser in browsers.items():
                browser.go_home()
                for kind in kinds[name]:
                    measure(browser, kind, is_warm_up=number < 0)
    for usual, *others in zip(*kinds.values(), strict=True):
        base, low, high = milliseconds(usual)
        yield Row(usual.name, USUAL, "ms", base, low, high)
        for name, kind in zip((PLAYED, BUSY), others, strict=True):
            yield Row(kind.name, name, "times usual", milliseconds(kind)[0] / base)


def _visit_of(session_key: str) -> Any:
    """Return the newest visit of the session's profile."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    visits = apps.get_model("events", "Visit").objects
    return visits.filter(profile_id=session["profile_id"]).latest("started_at")


def _earlier(visit: Any) -> Any:
    """Return a visit of the same profile that ended an hour ago."""
    started = visit.started_at - timedelta(hours=12)
    return type(visit).objects.create(profile=visit.profile, started_at=started)


def _write(visit: Any, kind: str, number: int) -> None:
    """Write events of the kind, one a tenth of a second up to now, over all titles in turn."""
    events = apps.get_model("events", "Event").objects
    titles = list(apps.get_model("catalog", "Title").objects.values_list("pk", flat=True))
    now = datetime.now(UTC)
    length = 5400 if kind == "finish" else None
    for begin in range(0, number, BATCH):
        events.bulk_create(
            events.model(
                id=uuid.uuid4(), visit=visit, profile=visit.profile, kind=kind,
                title_id=titles[n % len(titles)], surface="home", received_at=now,
                occurred_at=now - timedelta(seconds=(number - n) / 10),
                position_seconds=length, duration_seconds=length,
            )
            for n in range(begin, min(begin + BATCH, number))
        )  # fmt: skip
