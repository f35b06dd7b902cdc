"""Retries: a transaction that another one got in the way of is run again."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, connection

T = TypeVar("T")

MAX_TRIES = 4
PAUSE_SECONDS = 0.02
"""Before the second try; each later one waits twice as long, all by a half more or less."""
RETRIED = frozenset({"40001", "40P01", "23503"})
"""SQLSTATEs: serialization failure, deadlock, and a foreign key to a row deleted meanwhile."""


def retried(work: Callable[[], T]) -> T:
    """Return what `work` returns; run it again, `MAX_TRIES` times in all, after a `RETRIED` error.

    Each try begins after a pause: at once, it could take the lock again that the other one has
    waited for, and both would be where they were.

    Args:
        work: reads whatever it goes by anew at each run, and commits as its last act. Inside a
            transaction of the caller's it runs once, because only the whole can be run again.

    Raises:
        DatabaseError: any other error, or the last run's.
    """
    for n in range(0 if connection.in_atomic_block else MAX_TRIES - 1):
        try:
            return work()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) not in RETRIED:
                raise
        pause = PAUSE_SECONDS * 2**n
        time.sleep(random.uniform(0.5 * pause, 1.5 * pause))  # noqa: S311  no secret
    return work()
