"""Advisory locks of a session: they go with the connection, and so with the process too."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def session_lock(space: int, key: int) -> Iterator[bool]:
    """Hold a lock for a block; yield False, at once, if another connection holds it.

    The connection must not break meanwhile, nor be one that a pool of transactions shares.

    Args:
        space: the first key: what kind of thing is locked.
        key: the second: which one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [space, key])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [space, key])
