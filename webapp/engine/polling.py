"""The poller: one thread a process refreshes live release, experiments, rules, what is popular."""

import gc
import logging
import threading
import time
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from webapp.engine.live import holder, limit_threads
from webapp.events.popular_plays import played_today
from webapp.events.searches import trending
from webapp.experiments.running import running
from webapp.refreshed import Refreshed
from webapp.rules.search_rules import search_rules

logger = logging.getLogger(__name__)


class Poller:
    """Refreshes overdue values every `RELEASE_POLL_SECONDS`, so that no request has to."""

    def __init__(self, *values: Refreshed[Any]) -> None:
        self._values = values

    def start(self) -> None:
        """Read every value, then go on in a daemon thread."""
        limit_threads()
        for value in self._values:
            value.is_polled = True
        self.poll()
        threading.Thread(target=self._run, name="poller", daemon=True).start()

    def poll(self) -> None:
        """Refresh what is overdue. What cannot be read is logged, and stays as it was."""
        before = holder.peek()
        close_old_connections()
        for value in self._values:
            try:
                if value.is_overdue:
                    value.refresh()
            except DatabaseError as error:
                logger.warning(
                    "%s not refreshed, the database does not answer: %s", value.name, error
                )
                connection.close()
                break
            except Exception:
                logger.exception("%s not refreshed, the old value goes on", value.name)
        live = holder.peek()
        if live is not None and (before is None or live.index is not before.index):
            exempt_from_garbage_collection()

    def forget(self) -> None:
        """Drop every value, so that the next `get` reads it anew."""
        for value in self._values:
            value.forget()

    def _run(self) -> None:
        while True:
            time.sleep(settings.RELEASE_POLL_SECONDS)
            self.poll()


def exempt_from_garbage_collection() -> None:
    """Let Python's garbage collector skip what stays: walking over it stops every request."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


poller = Poller(holder, running, search_rules, played_today, trending)
"""This process's."""
