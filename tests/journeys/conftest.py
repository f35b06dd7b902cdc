"""A real Chromium against a live server with committed data."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from django.core.servers.basehttp import ThreadedWSGIServer
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

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
"""A viewer's: without a screen Chromium calls itself a bot, of whose pages nothing is written."""
FLAGS = [
    f"--user-agent={USER_AGENT}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


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


class OpenConnections:
    """Counts the live server's connections, from being accepted to the end of their threads.

    A closed browser closes its connections, so when none is left no request can come any more.
    Django's signal of a request's end does not come where the browser hung up before it.
    """

    def __init__(self) -> None:
        self._lock, self.count = threading.Lock(), 0

    def on_accepting(self, accept: Callable[..., None]) -> Callable[..., None]:
        """Return the server's `process_request`, counted before it starts the thread."""

        def accept_counted(server: ThreadedWSGIServer, *connection: object) -> None:
            with self._lock:
                self.count += 1
            accept(server, *connection)

        return accept_counted

    def on_serving(self, serve: Callable[..., None]) -> Callable[..., None]:
        """Return the server's `process_request_thread`, counted off when it ends."""

        def serve_counted(server: ThreadedWSGIServer, *connection: object) -> None:
            try:
                serve(server, *connection)
            finally:
                with self._lock:
                    self.count -= 1

        return serve_counted

    def wait_for_none(self, address: str) -> None:
        """Wait until none is open of those made so far to the server at the address.

        The server accepts connections in the order in which they were made: when it has answered
        one of ours, it has accepted all that the browser made before.
        """
        requests.get(f"{address}/healthz", timeout=SECONDS)
        end = time.monotonic() + SECONDS
        while self.count > 0:
            assert time.monotonic() < end, f"{self.count} connections stayed open"
            time.sleep(0.002)


@pytest.fixture(scope="session")
def open_connections() -> Iterator[OpenConnections]:
    """The live server's connections, counted from before the first journey."""
    counter, server = OpenConnections(), ThreadedWSGIServer
    with pytest.MonkeyPatch.context() as patch:
        accept, serve = server.process_request, server.process_request_thread
        patch.setattr(server, "process_request", counter.on_accepting(accept))
        patch.setattr(server, "process_request_thread", counter.on_serving(serve))
        yield counter


def _close_silently(context: BrowserContext) -> None:
    """Close it, so that what its pages send as they go does not reach the next test's site."""
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
    launched: Browser,
    open_connections: OpenConnections,
    live_server: object,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Browser]:
    # Playwright's event loop runs in this thread, where the ORM is used between steps.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    LOOP.enter()
    yield launched
    try:
        for context in launched.contexts:
            context.close()
        open_connections.wait_for_none(str(live_server))
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
