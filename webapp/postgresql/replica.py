"""Reads that may be a little late: a replica answers them where `MARQUEE_REPLICA_URL` names one."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings

REPLICA = "replica"
_is_late_enough = ContextVar("reads may come from the replica", default=False)


@contextmanager
def reading_from_replica() -> Iterator[None]:
    """Let queries of the ORM read from the replica while the block lasts; also a decorator.

    Querysets that are evaluated after it, and all writes, go to the database itself.
    """
    token = _is_late_enough.set(REPLICA in settings.DATABASES)
    try:
        yield
    finally:
        _is_late_enough.reset(token)


class ReplicaRouter:
    """What `DATABASE_ROUTERS` names: everything to "default" but for reads in such a block."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return REPLICA if _is_late_enough.get() else "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "default"
