"""Admission: a request in; served at once, in its turn, or refused with 503 and when to try again.

A process works on few requests at once, because more of them would only wait for each other. Some
more wait for a moment, events longer in line than pages, and whoever comes after them is refused
without any work. Probes are always answered.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from rest_framework.throttling import UserRateThrottle

from webapp.events.clock import is_simulated
from webapp.limits import WindowThrottle
from webapp.pages.errors import crowded, too_many_requests

PICTURES = ("/posters/", "/backdrops/")
FREE = ("/healthz", "/readyz", "/static/", *PICTURES)
"""Addresses that need no turn. Pictures come by the dozen, and cost less than a wait."""
UNCOUNTED = ("/api/", "/metrics", *FREE)
"""Addresses that no page limit counts: the API has limits of its own, pictures come by the page."""
LONGEST_WAIT_SECONDS = 1.0
EVENTS_SHARE = 2
"""Events wait in a line so many times as long as pages."""


class Turns:
    """Who works now, and how many wait; threads share it."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._waiting = 0

    @contextmanager
    def turn(self, longest_line: int) -> Iterator[bool]:
        """Yield True when it is the caller's turn; False if the line or the wait was too long."""
        has_turn = self._free.acquire(blocking=False) or self._wait(longest_line)
        try:
            yield has_turn
        finally:
            if has_turn:
                self._free.release()

    def _wait(self, longest_line: int) -> bool:
        with self._lock:
            if self._waiting >= longest_line:
                return False
            self._waiting += 1
        try:
            return self._free.acquire(timeout=LONGEST_WAIT_SECONDS)
        finally:
            with self._lock:
                self._waiting -= 1


class AdmissionMiddleware:
    """Stands before all that costs anything."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._turns = Turns(settings.WEB_REQUESTS)
        self._events = reverse("api-events")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(FREE):
            return self.get_response(request)
        share = EVENTS_SHARE if request.path == self._events else 1
        with self._turns.turn(share * settings.WEB_WAITING) as has_turn:
            return self.get_response(request) if has_turn else _refused(request)


def _refused(request: HttpRequest) -> HttpResponse:
    response = crowded(request)
    response._has_been_logged = True  # type: ignore[attr-defined]  # a line for each would be a flood
    return response


class PagesThrottle(WindowThrottle, UserRateThrottle):
    """Counts by account, and by address where nobody is logged in."""

    scope = "pages"


class PageLimitMiddleware:
    """Limits pages as the API's calls are limited; stands after who is logged in is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_counted = not (request.path.startswith(UNCOUNTED) or is_simulated(request))
        if is_counted and not PagesThrottle().allow_request(request):
            return too_many_requests(request)
        return self.get_response(request)
