"""GET /api/v1/search?q=: titles that match a text, in this viewer's order.

Where nothing was typed, or nothing matches, `titles` are suggestions for this visit.
"""

import time
from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from search.errors import SearchError
from webapp.api.throttling import SearchThrottle
from webapp.engine.responses import prequery, search
from webapp.events.clock import now_of
from webapp.events.middleware import VisitRequest


class FoundTitleSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    url = serializers.CharField()


class SearchAnswerSerializer(serializers.Serializer[Any]):
    slate = serializers.UUIDField()
    query = serializers.CharField()
    corrected = serializers.CharField(allow_null=True)
    are_suggestions = serializers.BooleanField()
    titles = FoundTitleSerializer(many=True)
    took_ms = serializers.FloatField()


class SearchView(APIView):
    """Search the catalogue by title, person, genre and year; a mistake or two is forgiven."""

    throttle_classes = [SearchThrottle]

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "q", str, description="What to look for; without it, what to suggest in this visit."
            )
        ],
        responses={200: SearchAnswerSerializer},
    )
    def get(self, request: Request) -> Response:
        began = time.perf_counter()
        visit = cast(VisitRequest, request._request).visit
        try:
            text = request.query_params.get("q", "")
            now = now_of(request._request)
            page = search(visit, text, now) if text.strip() else prequery(visit, now)
        except SearchError as error:
            raise ValidationError({"q": [str(error)]}) from error
        return Response(
            {
                "slate": page.slate_id,
                "query": page.text,
                "corrected": page.corrected,
                "are_suggestions": not page.slots,
                "titles": [
                    {
                        "id": slot.title.pk,
                        "name": slot.title.name,
                        "year": slot.title.year,
                        "url": slot.title.get_absolute_url(),
                    }
                    for slot in page.slots or (page.suggestions.slots if page.suggestions else [])
                ],
                "took_ms": round((time.perf_counter() - began) * 1000, 2),
            }
        )
