"""Waiting for what a busy machine brings late."""

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Page

SECONDS = 20
BETWEEN_MS = 50

Found = TypeVar("Found")


def until(page: Page, asked: Callable[[], Found]) -> Found:
    """What `asked` answers as soon as it is true; its last answer where it never was.

    The page goes on meanwhile. An assertion after it then tells the answer in words.
    """
    end = time.monotonic() + SECONDS
    while not (found := asked()) and time.monotonic() < end:
        page.wait_for_timeout(BETWEEN_MS)
    return found
