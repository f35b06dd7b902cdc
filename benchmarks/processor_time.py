"""Processor time of the web processes, PostgreSQL and the clients while a benchmark measures."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks.harness import processor_seconds
from benchmarks.web import WebServer

EVERY_SECONDS = 1.0
"""A connection that ends takes along at most what it used since the last look."""
BACKENDS = (
    "SELECT pid, backend_type = 'client backend' FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND (datname = current_database()"
    " OR backend_type IN ('walwriter', 'checkpointer', 'background writer'))"
)


@dataclass
class Used:
    """What the parts used while it was measured.

    Attributes:
        seconds: of processor time by part: web (gunicorn's workers), database (connections to
            it), writers (of the whole PostgreSQL server: write-ahead log, checkpoints,
            background), client (this process). Empty where the system does not tell.
        lasted: seconds of wall time.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lasted: float = 0.0


@contextmanager
def processor_time(server: WebServer, database: str = "") -> Iterator[Used]:
    """Measure while the block runs; what it yields is filled when it ends.

    Args:
        server: whose processes are measured.
        database: its address; the one of DATABASE_URL where none is given.
    """
    used, ended = Used(), threading.Event()
    address = (database or os.environ["DATABASE_URL"]).replace("postgres://", "postgresql://", 1)
    with psycopg.connect(address, autocommit=True) as connection:
        before = _by_process(server, connection)
        after = dict(before)

        def watch() -> None:
            while not ended.wait(EVERY_SECONDS):
                after.update(_by_process(server, connection))

        watching = threading.Thread(target=watch)
        began, own = time.perf_counter(), time.process_time()
        watching.start()
        try:
            yield used
        finally:
            used.lasted = time.perf_counter() - began
            client = time.process_time() - own
            ended.set()
            watching.join()
        after.update(_by_process(server, connection))
    for process, seconds in after.items():
        part = process[0]
        used.seconds.setdefault(part, 0.0)
        used.seconds[part] += seconds - before.get(process, 0.0)
    if used.seconds:
        used.seconds["client"] = client


def _by_process(
    server: WebServer, connection: "psycopg.Connection[tuple[Any, ...]]"
) -> dict[tuple[str, int], float]:
    """Return the processor seconds so far of each process, by part and number."""
    processes = [("web", pid) for pid in server.workers()]
    for pid, is_client in connection.execute(BACKENDS).fetchall():
        processes.append(("database" if is_client else "writers", pid))
    return {(part, pid): used for part, pid in processes if (used := _used(pid)) is not None}


def _used(pid: int) -> float | None:
    try:
        seconds = processor_seconds(pid)
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return None
    return None if seconds != seconds else seconds
