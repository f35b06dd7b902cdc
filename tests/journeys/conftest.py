"""A real Chromium against a live server with committed data."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.servers.basehttp import ServerHandler
from django.db import connections
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.journeys.waiting import SECONDS

expect.set_options(timeout=SECONDS * 1000)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
IDLE_SECONDS = 0.3
"""A request on its way to a busy server is under way within this time."""


class Loop:
    """Playwright's event loop: it stays between journeys, where nothing else should see it run."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def enter(self) -> None:
        asyncio._set_running_loop(self._loop)

    def leave(self) -> None:
        self._loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)


LOOP = Loop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    found = os.environ.get("MARQUEE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(
            "No Chromium was found: `apt-get install chromium`, or name one in MARQUEE_CHROMIUM."
        )
    return found


class UnderWay:
    """Counts the requests that the live server is at.

    Django's own signal of a request's end does not come where the browser hung up before it.
    """

    def __init__(self) -> None:
        self._lock, self.count = threading.Lock(), 0

    def counted(self, run: Callable[..., None]) -> Callable[..., None]:
        """Return the server's `run`, which answers one request, counted while it runs."""

        def run_counted(handler: ServerHandler, application: object) -> None:
            with self._lock:
                self.count += 1
            try:
                run(handler, application)
            finally:
                with self._lock:
                    self.count -= 1

        return run_counted

    def wait_for_none(self) -> None:
        """Wait until none was under way for a while: one just sent may not be taken up yet."""
        now = idle_since = time.monotonic()
        end = now + SECONDS
        while now - idle_since < IDLE_SECONDS:
            time.sleep(0.01)
            now = time.monotonic()
            if self.count > 0:
                idle_since = now
                assert now < end, f"{self.count} requests did not end"


@pytest.fixture(scope="session")
def under_way() -> Iterator[UnderWay]:
    """The count of requests, from before the first journey's server answers."""
    counter = UnderWay()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServerHandler, "run", counter.counted(ServerHandler.run))
        yield counter


def _close_silently(context: BrowserContext) -> None:
    """Close it, so that what its pages tell when they go does not reach the next test's site."""
    context.set_offline(True)
    CLOSE(context)


CLOSE = BrowserContext.close


@pytest.fixture(scope="session")
def launched(chromium: str) -> Iterator[Browser]:
    """One browser for all journeys of this process; each has a context of its own in it."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setattr(BrowserContext, "close", _close_silently)
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        LOOP.leave()
        yield launched
        LOOP.enter()
        launched.close()


@pytest.fixture
def browser(
    launched: Browser, under_way: UnderWay, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Browser]:
    # Playwright's event loop runs in this thread, where the ORM is used between steps.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    LOOP.enter()
    yield launched
    try:
        for context in launched.contexts:
            context.close()
        under_way.wait_for_none()
    finally:
        # Within Playwright's loop the ORM has a connection of its own; here is its end.
        connections.close_all()
        LOOP.leave()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained of: errors, and breaches of the CSP."""
    return []


@pytest.fixture
def page(browser: Browser, live_server: object, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(
        base_url=str(live_server), viewport={"width": 1280, "height": 720}
    )
    opened = context.new_page()

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    opened.on("console", note)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()


@pytest.fixture(scope="session")
def barriers() -> Callable[[Page], str]:
    """Tells what axe-core finds on a page as it is now, in words; empty where nothing."""

    def found(page: Page) -> str:
        results = Axe().run(page)
        return str(results.generate_report()) if results.violations_count else ""

    return found
