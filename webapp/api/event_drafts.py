"""Events as JSON in, drafts or the reasons to refuse them out.

An event in the form in which this site's own script sends it is read on plain types, which takes
microseconds; any other goes through the serializer, which also accepts what is unusual (a number as
text, a time without a zone) and words every refusal.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from webapp.events.ingest import EventDraft
from webapp.events.models import LONGEST_QUERY, SURFACES, Event

DAY_SECONDS = 86_400
LARGEST_ID = 2**63 - 1
LAST_SLOT = 10_000
LONGEST_ROW, LONGEST_VALUE = 40, 10
KINDS = frozenset(Event.Kind.values)
SURFACE_NAMES = frozenset(["", *(name for name, _ in SURFACES)])


class EventSerializer(serializers.Serializer[EventDraft]):
    """One event. The client makes its id, so an event sent twice is recorded once."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Event.Kind.choices)
    title = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, allow_null=True, default=None
    )
    occurred_at = serializers.DateTimeField()
    surface = serializers.ChoiceField(choices=SURFACES, default="", allow_blank=True)
    slate = serializers.UUIDField(allow_null=True, default=None)
    row = serializers.CharField(max_length=LONGEST_ROW, default="", allow_blank=True)
    slot = serializers.IntegerField(min_value=0, max_value=LAST_SLOT, allow_null=True, default=None)
    position_seconds = serializers.IntegerField(
        min_value=0, max_value=DAY_SECONDS, allow_null=True, default=None
    )
    duration_seconds = serializers.IntegerField(
        min_value=0, max_value=DAY_SECONDS, allow_null=True, default=None
    )
    value = serializers.CharField(max_length=LONGEST_VALUE, default="", allow_blank=True)
    query = serializers.CharField(max_length=LONGEST_QUERY, default="", allow_blank=True)
    subject = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, allow_null=True, default=None
    )


def read_event(event: Mapping[str, Any]) -> EventDraft | str:
    """Return the draft, or the reason to refuse the event: the problems of each field in a line."""
    draft = read_plain(event)
    return read_by_serializer(event) if draft is None else draft


def read_plain(event: Mapping[str, Any]) -> EventDraft | None:
    """Return the draft of an event in its usual form; None of any other."""
    get = event.get
    kind, surface = get("kind"), get("surface", "")
    title, subject, slot = get("title"), get("subject"), get("slot")
    position, duration = get("position_seconds"), get("duration_seconds")
    row, value, query = get("row", ""), get("value", ""), get("query", "")
    if not (
        type(kind) is str
        and kind in KINDS
        and type(surface) is str
        and surface in SURFACE_NAMES
        and _is_number(title, 1, LARGEST_ID)
        and _is_number(subject, 1, LARGEST_ID)
        and _is_number(slot, 0, LAST_SLOT)
        and _is_number(position, 0, DAY_SECONDS)
        and _is_number(duration, 0, DAY_SECONDS)
        and _is_text(row, LONGEST_ROW)
        and _is_text(value, LONGEST_VALUE)
        and _is_text(query, LONGEST_QUERY)
    ):
        return None
    try:
        id_, slate = get("id"), get("slate")
        at = datetime.fromisoformat(get("occurred_at"))  # type: ignore[arg-type]
        if type(id_) is not str or at.tzinfo is None:
            return None
        return EventDraft(
            uuid.UUID(id_), kind, title, at.astimezone(UTC), surface,
            None if slate is None else uuid.UUID(slate),
            row, slot, position, duration, value, query, subject,
        )  # fmt: skip
    except (ValueError, TypeError, AttributeError, OverflowError):
        return None


def read_by_serializer(event: Mapping[str, Any]) -> EventDraft | str:
    """Return the draft of any event, or the reason to refuse it."""
    serializer = EventSerializer(data=event)
    if serializer.is_valid():
        renamed = {"title": "title_id", "slate": "slate_id"}
        values = serializer.validated_data.items()
        return EventDraft(**{renamed.get(name, name): value for name, value in values})
    return "; ".join(
        f"{name}: {' '.join(str(problem) for problem in problems)}"
        for name, problems in serializer.errors.items()
    )


def _is_number(value: object, least: int, most: int) -> bool:
    return value is None or (type(value) is int and least <= value <= most)


def _is_text(value: object, longest: int) -> bool:
    """Whether it is a text that needs no trimming and holds nothing a database refuses."""
    return value == "" or (
        type(value) is str
        and len(value) <= longest
        and value.isprintable()
        and not (value[0].isspace() or value[-1].isspace())
    )
