"""Sessions: events of many viewers in time order, and the prediction requests cut from them.

S viewers, E events, B requests, L events a request reads.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from recommender.arrays import AnyArray, Bool, Float64, Int8, Int64
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN, Vocabulary

VISIT_GAP_SECONDS = 1800.0
"""A longer silence ends a visit."""


class EventKind(IntEnum):
    """What a viewer did. The numbers are written into artifacts: new kinds go to the end."""

    OPEN = 0
    CHOOSE = 1
    PLAY = 2
    PROGRESS = 3
    STOP = 4
    FINISH = 5
    LIKE = 6
    DISLIKE = 7
    LIST = 8
    UNLIST = 9
    HIDE = 10
    SEARCH = 11


POSITIVE_KINDS = frozenset(EventKind) - {
    EventKind.STOP,
    EventKind.DISLIKE,
    EventKind.UNLIST,
    EventKind.HIDE,
    EventKind.SEARCH,
}
"""What a session encoder learns to predict."""


PLAYBACK_KINDS = frozenset({EventKind.PLAY, EventKind.PROGRESS, EventKind.STOP, EventKind.FINISH})


def is_last_of_playback(items: Int64, kinds: Int8, visits: AnyArray) -> Bool:
    """Return (E,) False where the next event plays the same title on: one sitting counts once.

    Args:
        items: (E,) in time order.
        kinds: (E,).
        visits: (E,) equal within a visit.
    """
    plays = np.isin(kinds, list(PLAYBACK_KINDS))
    kept = np.ones(len(items), dtype=bool)
    goes_on = plays[:-1] & plays[1:] & (items[:-1] == items[1:]) & (visits[:-1] == visits[1:])
    kept[:-1] = ~goes_on
    return kept


@dataclass(frozen=True)
class Sessions:
    """Every viewer's events, oldest first, one viewer after the other.

    Attributes:
        bounds: (S + 1,), viewer s has the events from bounds[s] up to bounds[s + 1].
        items: (E,) item numbers, `UNKNOWN` where an event names no known title.
        kinds: (E,) of `EventKind`.
        at: (E,) seconds since 1970; any rising clock where only the order is known.
        opens_visit: (E,) True at the first event of a visit.
        viewers: (S,) outside ids.
        queries: what was typed, by event.
    """

    bounds: Int64
    items: Int64
    kinds: Int8
    at: Float64
    opens_visit: Bool
    viewers: Int64
    queries: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def from_events(
        cls,
        viewers: ArrayLike,
        items: ArrayLike,
        at: ArrayLike,
        *,
        kinds: ArrayLike | None = None,
        visits: ArrayLike | None = None,
        queries: Mapping[int, str] | None = None,
        gap_seconds: float = VISIT_GAP_SECONDS,
    ) -> "Sessions":
        """Sort events by viewer and time, ties in the order given, and cut them into visits.

        Args:
            viewers: (E,) ids.
            items: (E,) item numbers.
            at: (E,) seconds.
            kinds: (E,), None for `OPEN` throughout.
            visits: (E,) ids of visits already known; None cuts where a silence is longer than
                `gap_seconds`.
            queries: what was typed, by index in these arrays.
            gap_seconds: see `visits`.

        Raises:
            InvalidInputError: the lengths differ, or a time is no number.
        """
        owners, when = np.asarray(viewers, dtype=np.int64), np.asarray(at, dtype=np.float64)
        numbers = np.asarray(items, dtype=np.int64)
        what = np.zeros(len(owners), np.int8) if kinds is None else np.asarray(kinds, np.int8)
        if not len(owners) == len(when) == len(numbers) == len(what):
            raise InvalidInputError("viewers, items, at and kinds must be equally long")
        if not np.isfinite(when).all():
            raise InvalidInputError("every event needs a time, got NaN or infinity")
        order = np.lexsort((when, owners))
        owners, when = owners[order], when[order]
        ids, first = np.unique(owners, return_index=True)
        bounds = np.append(first, len(owners)).astype(np.int64)
        opens = np.zeros(len(owners), dtype=bool)
        opens[first] = True
        if visits is None:
            opens[1:] |= np.diff(when) > gap_seconds
        else:
            marks = np.asarray(visits)[order]
            opens[1:] |= marks[1:] != marks[:-1]
        index_of = np.empty(len(order), dtype=np.int64)
        index_of[order] = np.arange(len(order))
        typed = {int(index_of[index]): text for index, text in (queries or {}).items()}
        return cls(bounds, numbers[order], what[order], when, opens, ids, typed)

    def __len__(self) -> int:
        """S."""
        return len(self.viewers)

    @property
    def visit_of(self) -> Int64:
        """(E,) the number of each event's visit, rising over all viewers."""
        return np.cumsum(self.opens_visit) - 1

    @property
    def viewer_of(self) -> Int64:
        """(E,) the row of each event's viewer."""
        return np.repeat(np.arange(len(self)), np.diff(self.bounds))

    def before(self, at: float) -> "Sessions":
        """Return what had happened before a moment; viewers without events are left out."""
        return self.only(self.at < at)

    def of(self, rows: ArrayLike) -> "Sessions":
        """Return some viewers' events. Rows ascending."""
        is_chosen = np.zeros(len(self), dtype=bool)
        is_chosen[np.asarray(rows, dtype=np.int64)] = True
        return self.only(is_chosen[self.viewer_of])

    def met_before(
        self, events: Int64, num_items: int, kinds: Collection[EventKind] = tuple(EventKind)
    ) -> sparse.csr_array:
        """Return (B, I) 1 where an event's viewer met an item, in one of the ways, before it."""
        first = self.bounds[self.viewer_of[events]]
        lengths = events - first
        row = np.repeat(np.arange(len(events)), lengths)
        offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        event = np.repeat(first, lengths) + offset
        kept = np.isin(self.kinds[event], list(kinds)) & (self.items[event] != UNKNOWN)
        cells = np.unique(row[kept] * num_items + self.items[event[kept]])
        ones = np.ones(len(cells), dtype=np.float32)
        shape = (len(events), num_items)
        return sparse.csr_array((ones, (cells // num_items, cells % num_items)), shape=shape)

    def over(self, items: Vocabulary, others: Vocabulary) -> "Sessions":
        """Return the same events in the numbers of another vocabulary.

        Args:
            items: what the numbers mean now.
            others: what they will mean; titles it does not have are `UNKNOWN`.
        """
        numbers = np.append(others.items_of(items.ids), UNKNOWN)  # UNKNOWN is -1, the last
        return replace(self, items=numbers[self.items])

    def only(self, kept: Bool) -> "Sessions":
        """Keep some events. A visit whose opening goes opens with the next one kept."""
        viewer_of, visit_of = self.viewer_of[kept], self.visit_of[kept]
        opens = np.ones(len(viewer_of), dtype=bool)
        opens[1:] = visit_of[1:] != visit_of[:-1]
        rows, first = np.unique(viewer_of, return_index=True)
        bounds = np.append(first, len(viewer_of)).astype(np.int64)
        index_of = np.cumsum(kept) - 1
        typed = {int(index_of[e]): text for e, text in self.queries.items() if kept[e]}
        return Sessions(
            bounds, self.items[kept], self.kinds[kept], self.at[kept], opens,
            self.viewers[rows], typed,
        )  # fmt: skip


@dataclass(frozen=True)
class Requests:
    """Prediction requests: the events before each are its input, its own event the target.

    Attributes:
        sessions: the events.
        events: (B,) the target event of each request; not the first of a visit unless the protocol
            asks for that.
    """

    sessions: Sessions
    events: Int64

    def __len__(self) -> int:
        return len(self.events)

    @property
    def targets(self) -> Int64:
        """(B,) the items to predict."""
        return self.sessions.items[self.events]

    def visit_starts(self) -> Int64:
        """(B,) the first event of each request's visit."""
        openings = np.flatnonzero(self.sessions.opens_visit)
        return np.asarray(openings[self.sessions.visit_of[self.events]])

    def viewer_starts(self) -> Int64:
        """(B,) the first event of each request's viewer."""
        return np.asarray(self.sessions.bounds[self.sessions.viewer_of[self.events]])

    def recent(self, rows: slice, length: int, *, this_visit_only: bool = False) -> "RecentEvents":
        """Return the newest events before some of the requests."""
        events = self.events[rows]
        first = (self.visit_starts() if this_visit_only else self.viewer_starts())[rows]
        first = np.maximum(first, events - length)
        event = first[:, None] + np.arange(max(1, int((events - first).max(initial=0))))
        is_there = event < events[:, None]
        event = np.where(is_there, event, 0)
        sessions = self.sessions
        opens_now = self.visit_starts()[rows]
        return RecentEvents(
            items=np.where(is_there, sessions.items[event], UNKNOWN),
            kinds=np.where(is_there, sessions.kinds[event], 0).astype(np.int8),
            at=np.where(is_there, sessions.at[event], 0.0),
            is_there=is_there,
            is_this_visit=is_there & (event >= opens_now[:, None]),
            now=sessions.at[events],
            queries=self._queries(event, is_there),
        )

    def _queries(self, event: Int64, is_there: Bool) -> dict[tuple[int, int], str]:
        if not self.sessions.queries:
            return {}
        typed = np.isin(event, list(self.sessions.queries)) & is_there
        return {
            (int(b), int(n)): self.sessions.queries[int(event[b, n])]
            for b, n in zip(*np.nonzero(typed), strict=True)
        }


@dataclass(frozen=True)
class RecentEvents:
    """The events that each request reads, oldest first, padding at the end.

    Attributes:
        items: (B, L), `UNKNOWN` in padding too.
        kinds: (B, L).
        at: (B, L).
        is_there: (B, L), False in padding.
        is_this_visit: (B, L), False in padding and for earlier visits.
        now: (B,) the moments of the requests.
        queries: what was typed, by request and position.
    """

    items: Int64
    kinds: Int8
    at: Float64
    is_there: Bool
    is_this_visit: Bool
    now: Float64
    queries: Mapping[tuple[int, int], str] = field(default_factory=dict)


def is_positive_in_visit(recent: RecentEvents) -> Bool:
    """Return (B, L) where an event of this visit is positive and its title is known.

    A visit with only refusals and searches has none: it is served as a new one.
    """
    is_positive = np.isin(recent.kinds, list(POSITIVE_KINDS)) & (recent.items != UNKNOWN)
    return np.asarray(recent.is_this_visit & is_positive)


def next_in_visit(sessions: Sessions) -> Requests:
    """Return a request for every event that follows another in its visit."""
    return Requests(sessions, np.flatnonzero(~sessions.opens_visit & (sessions.items != UNKNOWN)))


def last_of_each(sessions: Sessions) -> Requests:
    """Return a request for each viewer's last event: leave-one-out."""
    lengths = np.diff(sessions.bounds)
    return Requests(sessions, (sessions.bounds[1:] - 1)[lengths > 1])
