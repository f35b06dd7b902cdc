"""How long the stages of one answer take: a stopwatch that whoever listens starts.

A stage costs two readings of the clock while someone listens, and a look at a variable otherwise.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Seconds = dict[str, float]

_running: ContextVar[Seconds | None] = ContextVar("stages", default=None)


@contextmanager
def listening() -> Iterator[Seconds]:
    """Yield a dictionary that holds the seconds of each stage passed within."""
    seconds: Seconds = {}
    token = _running.set(seconds)
    try:
        yield seconds
    finally:
        _running.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count what happens within towards a stage; stages do not nest."""
    seconds = _running.get()
    if seconds is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began
