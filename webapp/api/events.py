"""POST /api/v1/events: records a batch of events and reports each refused one with its reason."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.api.event_drafts import read_event
from webapp.api.refusals import refusals
from webapp.api.throttling import EventsADayThrottle, EventsThrottle
from webapp.events.clock import now_of
from webapp.events.ingest import EventDraft, IngestReport, record_events
from webapp.events.middleware import visit_of

MAX_BATCH = 500
TOO_MANY_TODAY = "more events came from this viewer within a day than are kept"
EXAMPLE = {
    "sent_at": "2026-03-01T20:15:03Z",
    "events": [
        {
            "id": "0b0e7b1c-3c1b-4f43-9d4e-6f0f5a3a9c11",
            "kind": "open",
            "title": 42,
            "occurred_at": "2026-03-01T20:15:00Z",
            "surface": "home",
            "row": "top_picks",
            "slot": 3,
        }
    ],
}
SHIFT_FROM = timedelta(seconds=60)
"""A browser's clock that is no further off is believed."""


class BatchSerializer(serializers.Serializer[Any]):
    sent_at = serializers.JSONField(
        required=False,
        help_text="The client's clock as it sends, in ISO 8601 with its zone. One that is over a "
        "minute off is corrected for; what is no time is not looked at.",
    )
    events = serializers.ListField(
        child=serializers.DictField(), allow_empty=False, min_length=1, max_length=MAX_BATCH
    )


class ErrorSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The event's place in the batch, from 0.")
    id = serializers.CharField(allow_null=True)
    reason = serializers.CharField()


class ReportSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField(help_text="On disk now.")
    repeated = serializers.IntegerField(help_text="On disk before; nothing changed.")
    paused = serializers.IntegerField(help_text="Not kept: the profile's history is paused.")
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # shadows a property


class EventsView(APIView):
    """Record events of the current visit. Invalid ones are reported and the others recorded."""

    throttle_classes = [EventsThrottle]

    @extend_schema(
        request=BatchSerializer,
        responses={200: ReportSerializer, **refusals(400, 403, 415, 429)},
        examples=[OpenApiExample("A title was opened", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        drafts: list[EventDraft] = []
        positions: list[int] = []
        errors: list[dict[str, Any]] = []
        events = _events_of(request.data)
        is_within = EventsADayThrottle(len(events)).allow_request(request, self)
        for index, event in enumerate(events):
            draft = read_event(event) if is_within else TOO_MANY_TODAY
            if isinstance(draft, EventDraft):
                drafts.append(draft)
                positions.append(index)
            else:
                errors.append({"index": index, "id": _id_of(event), "reason": draft})
        visit, now = visit_of(request._request), now_of(request._request)
        drafts = _corrected(drafts, request.data, now)
        report = record_events(visit, drafts, now) if drafts else IngestReport()
        errors += [
            {"index": positions[refused.index], "id": str(refused.id), "reason": refused.reason}
            for refused in report.errors
        ]
        body = {
            "accepted": report.accepted,
            "repeated": report.repeated,
            "paused": report.paused,
            "errors": sorted(errors, key=lambda error: int(error["index"])),
        }
        return Response(body, status=status.HTTP_200_OK)


def _id_of(event: dict[str, Any]) -> str | None:
    """Return the event's id to answer with, None where it is none: it may be of any size."""
    try:
        return str(uuid.UUID(event["id"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _corrected(drafts: list[EventDraft], body: Any, now: datetime) -> list[EventDraft]:
    """Return the events by our clock, if the batch says what the client's was."""
    try:
        ahead = datetime.fromisoformat(body.get("sent_at")) - now
        if abs(ahead) <= SHIFT_FROM:
            return drafts
        return [replace(draft, occurred_at=draft.occurred_at - ahead) for draft in drafts]
    except (TypeError, ValueError, OverflowError):  # it says nothing that could be used
        return drafts


def _events_of(body: Any) -> list[dict[str, Any]]:
    """Return a batch's events.

    Raises:
        ValidationError: it is no batch.
    """
    events = body.get("events") if isinstance(body, dict) else None
    is_batch = isinstance(events, list) and 0 < len(events) <= MAX_BATCH
    if is_batch and all(type(event) is dict for event in events or ()):
        return list(events or ())
    batch = BatchSerializer(data=body)
    batch.is_valid(raise_exception=True)
    return list(batch.validated_data["events"])
