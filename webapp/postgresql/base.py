"""The backend that `DATABASES` names: a connection is checked by its socket before a request.

Django's own check, `SELECT 1` at the first query of every request, costs as much as a small query.
A server that has ended or restarted has closed the connection, which its socket shows.
"""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Return whether the connection can be used; one query only where its socket has news."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.pgconn.socket, select.POLLIN)
        return not poll.poll(0) or bool(super().is_usable())
