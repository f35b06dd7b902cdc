"""Evidence of a viewer's taste: a visit in, its events, earlier visits and the history out.

What was recorded a moment ago is in the next answer: evidence is kept only as long as the version
of its profile stays the same, which the database raises with every event and mark.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from recommender.data.sessions import POSITIVE_KINDS, EventKind
from webapp.events.encoder_kinds import effective_kind, encoder_kind
from webapp.events.event_values import NOT_NOW, VALUES
from webapp.events.models import Event
from webapp.events.playback import (
    MAX_PLAYS,
    PLAYBACKS_OF_BROWSER,
    PLAYBACKS_OF_PROFILE,
    Playback,
    read_playback,
)
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import Rating
from webapp.queries import Queries, Query

SQL = Path(__file__).parent / "sql"
VISIT_EVENTS = 200
"""How many of the visit's newest events are read, """
EARLIER_EVENTS = 50
"""and how many of the visits before."""
GENRE = "genre"
"""The source of a verdict that is about a genre, while it is read beside those about titles."""
RECENT_DAYS = 30
"""Events of earlier visits count as recent for so long; the history keeps what was liked."""

IN_SESSION_WEIGHT: dict[str, float] = {
    Event.Kind.OPEN: 1.0,
    Event.Kind.CHOOSE: 1.0,
    Event.Kind.PLAY: 2.0,
    Event.Kind.PROGRESS: 2.0,
    Event.Kind.STOP: 1.0,
    Event.Kind.FINISH: 3.0,
}
"""How much an event of this visit says for its title, where a liked title of the past says 1.

The largest counts, but to stop early sets a title back to what an opening says. Used where a
release has no session encoder, which learns its own (docs/metrics.md, "Evidence").
"""
ADDED_WEIGHT = 2.0
LIKED_WEIGHT = 3.0


@dataclass(frozen=True)
class Verdict:
    """A title the profile rated, listed, hid, dropped or refused for a person, and when."""

    source: str
    title_id: int
    stars: float
    at: datetime


@dataclass(frozen=True)
class RecentEvent:
    """Something done in this visit or lately; a search names no title."""

    kind: str
    title_id: int | None
    value: str
    at: datetime
    query: str = ""
    is_this_visit: bool = True
    subject: int | None = None
    """The genre or person it is about."""

    def encoder_kind(self) -> EventKind | None:
        return encoder_kind(self.kind, self.value)

    @property
    def is_positive(self) -> bool:
        return self.encoder_kind() in POSITIVE_KINDS


@dataclass(frozen=True)
class Evidence:
    """A viewer's evidence of taste at this moment, oldest first. Derived values are cached."""

    verdicts: list[Verdict]
    playbacks: list[Playback]
    recent: list[RecentEvent]
    visit_started_at: datetime
    refused_genres: frozenset[int] = frozenset()
    num_unread: int = field(default=0, compare=False)
    """How many more events of this visit would have been read, had there been more."""
    derived: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What others have made of it and keep with it, by name."""

    @property
    def num_rows(self) -> int:
        return len(self.verdicts) + len(self.playbacks) + len(self.recent)

    @property
    def is_visit_recorded(self) -> bool:
        """Whether an event of this visit is known, and so its row."""
        return any(event.is_this_visit for event in self.recent)

    def not_now(self, kind: str) -> frozenset[int]:
        """Return the genres or people, by kind of event, that this visit is not about."""
        return frozenset(
            event.subject
            for event in self.recent
            if event.is_this_visit
            and event.kind == kind
            and event.value == NOT_NOW
            and event.subject is not None
        )

    def with_events(self, events: Sequence[RecentEvent]) -> "Evidence":
        """Return the evidence with this visit's next events, which name no mark and no play.

        What marks and plays alone say is not worked out again.
        """
        left = self.num_unread - len(events)
        evidence = replace(self, recent=[*self.recent, *events], num_unread=left)
        known = vars(self)
        vars(evidence).update({name: known[name] for name in _OF_MARKS_AND_PLAYS if name in known})
        return evidence

    @cached_property
    def in_session(self) -> list[tuple[int, RecentEvent]]:
        """This visit's events that name a title, with it."""
        return [
            (event.title_id, event)
            for event in self.recent
            if event.is_this_visit and event.title_id is not None
        ]

    @cached_property
    def liked_before(self) -> dict[int, float]:
        """Each title liked, listed or watched before this visit, with weight 1."""
        began = self.visit_started_at
        earlier = replace(
            self,
            verdicts=[verdict for verdict in self.verdicts if verdict.at < began],
            playbacks=[p for p in self.playbacks if p.qualified_at and p.qualified_at < began],
            recent=[],
        )
        refused = self.disliked | self.hidden
        return {id_: weight for id_, weight in earlier.liked.items() if id_ not in refused}

    @cached_property
    def liked(self) -> dict[int, float]:
        """Each title that speaks for the viewer's taste and how much it says.

        The past says 1 for a title liked, listed or watched; what happened in this visit says
        what `IN_SESSION_WEIGHT` gives its kind. A title disliked or hidden is not in it.
        """
        liked = dict(self._liked_by_marks_and_plays)
        for title_id, weight in self._weights_in_session().items():
            liked[title_id] = max(weight, liked.get(title_id, 0.0))
        refused = self.disliked | self.hidden
        return {id_: weight for id_, weight in liked.items() if weight > 0 and id_ not in refused}

    @cached_property
    def disliked(self) -> set[int]:
        return {
            v.title_id
            for v in self.verdicts
            if v.source == "rating" and v.stars <= Rating.DISLIKED_TO_STARS
        }

    @cached_property
    def hidden(self) -> set[int]:
        return {v.title_id for v in self.verdicts if v.source == "hidden"}

    @cached_property
    def refused(self) -> set[int]:
        """Titles with a person the profile refused, but for those it keeps or has begun."""
        of_refused = {v.title_id for v in self.verdicts if v.source == "refused"}
        return of_refused - set(self.listed) - {p.title_id for p in self.unfinished}

    @cached_property
    def listed(self) -> list[int]:
        """My List, newest first."""
        return [v.title_id for v in reversed(self.verdicts) if v.source == "list"]

    @cached_property
    def seen(self) -> set[int]:
        """Titles rated or watched for real: no news to recommend."""
        rated = {v.title_id for v in self.verdicts if v.source == "rating"}
        return rated | {p.title_id for p in self.playbacks if p.is_qualified}

    @cached_property
    def unfinished(self) -> list[Playback]:
        """What can be continued, newest first; not what was dropped after it was last played."""
        dropped = {v.title_id: v.at for v in self.verdicts if v.source == "dropped"}
        return [
            p
            for p in reversed(self.playbacks)
            if p.is_unfinished and not (p.title_id in dropped and p.at <= dropped[p.title_id])
        ]

    @cached_property
    def recent_reasons(self) -> list[int]:
        """Titles to explain a row with, the most telling first.

        What was played or opened in this visit, newest first; then earlier plays; then what was
        rated highest, latest first.
        """
        liked = self.liked
        tonight = list(reversed(self.in_session))
        played = [id_ for id_, event in tonight if event.kind in Event.PLAYBACK]
        opened = [id_ for id_, event in tonight if _in_session_weight(event) > 0]
        ordered = [*played, *opened, *self._earlier_reasons]
        return [id_ for id_ in dict.fromkeys(ordered) if id_ in liked]

    @cached_property
    def _earlier_reasons(self) -> list[int]:
        """What was played, newest first, then what was rated, the best first."""
        rated = sorted(
            (v for v in self.verdicts if v.source == "rating"),
            key=lambda v: (v.stars, v.at),
            reverse=True,
        )
        return [p.title_id for p in reversed(self.playbacks)] + [v.title_id for v in rated]

    @cached_property
    def _liked_by_marks_and_plays(self) -> dict[int, float]:
        liked = {
            verdict.title_id: 1.0
            for verdict in self.verdicts
            if verdict.source == "list" or verdict.stars >= Rating.LIKED_FROM_STARS
        }
        return liked | {p.title_id: 1.0 for p in self.playbacks if p.is_qualified}

    def _weights_in_session(self) -> dict[int, float]:
        weights: dict[int, float] = {}
        for title_id, event in self.in_session:
            before = 0.0 if event.kind == Event.Kind.STOP else weights.get(title_id, 0.0)
            weights[title_id] = max(_in_session_weight(event), before)
        return weights


_OF_MARKS_AND_PLAYS = (
    "liked_before",
    "disliked",
    "hidden",
    "refused",
    "listed",
    "seen",
    "unfinished",
    "_earlier_reasons",
    "_liked_by_marks_and_plays",
)
"""Properties of `Evidence` that its verdicts, its playbacks and the visit's begin alone decide."""


def evidence_of(visit: CurrentVisit) -> Evidence:
    """Return all evidence of the visit's viewer. At most one query, each part of it by an index.

    A profile's is kept by its version, so that what did not change is not read again: no query
    where the version came with the session.
    """
    profile, version = visit.profile, visit.version
    if profile is None or version is None:
        return read_evidence(visit)
    key = (profile.pk, visit.id, visit.started_at, visit.is_paused)
    evidence = kept.get(key, version.number) if version.is_known else None
    if evidence is None:
        evidence = read_evidence(visit)
        kept.put(key, version.number, evidence)
    return evidence


def read_evidence(visit: CurrentVisit) -> Evidence:
    """Read all evidence of the visit's viewer, and its version if that is not known. One query.

    While the profile's history is paused, this visit does not count.
    """
    limits = {
        "visit_events": VISIT_EVENTS,
        "earlier_events": EARLIER_EVENTS,
        "plays": MAX_PLAYS,
        "title": None,
    }
    since = visit.started_at - timedelta(days=RECENT_DAYS)
    if visit.profile is None:
        playbacks, recent = _OF_BROWSER.rows(
            visit=visit.id, since=since, previous=visit.previous_id, **limits
        )
        verdicts = []
    else:
        # the version first: what is read after it is at least as new
        versions, playbacks, recent, verdicts = _OF_PROFILE.rows(
            visit=visit.id,
            since=since,
            profile=visit.profile.pk,
            profile_id=visit.profile.pk,
            **limits,
        )
        if visit.version and not visit.version.is_known:
            visit.version.note(versions[0][0] if versions else None)
    played = [read_playback(row) for row in playbacks]
    stored = [_StoredEvent(*row) for row in recent]
    events = _recent(visit, stored, played, since)
    marks = [Verdict(*row) for row in verdicts]
    return Evidence(
        [verdict for verdict in marks if verdict.source != GENRE],
        played,
        [event for event in events if not event.is_this_visit] if visit.is_paused else events,
        visit.started_at,
        frozenset(verdict.title_id for verdict in marks if verdict.source == GENRE),
        VISIT_EVENTS - sum(event.visit_id == visit.id for event in stored),
    )


def add_to_kept(
    visit: CurrentVisit, events: Sequence[RecentEvent], before: int | None, after: int
) -> None:
    """Keep the evidence with events just written, so that it need not be read again.

    It is what would be read: nothing but these events came between the versions. Nothing happens
    where no evidence of the version before is kept, or an event is not the visit's latest.

    Args:
        visit: the profile's, whose events they are.
        events: of this visit; they open a title, choose one or search.
        before: the version before they were written; None where there was none.
        after: the version after.
    """
    if visit.profile is None or visit.is_paused or before is None or not events:
        return
    key = (visit.profile.pk, visit.id, visit.started_at, visit.is_paused)
    evidence = kept.get(key, before)
    if evidence is None or len(events) > evidence.num_unread:
        return
    times = [event.at for event in evidence.recent[-1:] if event.is_this_visit]
    times += [event.at for event in events]
    if any(later <= earlier for earlier, later in pairwise(times)):
        return
    kept.put(key, after, evidence.with_events(events))


EvidenceKey = tuple[int, UUID, datetime, bool]
"""Profile, visit, the visit's begin, and whether the history is paused."""


class KeptEvidence:
    """The evidence that this process read last, by viewer, each with its version.

    Threads may share it. Least recently used viewers are dropped when there are too many, or what
    they did is.
    """

    def __init__(self, most_viewers: int, most_rows: int) -> None:
        """Prepare.

        Args:
            most_viewers: kept.
            most_rows: verdicts, playbacks and events of all that are kept; about 300 bytes each.
        """
        self._most_viewers, self._most_rows = most_viewers, most_rows
        self._by_key: OrderedDict[EvidenceKey, tuple[int | None, Evidence]] = OrderedDict()
        self._rows = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: EvidenceKey, version: int | None) -> Evidence | None:
        """Return the evidence if it is of this version."""
        with self._lock:
            kept_version, evidence = self._by_key.get(key, (None, None))
            if evidence is None or kept_version != version:
                return None
            self._by_key.move_to_end(key)
            return evidence

    def put(self, key: EvidenceKey, version: int | None, evidence: Evidence) -> None:
        """Keep evidence that was read after its version was."""
        with self._lock:
            if key in self._by_key:
                self._rows -= self._by_key.pop(key)[1].num_rows
            self._by_key[key] = version, evidence
            self._rows += evidence.num_rows
            while len(self._by_key) > self._most_viewers or self._rows > self._most_rows:
                _, (_, dropped) = self._by_key.popitem(last=False)
                self._rows -= dropped.num_rows

    def clear(self) -> None:
        with self._lock:
            self._by_key.clear()
            self._rows = 0


kept = KeptEvidence(most_viewers=1000, most_rows=100_000)
"""This process's."""


@dataclass(frozen=True)
class _StoredEvent:
    """An event as `sql/recent_of_*.sql` returns it."""

    kind: str
    title_id: int | None
    value: str
    occurred_at: datetime
    received_at: datetime
    query: str
    visit_id: UUID
    subject: int | None = None


def _recent(
    visit: CurrentVisit, stored: list[_StoredEvent], playbacks: list[Playback], since: datetime
) -> list[RecentEvent]:
    """Return the newest events of this visit and, before them, of the visits before.

    The visits before are a profile's of `RECENT_DAYS`, an anonymous browser's last one. Progress
    comes every few seconds: the latest of a title is enough, and the playbacks have it.
    """
    events = list(stored)
    events += [
        _StoredEvent(p.kind, p.title_id, "", p.at, p.at, "", p.visit_id)
        for p in playbacks
        if p.kind == Event.Kind.PROGRESS and p.at >= since
    ]
    events.sort(key=lambda e: (e.visit_id == visit.id, e.occurred_at, e.received_at))
    qualified: dict[int | None, datetime | None] = {p.title_id: p.qualified_at for p in playbacks}
    return [
        RecentEvent(
            effective_kind(event.kind, event.occurred_at, qualified.get(event.title_id)),
            event.title_id,
            event.value,
            event.occurred_at,
            event.query,
            event.visit_id == visit.id,
            event.subject,
        )
        for event in _latest_marks(events)
    ]


def _latest_marks(events: list[_StoredEvent]) -> Iterator[_StoredEvent]:
    """Of thumbs, list, hiding and refusals yield the latest of a title, genre or person.

    What was taken back is not there.
    """
    last = {(event.kind, event.title_id, event.subject): n for n, event in enumerate(events)}
    for n, event in enumerate(events):
        is_last = last[event.kind, event.title_id, event.subject] == n
        if event.kind not in VALUES or is_last:
            yield event


READ_VERSION = Query(SQL / "evidence_version.sql")
"""The version of what a profile's evidence is read from, by `profile_id`, and the one before."""
_VERDICTS = Query(SQL / "verdicts.sql")
_RECENT_OF_PROFILE = Query(SQL / "recent_of_profile.sql")
_RECENT_OF_BROWSER = Query(SQL / "recent_of_browser.sql")
_OF_PROFILE = Queries(READ_VERSION, PLAYBACKS_OF_PROFILE, _RECENT_OF_PROFILE, _VERDICTS)
_OF_BROWSER = Queries(PLAYBACKS_OF_BROWSER, _RECENT_OF_BROWSER)


def _in_session_weight(event: RecentEvent) -> float:
    if event.kind == Event.Kind.THUMB:
        return LIKED_WEIGHT if event.value in ("up", "love") else 0.0
    if event.kind == Event.Kind.LIST:
        return ADDED_WEIGHT if event.value == "add" else 0.0
    return IN_SESSION_WEIGHT.get(event.kind, 0.0)
