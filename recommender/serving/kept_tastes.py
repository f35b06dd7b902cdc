"""Tastes of one recommender, kept by all that is known of their viewers.

The key is the viewer itself, field by field: a kept taste is the one that would be computed.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from functools import cache

from recommender.arrays import Float32
from recommender.serving.request import Viewer
from recommender.serving.taste import Taste

BYTES_KEPT = 64 * 2**20
"""Most bytes of scores kept by one recommender: 300 tastes over 17,000 titles, 10 over 500,000.

Rows that were made of a taste are kept with it, 50 kB at most, and not counted."""


class KeptTastes:
    """The tastes computed last; threads may share it."""

    def __init__(self, most_bytes: int = BYTES_KEPT) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._by_viewer: OrderedDict[Hashable, Taste | None] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, viewer: Viewer, compute: Callable[[Viewer], Taste | None]) -> Taste | None:
        """Return the viewer's taste, computed where it is not kept. Its scores are read-only."""
        key = viewer_key(viewer)
        with self._lock:
            if key in self._by_viewer:
                self._by_viewer.move_to_end(key)
                return self._by_viewer[key]
        taste = compute(viewer)
        for scores in _arrays(taste):
            scores.flags.writeable = False
        with self._lock:
            if key not in self._by_viewer:
                self._by_viewer[key] = taste
                self._bytes += _size(taste)
            while self._bytes > self._most_bytes:
                self._bytes -= _size(self._by_viewer.popitem(last=False)[1])
        return taste


def _size(taste: Taste | None) -> int:
    return 1000 + sum(scores.nbytes for scores in _arrays(taste))


def _arrays(taste: Taste | None) -> list[Float32]:
    if taste is None:
        return []
    return [side for side in (taste.scores, taste.history, taste.visit) if side is not None]


def viewer_key(viewer: Viewer) -> Hashable:
    """Return what two viewers have in common only if all that is known of them is the same."""
    return tuple(_hashable(getattr(viewer, name)) for name in _names())


@cache
def _names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Viewer))


def _hashable(value: object) -> Hashable:
    if isinstance(value, Mapping):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value
