"""Clients of a server that act at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Make the calls side by side, each in a thread of its own; return what each returned.

    Raises:
        Exception: what the first call that failed raised, once all have ended.
    """
    with ThreadPoolExecutor(len(calls)) as threads:
        running = [threads.submit(call) for call in calls]
    return [call.result() for call in running]
