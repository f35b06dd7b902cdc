"""Accept events at least once and keep each exactly once; what they change is changed with them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from recommender.ranking.row_kinds import ROW_KINDS
from webapp.discovery.surface import Surface
from webapp.events.event_values import OF_VISIT, STARS, VALUES
from webapp.events.evidence import READ_VERSION, RecentEvent, add_to_kept
from webapp.events.evidence_versions import EvidenceVersionRead
from webapp.events.forgetting import forget, take_back
from webapp.events.models import Event
from webapp.events.visits import CurrentVisit
from webapp.postgresql.retries import retried
from webapp.profiles.models import (
    DroppedTitle,
    HiddenTitle,
    ListEntry,
    Profile,
    Rating,
    RefusedGenre,
    RefusedPerson,
)
from webapp.queries import Queries, Query

SQL = Path(__file__).parent / "sql"
FUTURE_ALLOWED = timedelta(minutes=5)
PAST_ALLOWED = timedelta(days=7)


@dataclass(frozen=True)
class MarkKind:
    """What a kind of event sets or takes away.

    Attributes:
        model: where it is kept.
        set_by: the value that sets it; the other one takes it away.
        about: what it is set on.
    """

    model: type[ListEntry | HiddenTitle | DroppedTitle | RefusedPerson | RefusedGenre]
    set_by: str
    about: str = "title_id"


MARKS: dict[str, MarkKind] = {
    Event.Kind.LIST: MarkKind(ListEntry, "add"),
    Event.Kind.HIDE: MarkKind(HiddenTitle, "hide"),
    Event.Kind.RESUME: MarkKind(DroppedTitle, "remove"),
    Event.Kind.PERSON: MarkKind(RefusedPerson, "refuse", about="person_id"),
    Event.Kind.GENRE: MarkKind(RefusedGenre, "refuse", about="genre_id"),
}

ROWS = frozenset((*ROW_KINDS, *Surface))
"""What a row can be called: its kind, or the surface of a list without rows. Anything else is left
out: it would be a slice of the metrics, in words of whoever made it up."""
ADDED = frozenset({Event.Kind.OPEN, Event.Kind.CHOOSE, Event.Kind.SEARCH})
"""Kinds of events that are added to a profile's evidence and change nothing else of it."""
PROFILE_GONE = "the profile was deleted: choose another"
SUBJECTS = (Event.Kind.PERSON, Event.Kind.GENRE)
"""Kinds of events without a title: their subject names one of these."""


@dataclass(frozen=True)
class EventDraft:
    """An event as a client tells it, not yet trusted."""

    id: uuid.UUID
    kind: str
    title_id: int | None
    occurred_at: datetime
    surface: str = ""
    slate_id: uuid.UUID | None = None
    row: str = ""
    slot: int | None = None
    position_seconds: int | None = None
    duration_seconds: int | None = None
    value: str = ""
    query: str = ""
    subject: int | None = None


COLUMNS = tuple(draft_field.name for draft_field in fields(EventDraft))
"""What of a draft is written as it stands, but for a time that is still to come."""


@dataclass(frozen=True)
class Refusal:
    index: int
    id: uuid.UUID
    reason: str


@dataclass
class IngestReport:
    """What became of a batch: how many are on disk now, were there already, or were refused."""

    accepted: int = 0
    repeated: int = 0
    paused: int = 0
    """Not kept, for the profile's history is paused."""
    errors: list[Refusal] = field(default_factory=list)
    is_profile_gone: bool = False
    """Whether all were refused because the profile was deleted since the request began."""


def record_events(visit: CurrentVisit, drafts: Sequence[EventDraft], now: datetime) -> IngestReport:
    """Write the events and apply what they say (thumbs, list, hidden titles).

    A repeat is counted and changes nothing. A bad event is refused with its reason and the rest
    is kept. When this returns, what it counted as accepted is committed (unless the caller holds
    a transaction of its own). Two queries for a batch that changes no list or rating, whatever its
    size. Batches of a profile wait for each other; what another transaction got in the way of, or
    deleted meanwhile, is looked at and written again.

    What names a title that the profile took out of its history since is counted as a repeat.

    While a profile's history is paused nothing is written and nothing applied, but for what is to
    be forgotten. Of a bot's look at pages nothing is written either.
    """
    if visit.is_unrecorded:
        return IngestReport()
    wanted = drafts
    if visit.is_paused:
        wanted = [draft for draft in drafts if draft.kind == Event.Kind.FORGET]
    report = retried(lambda: _record_wanted(visit, wanted, now)) if wanted else IngestReport()
    report.paused = len(drafts) - len(wanted)
    return report


def _record_wanted(
    visit: CurrentVisit, drafts: Sequence[EventDraft], now: datetime
) -> IngestReport:
    report = IngestReport()
    known = _Known.of(visit, drafts)
    if visit.profile and not known.has_profile:
        refused = [Refusal(n, draft.id, PROFILE_GONE) for n, draft in enumerate(drafts)]
        return IngestReport(errors=refused, is_profile_gone=True)
    accepted: dict[uuid.UUID, EventDraft] = {}
    for index, draft in enumerate(drafts):
        if draft.id in known.event_ids or draft.id in accepted or known.is_forgotten(draft):
            report.repeated += 1
        elif reason := (
            _reason_to_refuse(visit, draft, known, now)
            or _too_many(visit, draft, known.visit_events + len(accepted))
        ):
            report.errors.append(Refusal(index, draft.id, reason))
        else:
            accepted[draft.id] = draft
    written = _record(visit, list(accepted.values()), now) if accepted else frozenset()
    report.accepted = len(written)
    report.repeated += len(accepted) - len(written)
    return report


def _record(
    visit: CurrentVisit, drafts: Sequence[EventDraft], now: datetime
) -> frozenset[uuid.UUID]:
    """Write events and what they change together; return the ids of those that are new."""
    if visit.version:
        visit.version.forget()
    profile, kinds = visit.profile, {draft.kind for draft in drafts}
    if visit.version and kinds & ADDED and kinds <= ADDED | {Event.Kind.IMPRESSION}:
        return _insert_into_kept(visit, visit.version, drafts, now)
    if profile is None or kinds.isdisjoint(VALUES):
        return _insert(visit, drafts, now)
    with transaction.atomic():
        written = _insert(visit, drafts, now)
        for draft in drafts:
            if draft.id in written:
                _apply(profile, draft)
    return written


@dataclass(frozen=True)
class _Known:
    """What the database knows of the ids in a batch. One query."""

    event_ids: set[uuid.UUID]
    titles: dict[int, datetime | None]
    """When each was taken out of the profile's history."""
    slate_ids: set[uuid.UUID]
    """Slates shown to this viewer: in this visit, the one before, or any of the profile's."""
    subjects: set[tuple[str, int]]
    has_profile: bool = False
    """Whether the visit's profile still exists."""
    visit_events: int = 0
    """How many events the visit has, up to twice `VISIT_EVENTS`; 0 of simulated visits."""

    def is_forgotten(self, draft: EventDraft) -> bool:
        """Whether it happened before its title was taken out of the history."""
        at = self.titles.get(draft.title_id) if draft.title_id else None
        return at is not None and draft.kind != Event.Kind.FORGET and draft.occurred_at <= at

    @classmethod
    def of(cls, visit: CurrentVisit, drafts: Sequence[EventDraft]) -> "_Known":
        rows = _KNOWN.rows(
            events=[d.id for d in drafts],
            slates=list({d.slate_id for d in drafts if d.slate_id}),
            titles=list({d.title_id for d in drafts if d.title_id}),
            people=_subjects(drafts, Event.Kind.PERSON),
            genres=_subjects(drafts, Event.Kind.GENRE),
            profile=visit.profile_id,
            visits=visit.of_browser,
            limit=visit.maturity_limit,
            visit=visit.id,
            most_events=0 if visit.is_simulated else 2 * settings.VISIT_EVENTS,
        )
        return cls(
            {uuid.UUID(id_) for kind, id_, _ in rows if kind == "event"},
            {int(id_): forgotten_at for kind, id_, forgotten_at in rows if kind == "title"},
            {uuid.UUID(id_) for kind, id_, _ in rows if kind == "slate"},
            {(kind, int(id_)) for kind, id_, _ in rows if kind in SUBJECTS},
            any(kind == "profile" for kind, _, _ in rows),
            sum(int(count) for kind, count, _ in rows if kind == "visit"),
        )


def _insert(
    visit: CurrentVisit, drafts: Sequence[EventDraft], now: datetime
) -> frozenset[uuid.UUID]:
    """Write events and their visit's row; return the ids of those that are new. One query."""
    return frozenset(id_ for (id_,) in _INSERT.rows(**_columns(visit, drafts, now)))


def _insert_into_kept(
    visit: CurrentVisit, version: EvidenceVersionRead, drafts: Sequence[EventDraft], now: datetime
) -> frozenset[uuid.UUID]:
    """Do as `_insert`, and add the events to the evidence that this process keeps. One query."""
    rows, versions = _INSERT_AND_VERSIONS.rows(**_columns(visit, drafts, now))
    written = frozenset(id_ for (id_,) in rows)
    if versions:
        events = [
            RecentEvent(str(d.kind), d.title_id, d.value, min(d.occurred_at, now), d.query)
            for d in drafts
            if d.id in written and d.kind != Event.Kind.IMPRESSION
        ]
        [(after, before)] = versions
        add_to_kept(visit, events, before, after)
        version.note(after)
    return written


def _columns(visit: CurrentVisit, drafts: Sequence[EventDraft], now: datetime) -> dict[str, Any]:
    drafts = sorted(drafts, key=lambda draft: draft.id)  # so are they locked
    columns: dict[str, Any] = {name: [getattr(d, name) for d in drafts] for name in COLUMNS}
    columns["occurred_at"] = [min(d.occurred_at, now) for d in drafts]
    columns["row"] = [d.row if d.row in ROWS else "" for d in drafts]
    columns["people"] = _subjects(drafts, Event.Kind.PERSON)
    columns["genres"] = _subjects(drafts, Event.Kind.GENRE)
    return {**columns, **visit.columns, "visit_id": visit.id, "received_at": now}


def _subjects(drafts: Sequence[EventDraft], kind: str) -> list[int]:
    """Return the numbers of the people or genres that events of this kind are about."""
    return [draft.subject for draft in drafts if draft.kind == kind and draft.subject]


_KNOWN = Query(SQL / "known_of_batch.sql")
_INSERT = Query(SQL / "insert_events.sql")
_INSERT_AND_VERSIONS = Queries(_INSERT, READ_VERSION)


def _reason_to_refuse(
    visit: CurrentVisit, draft: EventDraft, known: _Known, now: datetime
) -> str | None:
    return (
        _wrong_time(draft, now)
        or _wrong_title(draft, known)
        or _wrong_slate(draft, known)
        or _wrong_value(visit, draft)
    )


def _too_many(visit: CurrentVisit, draft: EventDraft, visit_events: int) -> str | None:
    """Return why a visit of so many events takes no more of this kind; a simulated one does."""
    if visit.is_simulated:
        return None
    is_frequent = draft.kind in Event.TOO_MANY
    limit = settings.VISIT_EVENTS if is_frequent else 2 * settings.VISIT_EVENTS
    return None if visit_events < limit else f"this visit has {limit} events, the most that it may"


def _wrong_time(draft: EventDraft, now: datetime) -> str | None:
    if draft.occurred_at > now + FUTURE_ALLOWED:
        return f"occurred_at {draft.occurred_at.isoformat()} is in the future: set the clock"
    if draft.occurred_at < now - PAST_ALLOWED:
        return f"occurred_at {draft.occurred_at.isoformat()} is over {PAST_ALLOWED.days} days ago"
    return None


def _wrong_title(draft: EventDraft, known: _Known) -> str | None:
    if draft.kind in SUBJECTS:
        is_known = (draft.kind, draft.subject) in known.subjects
        return None if is_known else f"there is no {draft.kind} {draft.subject}"
    if draft.title_id is None:
        return None if draft.kind == Event.Kind.SEARCH else f"a {draft.kind} needs a title"
    return None if draft.title_id in known.titles else f"there is no title {draft.title_id}"


def _wrong_slate(draft: EventDraft, known: _Known) -> str | None:
    if draft.slate_id is None or draft.slate_id in known.slate_ids:
        return None
    return f"slate {draft.slate_id} was not shown to this viewer"


def _wrong_value(visit: CurrentVisit, draft: EventDraft) -> str | None:
    allowed = VALUES.get(draft.kind)
    if allowed is None:
        return None
    if draft.value not in allowed:
        return f"the value of a {draft.kind} must be one of {', '.join(allowed)}"
    is_allowed = visit.profile is not None or draft.value in OF_VISIT
    return None if is_allowed else f"a {draft.kind} needs a profile: log in first"


def _apply(profile: Profile, draft: EventDraft) -> None:
    """Make the profile's state what the event says; doing it twice changes nothing more."""
    if draft.value in OF_VISIT:
        return
    if draft.kind in MARKS:
        _apply_mark(profile, MARKS[draft.kind], draft)
    elif draft.title_id is None:
        return
    elif draft.kind == Event.Kind.THUMB:
        _apply_thumb(profile, draft.title_id, draft)
    elif draft.kind == Event.Kind.FORGET:
        change = forget if draft.value == "remove" else take_back
        change(profile, draft.title_id, draft.occurred_at)


def _apply_mark(profile: Profile, mark: MarkKind, draft: EventDraft) -> None:
    about = {mark.about: draft.subject if draft.kind in SUBJECTS else draft.title_id}
    marks = mark.model._default_manager.filter(profile=profile, **about)
    if draft.value == mark.set_by:
        marks.get_or_create(profile=profile, **about, defaults={"at": draft.occurred_at})
    else:
        marks.delete()


def _apply_thumb(profile: Profile, title_id: int, draft: EventDraft) -> None:
    ratings = Rating.objects.filter(profile=profile, title_id=title_id)
    if draft.value == "clear":
        ratings.filter(rated_at__lte=draft.occurred_at).delete()
        return
    is_stars = draft.value in STARS
    stars = float(draft.value) if is_stars else Rating.STARS_OF_THUMB[Rating.Thumb(draft.value)]
    if not ratings.filter(rated_at__lte=draft.occurred_at).update(
        stars=stars, rated_at=draft.occurred_at
    ):
        Rating.objects.get_or_create(
            profile=profile,
            title_id=title_id,
            defaults={"stars": stars, "rated_at": draft.occurred_at},
        )
