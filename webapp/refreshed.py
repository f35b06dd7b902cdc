"""A value that a process reads now and then: a read function in, its latest result out.

The poller (`webapp.engine.polling`) refreshes it in the background, and no request ever does. Where
no poller runs, in a shell or the development server, `get` refreshes what is overdue.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError

T = TypeVar("T")

PAUSE_PER_SECOND = 4.0
"""After a read that failed, the pause is at least as many times as long as the read took: a value
that cannot be read takes a fifth of one core at most."""


class NotReadyError(Exception):
    """The poller has not read a value yet; it goes on trying."""


class Refreshed(Generic[T]):
    """The latest value, swapped whole, and when it was read."""

    def __init__(
        self,
        name: str,
        read: Callable[[T | None], T],
        seconds: float | None = None,
        otherwise: T | None = None,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            name: for the log.
            read: gets the value before, None at first, and returns the one of now.
            seconds: how old a value may be; None takes `RELEASE_POLL_SECONDS`.
            otherwise: what polled processes do with until it is first read; None: nothing.
        """
        self.name = name
        self.is_polled = False
        self._read = read
        self._seconds = seconds
        self._otherwise = otherwise
        self._value: T | None = None
        self._read_at = 0.0
        self._retry_at = 0.0
        self._reading = threading.Lock()

    @property
    def is_overdue(self) -> bool:
        limit = settings.RELEASE_POLL_SECONDS if self._seconds is None else self._seconds
        now = time.monotonic()
        return now >= self._retry_at and (self._value is None or now - self._read_at >= limit)

    def get(self) -> T:
        """Return the value; where no poller runs, read it first if there is none or it is overdue.

        Raises:
            NotReadyError: the poller could not read it yet, and nothing else will do.
            django.db.Error: it had to be read, and the database does not answer.
        """
        value = self._value
        if self.is_polled:
            value = self._otherwise if value is None else value
            if value is None:
                raise NotReadyError(f"the {self.name} is not read yet")
            return value
        return self.refresh() if value is None or self.is_overdue else value

    def peek(self) -> T | None:
        """Return the value if one was read; no query."""
        return self._value

    def refresh(self) -> T:
        """Read the value of now. If that fails, it is overdue again only after a pause.

        Raises:
            django.db.Error: the database does not answer; waiting for it costs nothing, so there is
                no pause.
        """
        with self._reading:
            began = time.monotonic()
            try:
                value = self._value = self._read(self._value)
            except DatabaseError:
                raise
            except Exception:
                now = time.monotonic()
                self._retry_at = now + PAUSE_PER_SECOND * (now - began)
                raise
            self._read_at = time.monotonic()
            return value

    def forget(self) -> None:
        """Drop the value, so that the next `get` or poll reads it anew."""
        self._value, self._retry_at = None, 0.0
