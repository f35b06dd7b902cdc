"""An import of ratings and a batch of events wait for each other, and never both at once."""

import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, connections, transaction

from webapp.catalog.importers.loading import Options
from webapp.catalog.models import Title
from webapp.events.ingest import EventDraft, record_events
from webapp.events.visits import current_visit
from webapp.profiles.importers import load_history
from webapp.profiles.models import Profile, Rating

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WAITING = """
SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
"""


@pytest.mark.django_db(transaction=True)
def test_an_import_takes_the_locks_of_a_batch_in_its_order(tmp_path):
    """The import locked ratings, then versions; a batch locks the version, then ratings."""
    first, second = (
        Title.objects.create(external_id=name, name=f"Title {name}", added_at=NOW) for name in "12"
    )
    profile = Profile.objects.create(external_id="ann", name="Ann", created_at=NOW)
    for title in (first, second):
        Rating.objects.create(
            profile=profile, title=title, stars=1, rated_at=NOW - timedelta(days=9)
        )
    path = tmp_path / "ratings.csv"
    at = (NOW - timedelta(days=1)).isoformat()
    path.write_text(f"profile_id,title_id,stars,rated_at\nann,1,4,{at}\nann,2,4,{at}\n")
    failures = []

    def load():
        try:
            load_history(path, Options(False, False, failures.append), NOW)
        except DatabaseError as error:
            failures.append(error)
        finally:
            connections.close_all()

    visit = current_visit(None, profile, NOW)
    thread = threading.Thread(target=load)
    with transaction.atomic():
        record_events(visit, [EventDraft(uuid4(), "open", first.pk, NOW)], NOW)
        thread.start()
        wait_until_one_waits()
        thumb = EventDraft(uuid4(), "thumb", second.pk, NOW, value="down")
        assert record_events(visit, [thumb], NOW).accepted == 1
    thread.join(30)
    assert not failures
    stars = dict(Rating.objects.values_list("title_id", "stars"))
    assert stars == {first.pk: 4, second.pk: Rating.STARS_OF_THUMB[Rating.Thumb.DOWN]}


def wait_until_one_waits():
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.05)
    raise AssertionError("the import waits for nothing")
