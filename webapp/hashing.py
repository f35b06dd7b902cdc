"""Password hashes, a bounded number at once in each process.

A hash takes half a second of a core on purpose. Without a bound, those who guess passwords take
every core, and all pages wait for them.
"""

import threading
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

AT_ONCE = 1
"""Hashes that one process computes at once; the others answer pages meanwhile."""


class BusyError(Exception):
    """As many hashes as allowed are being computed."""


class BoundedHasher(PBKDF2PasswordHasher):
    """Django's own hasher, which refuses at once instead of letting its caller wait."""

    _free = threading.BoundedSemaphore(AT_ONCE)

    def encode(self, password: str, salt: str, iterations: int | None = None) -> Any:
        """Return the hash.

        Raises:
            BusyError: as many as allowed are being computed; none was.
        """
        if not self._free.acquire(blocking=False):
            raise BusyError("too many passwords are being checked, try again in a moment")
        try:
            return super().encode(password, salt, iterations)
        finally:
            self._free.release()
