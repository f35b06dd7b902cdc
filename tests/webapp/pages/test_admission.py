"""Crowds: a process works on few requests, lets some wait, and refuses the rest at once."""

import threading
import time

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from webapp.pages import admission
from webapp.pages.admission import AdmissionMiddleware, PagesThrottle


@pytest.fixture
def crowd(settings):
    """A view that answers when it may, behind a door for one, with two waiting."""
    settings.WEB_REQUESTS, settings.WEB_WAITING = 1, 2
    may_end, began = threading.Event(), threading.Semaphore(0)

    def view(request):
        began.release()
        assert may_end.wait(20)
        return HttpResponse("ok")

    door = AdmissionMiddleware(view)
    answers = []

    def ask(path):
        thread = threading.Thread(target=lambda: answers.append((path, door(made(path)))))
        thread.start()
        return thread

    def made(path):
        return RequestFactory().get(path)

    class Crowd:
        def __init__(self):
            self.threads = []

        def ask(self, path, waiting=None):
            self.threads.append(ask(path))
            until = time.monotonic() + 20
            while waiting is not None and door._turns._waiting != waiting:
                assert time.monotonic() < until
                time.sleep(0.01)

        def at_once(self, path):
            return door(made(path))

        def end(self):
            may_end.set()
            for thread in self.threads:
                thread.join(20)
            return sorted((path, answer.status_code) for path, answer in answers)

    crowd = Crowd()
    crowd.ask("/")
    assert began.acquire(timeout=20)
    yield crowd
    crowd.end()


def test_who_comes_after_the_line_is_refused_at_once(crowd, monkeypatch):
    monkeypatch.setattr(admission, "LONGEST_WAIT_SECONDS", 20)
    crowd.ask("/", waiting=1)
    crowd.ask("/search/", waiting=2)
    refused = crowd.at_once("/")
    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    assert crowd.end() == [("/", 200), ("/", 200), ("/search/", 200)]


def test_events_wait_where_pages_are_refused(crowd, monkeypatch):
    monkeypatch.setattr(admission, "LONGEST_WAIT_SECONDS", 20)
    for waiting in (1, 2):
        crowd.ask("/", waiting=waiting)
    for waiting in (3, 4):
        crowd.ask("/api/v1/events", waiting=waiting)
    refused = crowd.at_once("/api/v1/events")
    assert (refused.status_code, refused["Content-Type"]) == (503, "application/json")
    assert [status for _, status in crowd.end()] == [200] * 5


def test_nobody_waits_for_ever(crowd, monkeypatch):
    monkeypatch.setattr(admission, "LONGEST_WAIT_SECONDS", 0.05)
    assert crowd.at_once("/").status_code == 503


def test_probes_and_static_files_need_no_turn(settings):
    settings.WEB_REQUESTS, settings.WEB_WAITING = 1, 0
    door = AdmissionMiddleware(lambda request: HttpResponse("ok"))
    with door._turns.turn(0):
        for path in ("/healthz", "/readyz", "/static/css/site.css"):
            assert door(RequestFactory().get(path)).status_code == 200
        assert door(RequestFactory().get("/")).status_code == 503


def test_a_turn_is_given_back_whatever_happens(settings):
    settings.WEB_REQUESTS, settings.WEB_WAITING = 1, 0
    door = AdmissionMiddleware(lambda request: 1 / 0)  # type: ignore[arg-type, return-value]
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            door(RequestFactory().get("/"))


@pytest.mark.django_db
def test_pages_are_limited_as_the_api_is(client, cast, films, monkeypatch):
    monkeypatch.setattr(PagesThrottle, "THROTTLE_RATES", {"pages": "2/min"})
    assert [client.get("/login/").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/search/?q=noon").status_code == 429
    for path in ("/healthz", f"/posters/{films[0].pk}.svg", "/api/v1/search?q=noon"):
        assert client.get(path).status_code == 200
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert other.get("/login/").status_code == 200
    client.force_login(cast.owner.account)
    assert client.get("/profiles/").status_code == 200
