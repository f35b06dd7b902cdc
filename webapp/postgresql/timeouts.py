"""Time-outs of the database for one piece of work, in place of the process's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from django.db import connection, transaction

from webapp.postgresql.base import DatabaseWrapper

PATIENT_SECONDS = 60.0
"""For what an owner or operator asks for and waits for: to delete a profile, or a title in use."""

LIMITS = """
SELECT
    set_config('statement_timeout', %(ms)s, true),
    set_config('lock_timeout', %(ms)s, true)
"""


@contextmanager
def answers_within(seconds: float) -> Iterator[None]:
    """Do the work in a transaction each statement of which may take so long. One query.

    The client waits as long and a second more, then closes the connection.
    """
    wrapper = cast(DatabaseWrapper, connection)
    with wrapper.waiting(seconds + 1), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LIMITS, {"ms": f"{1000 * seconds:.0f}"})
        yield
