"""Asking the worker for the catalogue's index, and how long a process waits for it."""

import logging
import time

from django.conf import settings

from webapp.celery import ask_for_index
from webapp.engine.catalogue_index import is_being_built

logger = logging.getLogger(__name__)

ASKED_AGAIN_SECONDS = 10.0
"""A message is sent again where it came to nothing; one that was not read by then expires."""
LONGEST_SECONDS = 3600.0
"""A build that takes longer than this is taken for dead."""


class IndexWait:
    """One process's: since when it has waited, and when it last asked."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._asked_at: float | None = None

    def is_worth_waiting(self) -> bool:
        """Ask the worker for an index, and return whether one may still come.

        It may for `INDEX_WAIT_SECONDS`, and as long as one is being built. Where the broker is not
        reached it may not.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now
        waited = now - self._since
        if not settings.INDEX_WAIT_SECONDS or waited > LONGEST_SECONDS:
            return False
        if waited > settings.INDEX_WAIT_SECONDS and not is_being_built():
            logger.warning("no worker built the catalogue's index, this process builds its own")
            return False
        if self._asked_at is None or now - self._asked_at >= ASKED_AGAIN_SECONDS:
            if not ask_for_index(expires=ASKED_AGAIN_SECONDS):
                return False
            self._asked_at = now
        return True

    def end(self) -> None:
        """Forget the wait: there is an index, or this process built its own."""
        self._since = self._asked_at = None


index_wait = IndexWait()
"""This process's."""
