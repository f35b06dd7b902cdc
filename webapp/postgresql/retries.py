"""Retries: a transaction that another one got in the way of is run again."""

from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, connection

T = TypeVar("T")

MAX_TRIES = 4
RETRIED = frozenset({"40001", "40P01", "23503"})
"""SQLSTATEs: serialization failure, deadlock, and a foreign key to a row deleted meanwhile."""


def retried(work: Callable[[], T]) -> T:
    """Return what `work` returns; run it again, `MAX_TRIES` times in all, after a `RETRIED` error.

    Args:
        work: reads whatever it goes by anew at each run, and commits as its last act. Inside a
            transaction of the caller's it runs once, because only the whole can be run again.

    Raises:
        DatabaseError: any other error, or the last run's.
    """
    for _ in range(1, 1 if connection.in_atomic_block else MAX_TRIES):
        try:
            return work()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) not in RETRIED:
                raise
    return work()
