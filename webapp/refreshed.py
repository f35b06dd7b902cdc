"""A value that a process reads now and then: a read function in, its latest result out.

The poller (`webapp.engine.polling`) refreshes it in the background. Where no poller runs, in a
shell or the development server, `get` refreshes what is overdue.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.conf import settings

T = TypeVar("T")


class Refreshed(Generic[T]):
    """The latest value, swapped whole, and when it was read."""

    def __init__(
        self, name: str, read: Callable[[T | None], T], seconds: float | None = None
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            name: for the log.
            read: gets the value before, None at first, and returns the one of now.
            seconds: how old a value may be; None takes `RELEASE_POLL_SECONDS`.
        """
        self.name = name
        self.is_polled = False
        self._read = read
        self._seconds = seconds
        self._value: T | None = None
        self._read_at = 0.0
        self._reading = threading.Lock()

    @property
    def is_overdue(self) -> bool:
        limit = settings.RELEASE_POLL_SECONDS if self._seconds is None else self._seconds
        return self._value is None or time.monotonic() - self._read_at >= limit

    def get(self) -> T:
        """Return the value; read it first where there is none, or where it is overdue and unpolled.

        Raises:
            django.db.Error: it had to be read, and the database does not answer.
        """
        value = self._value
        if value is None or (not self.is_polled and self.is_overdue):
            return self.refresh()
        return value

    def peek(self) -> T | None:
        """Return the value if one was read; no query."""
        return self._value

    def refresh(self) -> T:
        """Read the value of now.

        Raises:
            django.db.Error: the database does not answer.
        """
        with self._reading:
            value = self._value = self._read(self._value)
            self._read_at = time.monotonic()
            return value

    def forget(self) -> None:
        """Drop the value, so that the next `get` reads it anew."""
        self._value = None
