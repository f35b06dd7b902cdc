"""The short form of `script/benchmark faults`: what was answered is there, once, whatever broke."""

import os
import signal
import sys
import time
import uuid

import pytest
from django.db import connection

pytest.importorskip("threadpoolctl", reason="needs requirements-bench.txt")

from benchmarks.loss import Balance, Browser, Ledger, balance, sending
from tests.web_server import web_server
from webapp.events.models import Event

CLIENTS = 3
PATIENCE_SECONDS = 60

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads process numbers from /proc"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def web(films, tmp_path):
    with web_server(tmp_path, processes=2, ready="/healthz") as web:
        yield web


def until_each_was_answered(ledger, since):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(ledger.latest.get(n, 0.0) <= since for n in range(CLIENTS)):
        assert time.monotonic() < deadline, ledger.statuses
        time.sleep(0.02)


def kill_web(web, browsers):
    for pid in web.workers():
        os.kill(pid, signal.SIGKILL)


def cut_connections(web, browsers):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def hang_up(web, browsers):
    for browser in browsers:
        browser.hangs_up = True


def jump(web, browsers):
    for n, browser in enumerate(browsers):
        browser.ahead_seconds = 3600.0 * (1 if n % 2 else -1)


@pytest.mark.parametrize("fault", [kill_web, cut_connections, hang_up, jump])
def test_nothing_that_was_answered_is_lost_and_nothing_counts_twice(web, films, fault):
    ledger = Ledger()
    titles = [film.pk for film in films]
    browsers = [Browser(number, web.port, titles, token="") for number in range(CLIENTS)]
    with sending(browsers, ledger):
        until_each_was_answered(ledger, time.monotonic())
        fault(web, browsers)
        for _ in range(3):
            until_each_was_answered(ledger, time.monotonic())
    found = balance(ledger, Event.objects)
    assert (found.lost, found.twice) == (0, 0)
    assert found.answered >= 4 * CLIENTS


def test_what_is_missing_or_counted_twice_is_seen(db):
    ids = [str(uuid.uuid4()) for _ in range(3)]
    ledger = Ledger()
    ledger.note_sent(ids)
    ledger.note_answer(0, ids, {"accepted": 3, "repeated": 0})
    assert balance(ledger, Event.objects) == Balance(answered=3, lost=3, twice=3)
    with pytest.raises(AssertionError):
        ledger.note_answer(0, ids, {"accepted": 2, "repeated": 0})
