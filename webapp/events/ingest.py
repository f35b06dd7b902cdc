"""Accept events at least once and keep each exactly once; what they change is changed with them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from webapp.catalog.models import Title
from webapp.events.models import Event, Slate
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import HiddenTitle, ListEntry, Profile, Rating

FUTURE_ALLOWED = timedelta(minutes=5)
PAST_ALLOWED = timedelta(days=7)

VALUES: dict[str, tuple[str, ...]] = {
    Event.Kind.THUMB: ("up", "down", "love", "clear"),
    Event.Kind.LIST: ("add", "remove"),
    Event.Kind.HIDE: ("hide", "show"),
}
"""What an event of these kinds must say in its value."""

MARKS: dict[str, tuple[type[ListEntry] | type[HiddenTitle], str, str]] = {
    Event.Kind.LIST: (ListEntry, "add", "added_at"),
    Event.Kind.HIDE: (HiddenTitle, "hide", "hidden_at"),
}
"""What each kind sets or takes away, the value that sets it, and where its time is kept."""


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


def record_events(visit: CurrentVisit, drafts: Sequence[EventDraft], now: datetime) -> IngestReport:
    """Write the events and apply what they say (thumbs, list, hidden titles).

    A repeat is counted and changes nothing. A bad event is refused with its reason and the rest
    is kept. When this returns, what it counted as accepted is committed (unless the caller holds
    a transaction of its own). Five queries for a batch that changes no list or rating.

    While a profile's history is paused nothing is written and nothing applied.
    """
    if visit.is_paused:
        return IngestReport(paused=len(drafts))
    report = IngestReport()
    known = _Known.of(visit, drafts)
    accepted: dict[uuid.UUID, EventDraft] = {}
    for index, draft in enumerate(drafts):
        if draft.id in known.event_ids or draft.id in accepted:
            report.repeated += 1
        elif reason := _reason_to_refuse(visit, draft, known, now):
            report.errors.append(Refusal(index, draft.id, reason))
        else:
            accepted[draft.id] = draft
    if accepted:
        with transaction.atomic():
            visit.record()
            Event.objects.bulk_create(
                [_event(visit, draft, now) for draft in accepted.values()],
                ignore_conflicts=True,
            )
            if visit.profile:
                for draft in accepted.values():
                    _apply(visit.profile, draft)
    report.accepted = len(accepted)
    return report


@dataclass(frozen=True)
class _Known:
    """What the database knows of the ids in a batch. Three queries."""

    event_ids: set[uuid.UUID]
    title_ids: set[int]
    slate_ids: set[uuid.UUID]
    """Slates shown to this viewer: in this visit, the one before, or any of the profile's."""

    @classmethod
    def of(cls, visit: CurrentVisit, drafts: Sequence[EventDraft]) -> "_Known":
        slates = Slate.objects.filter(pk__in={d.slate_id for d in drafts if d.slate_id})
        if visit.profile:
            slates = slates.filter(visit__profile=visit.profile)
        else:
            slates = slates.filter(
                visit__in=[id_ for id_ in (visit.id, visit.previous_id) if id_],
                visit__profile=None,
            )
        titles = Title.objects.filter(pk__in={d.title_id for d in drafts if d.title_id})
        events = Event.objects.filter(pk__in={d.id for d in drafts})
        return cls(
            set(events.values_list("pk", flat=True)),
            set(titles.values_list("pk", flat=True)),
            set(slates.values_list("pk", flat=True)),
        )


def _reason_to_refuse(
    visit: CurrentVisit, draft: EventDraft, known: _Known, now: datetime
) -> str | None:
    return (
        _wrong_time(draft, now)
        or _wrong_title(draft, known)
        or _wrong_slate(draft, known)
        or _wrong_value(visit, draft)
    )


def _wrong_time(draft: EventDraft, now: datetime) -> str | None:
    if draft.occurred_at > now + FUTURE_ALLOWED:
        return f"occurred_at {draft.occurred_at.isoformat()} is in the future: set the clock"
    if draft.occurred_at < now - PAST_ALLOWED:
        return f"occurred_at {draft.occurred_at.isoformat()} is over {PAST_ALLOWED.days} days ago"
    return None


def _wrong_title(draft: EventDraft, known: _Known) -> str | None:
    if draft.title_id is None:
        return None if draft.kind == Event.Kind.SEARCH else f"a {draft.kind} needs a title"
    return None if draft.title_id in known.title_ids else f"there is no title {draft.title_id}"


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
    return None if visit.profile else f"a {draft.kind} needs a profile: log in first"


def _event(visit: CurrentVisit, draft: EventDraft, now: datetime) -> Event:
    return Event(
        id=draft.id,
        visit_id=visit.id,
        profile=visit.profile,
        kind=draft.kind,
        title_id=draft.title_id,
        occurred_at=min(draft.occurred_at, now),
        received_at=now,
        surface=draft.surface,
        slate_id=draft.slate_id,
        row=draft.row,
        slot=draft.slot,
        position_seconds=draft.position_seconds,
        duration_seconds=draft.duration_seconds,
        value=draft.value,
        query=draft.query,
    )


def _apply(profile: Profile, draft: EventDraft) -> None:
    """Make the profile's state what the event says; doing it twice changes nothing more."""
    if draft.title_id is None:
        return
    if draft.kind == Event.Kind.THUMB:
        _apply_thumb(profile, draft.title_id, draft)
    elif draft.kind in MARKS:
        mark, set_by, time_field = MARKS[draft.kind]
        marks = mark.objects.filter(profile=profile, title_id=draft.title_id)
        if draft.value != set_by:
            marks.delete()
        else:
            mark.objects.get_or_create(
                profile=profile,
                title_id=draft.title_id,
                defaults={time_field: draft.occurred_at},
            )


def _apply_thumb(profile: Profile, title_id: int, draft: EventDraft) -> None:
    ratings = Rating.objects.filter(profile=profile, title_id=title_id)
    if draft.value == "clear":
        ratings.filter(rated_at__lte=draft.occurred_at).delete()
        return
    stars = Rating.STARS_OF_THUMB[Rating.Thumb(draft.value)]
    if not ratings.filter(rated_at__lte=draft.occurred_at).update(
        stars=stars, rated_at=draft.occurred_at
    ):
        Rating.objects.get_or_create(
            profile=profile,
            title_id=title_id,
            defaults={"stars": stars, "rated_at": draft.occurred_at},
        )
