"""A real Chromium against a live server with committed data."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

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


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    found = os.environ.get("MARQUEE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(
            "No Chromium was found: `apt-get install chromium`, or name one in MARQUEE_CHROMIUM."
        )
    return found


@pytest.fixture
def browser(chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    # Playwright's event loop runs in this thread, where the ORM is used between steps.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()
        # Within Playwright's loop the ORM has a connection of its own; here is its end.
        connections.close_all()


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
    opened.on("console", lambda said: said.type == "error" and complaints.append(said.text))
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
