"""The backend that `DATABASES` names: checks a connection by its socket, and waits with an end.

Django's own check, `SELECT 1` at the first query of every request, costs as much as a small query.
A server that has ended or restarted has closed the connection, which its socket shows.

A server that hangs keeps its connection and obeys no time-out of its own, so the client has one.
"""

import select
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg import OperationalError

NOT_READY = 0
"""What psycopg sends to who waits, a few times a second, while nothing comes."""


class DatabaseWrapper(base.DatabaseWrapper):
    answer_seconds: float | None = None
    """How long an answer is waited for; None for as long as it takes."""

    def is_usable(self) -> bool:
        """Return whether the connection can be used; one query only where its socket has news."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return not poll.poll(0) or bool(super().is_usable())

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        self.answer_seconds = params.pop("answer_seconds", None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        wait = connection.wait

        def wait_in_turn(answer: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
            if self.answer_seconds is not None:
                answer = _until(answer, connection, self.answer_seconds)
            return wait(answer, *args, **kwargs)

        connection.wait = wait_in_turn
        return connection

    def binding_cursor(self) -> CursorWrapper:
        """Return a cursor that sends values beside the statement, encoded by psycopg's C code.

        Django's own writes them into the statement in Python, which takes as long as all else that
        a small query costs this process. Statements are not prepared, so a pool may stand between.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        own: Any = self  # the stubs know neither what is behind a cursor nor how one is made
        cursor_class: Any = base.ServerBindingCursor
        with self.wrap_database_errors:
            cursor: CursorWrapper = own._prepare_cursor(cursor_class(self.connection))
        return cursor

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[None]:
        """Wait so long for each answer, in place of `answer_seconds`, while the block lasts."""
        self.ensure_connection()
        before, self.answer_seconds = self.answer_seconds, seconds
        try:
            yield
        finally:
            self.answer_seconds = before


def _until(
    answer: Generator[Any, Any, Any], connection: Any, seconds: float
) -> Generator[Any, Any, Any]:
    """Yield what `answer` yields.

    Raises:
        OperationalError: nothing came for so long; the connection is closed.
    """
    latest = time.monotonic() + seconds
    try:
        wanted = next(answer)
        while True:
            ready = yield wanted
            if ready != NOT_READY:
                latest = time.monotonic() + seconds
            elif time.monotonic() > latest:
                connection.pgconn.finish()
                raise OperationalError(f"the database did not answer within {seconds:g} s")
            wanted = answer.send(ready)
    except StopIteration as end:
        return end.value
