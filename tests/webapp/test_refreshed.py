"""When a process reads a value anew."""

import logging

import pytest
from django.db import Error as DatabaseError

from webapp.engine.polling import Poller
from webapp.refreshed import NotReadyError, Refreshed

pytestmark = pytest.mark.django_db  # a poll looks after the connection


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: `clock.append(seconds)`."""
    seconds = [1000.0]
    monkeypatch.setattr("webapp.refreshed.time.monotonic", lambda: seconds[-1])
    return seconds


def counter(seconds=60.0):
    """A value that counts how often it was read."""
    return Refreshed("the count", lambda before: (before or 0) + 1, seconds)


def test_without_a_poller_who_asks_reads_what_is_overdue(clock):
    value = counter()
    assert value.peek() is None
    assert (value.get(), value.get()) == (1, 1)
    clock.append(1060.0)
    assert (value.get(), value.peek()) == (2, 2)


def test_with_a_poller_a_request_reads_nothing(clock):
    value = counter()
    value.is_polled = True
    with pytest.raises(NotReadyError, match="the count is not read yet"):
        value.get()
    Poller(value).poll()
    assert value.get() == 1
    clock.append(2000.0)
    assert value.get() == 1
    Poller(value).poll()
    assert value.get() == 2


def test_the_poller_leaves_what_is_fresh(clock):
    fast, slow = counter(seconds=5.0), counter(seconds=60.0)
    for at in (1000.0, 1005.0, 1010.0):
        clock.append(at)
        Poller(fast, slow).poll()
    assert (fast.peek(), slow.peek()) == (3, 1)


def test_a_forgotten_value_is_read_anew_and_another_interval_is_the_settings(clock, settings):
    settings.RELEASE_POLL_SECONDS = 3.0
    value = counter(seconds=None)
    value.refresh()
    assert not value.is_overdue
    clock.append(1003.0)
    assert value.is_overdue
    value.forget()
    assert value.get() == 1


@pytest.mark.parametrize("error", [ValueError("broken"), DatabaseError("gone")])
def test_what_cannot_be_read_is_logged_and_the_old_value_goes_on(clock, caplog, error, monkeypatch):
    monkeypatch.setattr("webapp.engine.polling.connection.close", lambda: None)

    def read(before):
        if before is not None:
            raise error
        return "old"

    value = Refreshed("the value", read, seconds=0.0)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            Poller(value).poll()
    assert value.peek() == "old"
    assert "the value not refreshed" in caplog.text


def test_without_a_value_a_polled_process_does_with_another(clock):
    value = Refreshed("the count", lambda before: 1, 60.0, otherwise=0)
    value.is_polled = True
    assert value.get() == 0
    value.refresh()
    assert value.get() == 1


def test_a_read_that_fails_slowly_is_not_tried_at_every_poll(clock):
    tries = []

    def read(before):
        tries.append(clock[-1])
        clock.append(clock[-1] + 10.0)
        raise ValueError("broken")

    value = Refreshed("the value", read, seconds=2.0)
    for _ in range(100):
        Poller(value).poll()
        clock.append(clock[-1] + 2.0)
    share = 10.0 * len(tries) / (clock[-1] - 1000.0)
    assert 0.1 < share <= 0.25
