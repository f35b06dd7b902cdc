"""The events benchmark's clients: what they count as sent is in the table, and nothing else is."""

import uuid

import pytest

pytest.importorskip("threadpoolctl", reason="needs requirements-bench.txt")

from benchmarks.events import TOKEN, Sender, found, rows
from benchmarks.processor_time import Used
from webapp.events.models import Event


@pytest.fixture
def sender(live_server, transactional_db, visit_release, cast, client, settings):
    settings.SIMULATION_TOKEN = TOKEN
    settings.CSRF_COOKIE_SECURE = settings.SESSION_COOKIE_SECURE = False
    client.force_login(cast.owner.account)
    client.post(f"/profiles/{cast.owner.pk}/choose/")
    port = int(live_server.url.rpartition(":")[2])
    sender = Sender(port, client.cookies["sessionid"].value, number=0)
    yield sender
    sender.close()


def test_what_the_clients_count_is_what_the_table_holds(sender, cast):
    sender.send(size=7, seconds=0.2)
    assert len(sender.sent) == 7 * len(sender.took) == Event.objects.count() > 0
    assert found(sender.sent) == len(sender.sent)
    assert found([str(uuid.uuid4())]) == 0
    assert {event.profile_id for event in Event.objects.all()} == {cast.owner.pk}


def test_a_refused_batch_ends_the_benchmark(sender):
    Event.objects.all().delete()
    sender._events = ['"kind":"no such kind","occurred_at":"2026-01-01T00:00:00Z"}']
    with pytest.raises(RuntimeError, match="answered 200"):
        sender.send(size=2, seconds=0.2)
    assert sender.sent == []


def test_rates_come_from_wall_time_and_costs_from_processor_time():
    used = Used({"web": 3.0, "database": 1.0}, lasted=2.0)
    values = {row.system + " " + row.metric: row.value for row in rows("p", [0.1, 0.3], 1000, used)}
    assert values["events events a second"] == 500
    assert values["events p50 ms"] == pytest.approx(200)
    assert values["web processor µs an event"] == 3000
    assert values["all parts cores used"] == 2
