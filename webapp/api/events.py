"""POST /api/v1/events: records a batch of events and reports each refused one with its reason."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.api.throttling import EventsThrottle
from webapp.events.clock import now_of
from webapp.events.ingest import EventDraft, IngestReport, record_events
from webapp.events.middleware import visit_of
from webapp.events.models import LONGEST_QUERY, SURFACES, Event

MAX_BATCH = 500
DAY_SECONDS = 86_400


class EventSerializer(serializers.Serializer[EventDraft]):
    """One event. The client makes its id, so an event sent twice is recorded once."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Event.Kind.choices)
    title = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, allow_null=True, default=None
    )
    occurred_at = serializers.DateTimeField()
    surface = serializers.ChoiceField(choices=SURFACES, default="", allow_blank=True)
    slate = serializers.UUIDField(allow_null=True, default=None)
    row = serializers.CharField(max_length=40, default="", allow_blank=True)
    slot = serializers.IntegerField(min_value=0, max_value=10_000, allow_null=True, default=None)
    position_seconds = serializers.IntegerField(
        min_value=0, max_value=DAY_SECONDS, allow_null=True, default=None
    )
    duration_seconds = serializers.IntegerField(
        min_value=0, max_value=DAY_SECONDS, allow_null=True, default=None
    )
    value = serializers.CharField(max_length=10, default="", allow_blank=True)
    query = serializers.CharField(max_length=LONGEST_QUERY, default="", allow_blank=True)
    subject = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, allow_null=True, default=None
    )


class BatchSerializer(serializers.Serializer[Any]):
    events = serializers.ListField(
        child=serializers.DictField(), allow_empty=False, max_length=MAX_BATCH
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

    @extend_schema(request=BatchSerializer, responses={200: ReportSerializer})
    def post(self, request: Request) -> Response:
        batch = BatchSerializer(data=request.data)
        batch.is_valid(raise_exception=True)
        drafts: list[EventDraft] = []
        positions: list[int] = []
        errors: list[dict[str, Any]] = []
        for index, fields in enumerate(batch.validated_data["events"]):
            event = EventSerializer(data=fields)
            if event.is_valid():
                drafts.append(_draft(event.validated_data))
                positions.append(index)
            else:
                errors.append({"index": index, "id": fields.get("id"), "reason": _reason(event)})
        visit = visit_of(request._request)
        report = (
            record_events(visit, drafts, now_of(request._request)) if drafts else IngestReport()
        )
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


def _draft(fields: dict[str, Any]) -> EventDraft:
    renamed = {"title": "title_id", "slate": "slate_id"}
    return EventDraft(**{renamed.get(name, name): value for name, value in fields.items()})


def _reason(event: EventSerializer) -> str:
    """Return the problems of each field in one line."""
    return "; ".join(
        f"{name}: {' '.join(str(problem) for problem in problems)}"
        for name, problems in event.errors.items()
    )
