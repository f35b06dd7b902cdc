"""Daily metrics: seconds to count 1,000,000 synthetic events, and each dashboard's time on them.

The visits are synthetic and say nothing of the recommender. They are written to a test database
beside the one that DATABASE_URL names, which goes at the end.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
django.setup()

from django.conf import settings  # noqa: E402  needs the line above
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import (  # noqa: E402
    override_settings,
    setup_test_environment,
    teardown_test_environment,
)

from benchmarks.harness import Options, Row, of_seeds, processor_seconds, say  # noqa: E402
from webapp.metrics.daily import refresh  # noqa: E402

EVENTS, QUICK_EVENTS = 1_000_000, 100_000
EVENTS_A_VISIT = 16.5
DAYS = 30
ASKED = 10
FILL = (Path(__file__).parent / "metrics_fill.sql").read_text()


def run(options: Options) -> Iterator[Row]:
    """Yield the job's seconds (wall, and the database's processor time) and each page's."""
    wanted = QUICK_EVENTS if options.quick else EVENTS
    now = datetime.now(UTC)
    with test_database():
        visits = int(wanted / EVENTS_A_VISIT)
        events = fill(visits, now)
        options.settings.update(events=events, visits=visits, days=DAYS, synthetic=True)
        if options.wants("job"):
            busy, began = server_seconds(), time.perf_counter()
            counted = refresh(now)
            took = time.perf_counter() - began
            say(f"{len(counted)} days, {sum(day.events for day in counted)} events")
            yield Row("job", "daily metrics", "seconds", took, seconds=took)
            yield Row("job", "daily metrics", "processor_seconds", server_seconds() - busy)
        if options.wants("pages"):
            yield from pages()


def fill(visits: int, now: datetime) -> int:
    """Write synthetic visits of `DAYS` days with slates and events; how many events."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    values: dict[str, int | datetime] = {
        "visits": visits,
        "days": DAYS,
        "until": midnight - timedelta(hours=1),
    }
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(FILL, values)
        cursor.execute("SELECT count(*) FROM events_event")
        (events,) = cursor.fetchone()
        cursor.execute("VACUUM ANALYZE")
    say(f"{events} synthetic events in {time.perf_counter() - began:.0f} s")
    return int(events)


def pages() -> Iterator[Row]:
    """Ask each dashboard a few times, as staff: wall time, and the processor's for it.

    The first answer, which makes templates, is left out.
    """
    from webapp.pages.dashboards.urls import urlpatterns  # noqa: PLC0415  after the setup

    client = Client(headers={"user-agent": "benchmark"})
    operator, _ = User.objects.get_or_create(
        username="operator", defaults={"is_staff": True, "is_superuser": True}
    )
    client.force_login(operator)
    for pattern in urlpatterns:
        if "<" in str(pattern.pattern) or "roll-back" in str(pattern.pattern):
            continue
        address = f"/staff/{pattern.pattern}"
        took, busy = [], []
        for _ in range(ASKED):
            began, worked = time.perf_counter(), time.process_time() + server_seconds()
            response = client.get(address)
            took.append((time.perf_counter() - began) * 1000)
            busy.append((time.process_time() + server_seconds() - worked) * 1000)
            assert response.status_code == 200, (address, response.status_code)
        yield Row("pages", address, "milliseconds", **of_seeds(took[1:]))
        yield Row("pages", address, "processor_milliseconds", **of_seeds(busy[1:]))


def server_seconds() -> float:
    """Return the processor time that this connection's server process has taken, where Linux."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return processor_seconds(pid)


@contextmanager
def test_database() -> Iterator[None]:
    setup_test_environment()
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    storages = settings.STORAGES | {"staticfiles": plain}
    try:
        with override_settings(STORAGES=storages, SECURE_SSL_REDIRECT=False):
            yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
        teardown_test_environment()
