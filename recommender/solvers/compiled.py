"""Compiled loops: numba for the machine code, plain threads over stripes of rows.

Plain threads, not numba's own: they may be started from any thread of any process, forked or not.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, cast

import numba
import numpy as np

from recommender.arrays import Integer

STRIPES_PER_THREAD = 16
"""Many, so that threads finish together although rows differ in length."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first call, caching the machine code on disk where a folder is writable."""
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz"}}
    try:
        return cast(Callable[..., Any], numba.njit(cache=True, **options)(function))
    except RuntimeError:  # numba finds no folder it may write to
        return cast(Callable[..., Any], numba.njit(**options)(function))


def in_stripes(
    function: Callable[[int, int], float], work: Integer, num_threads: int
) -> list[float]:
    """Call a function for runs of rows of about equal work, from several threads at once.

    Args:
        function: takes the first row of a run and the one after its last; releases the GIL.
        work: (R + 1,), how much there is to do before each row, and in all.
        num_threads: how many runs are worked on at a time.

    Returns:
        What it returned, in the order of the rows.
    """
    shares = np.linspace(work[0], work[-1], num_threads * STRIPES_PER_THREAD + 1)
    bounds = np.unique(np.searchsorted(work, shares))
    bounds[0], bounds[-1] = 0, len(work) - 1
    runs = [(int(start), int(stop)) for start, stop in pairwise(bounds)]
    if num_threads == 1:
        return [function(*run) for run in runs]
    with ThreadPoolExecutor(num_threads) as pool:
        return list(pool.map(lambda run: function(*run), runs))


def available_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
