"""Writers of what belongs to a profile wait for each other, and never both at once."""

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import numpy as np
import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from webapp.catalog.importers.loading import Options
from webapp.catalog.models import Title
from webapp.events.ingest import EventDraft, record_events
from webapp.events.visits import current_visit
from webapp.postgresql import retries
from webapp.profiles.importers import load_history
from webapp.profiles.locks import lock_profiles
from webapp.profiles.models import ListEntry, Profile, Rating

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


def at_once(*works):
    """Do each in a thread with a connection of its own; return what they returned or raised."""
    outcomes: list[object] = [None] * len(works)

    def do(n, work):
        try:
            outcomes[n] = work()
        except Exception as error:
            outcomes[n] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=do, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_tabs_of_a_profile_never_deadlock(films, cast, monkeypatch):
    """Six tabs mark and forget the same titles in orders of their own; 31 of 72 failed once."""
    monkeypatch.setattr(retries, "MAX_TRIES", 1)  # it is the order that holds

    def tab(number):
        order = np.random.default_rng(number)
        visit = current_visit(None, cast.owner, NOW)
        accepted = 0
        for kind, value in [
            ("thumb", "up"),
            ("list", "add"),
            ("hide", "hide"),
            ("forget", "remove"),
        ]:
            chosen = [films[n].pk for n in order.permutation(20)]
            drafts = [EventDraft(uuid4(), kind, title, NOW, value=value) for title in chosen]
            accepted += record_events(visit, drafts, NOW).accepted
        return accepted

    outcomes = at_once(*(partial(tab, n) for n in range(6)))
    assert all(isinstance(outcome, int) for outcome in outcomes), outcomes
    assert Rating.objects.count() == 0  # forgotten, whoever came last


@pytest.mark.django_db(transaction=True)
def test_batches_that_share_ids_in_other_orders_never_deadlock(films, monkeypatch):
    """The second sends the first's two events backwards, and waits holding neither."""
    monkeypatch.setattr(retries, "MAX_TRIES", 1)
    low, high = sorted(uuid4() for _ in range(2))
    first, second = (EventDraft(id_, "open", films[0].pk, NOW) for id_ in (low, high))
    reports = []

    def send_backwards():
        visit = current_visit(None, None, NOW)
        reports.append(record_events(visit, [second, first], NOW))
        connections.close_all()

    thread = threading.Thread(target=send_backwards)
    visit = current_visit(None, None, NOW)
    with transaction.atomic():
        assert record_events(visit, [first], NOW).accepted == 1
        thread.start()
        wait_until_one_waits()
        assert record_events(visit, [second], NOW).accepted == 1
    thread.join(30)
    assert [(report.accepted, report.repeated) for report in reports] == [(0, 2)]


@pytest.mark.django_db(transaction=True)
def test_whoever_deadlocks_is_tried_again():
    """Two connections lock two profiles in opposite orders, and both come through."""
    ids = [Profile.objects.create(name=name).pk for name in ("Ann", "Ben")]
    met, tries = threading.Barrier(2, timeout=20), []

    def lock(first, second):
        def work():
            tries.append(first)
            with transaction.atomic():
                lock_profiles([first])
                if len(tries) <= 2:
                    met.wait()
                return lock_profiles([second])

        return retries.retried(work)

    assert at_once(partial(lock, *ids), partial(lock, *ids[::-1])) == [[ids[1]], [ids[0]]]
    assert len(tries) == 3


def test_other_errors_are_not_tried_again(db):
    tries = []

    def work():
        tries.append(1)
        raise IntegrityError("a name is taken")

    with pytest.raises(IntegrityError):
        retries.retried(work)
    assert tries == [1]


@pytest.mark.django_db(transaction=True)
def test_a_title_is_deleted_while_it_is_marked(films, cast, admin_client):
    """The admin waits for the batch under way; the next batch finds the title gone."""
    visit = current_visit(None, cast.owner, NOW)
    address = f"/admin/catalog/title/{films[0].pk}/delete/"
    statuses = []

    def delete():
        statuses.append(admin_client.post(address, {"post": "yes"}).status_code)
        connections.close_all()

    def mark():
        drafts = [EventDraft(uuid4(), "list", film.pk, NOW, value="add") for film in films[:2]]
        return record_events(visit, drafts, NOW)

    thread = threading.Thread(target=delete)
    with transaction.atomic():
        assert mark().accepted == 2
        thread.start()
        wait_until_one_waits()
    thread.join(30)
    assert statuses == [302]
    assert [refusal.reason for refusal in mark().errors] == [f"there is no title {films[0].pk}"]
    assert ListEntry.objects.get().title == films[1]
