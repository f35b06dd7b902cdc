"""GET /api/v1/search and /api/v1/suggest: what a text means, in this viewer's order.

Without a text both answer with titles for this visit.
"""

import re
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from search.engine import Hit
from search.errors import FacetError, SearchError
from search.facets import FIXED, LONGEST_VALUE, Facet, FacetCount
from search.query import MAX_CHARACTERS, FilterKind
from search.retrieve import Band
from search.text import VISIBLE
from webapp.api.refusals import refusals
from webapp.api.throttling import SearchThrottle, SuggestThrottle
from webapp.catalog.models import Genre, Person, Title
from webapp.catalog.posters import poster_url
from webapp.discovery.hits import SEARCH_HITS
from webapp.discovery.selection import MOST_CHOSEN, Selection, Sort
from webapp.engine.cards import TitleFacts
from webapp.engine.page_views import SearchPage
from webapp.engine.responses import prequery, search, typed
from webapp.engine.views import RowView, SlotView
from webapp.engine.wording import facet_label
from webapp.events.clock import now_of
from webapp.events.middleware import visit_of
from webapp.events.searches import forget_search
from webapp.events.visits import CurrentVisit
from webapp.rules.search_rules import search_rules


class ScoreSerializer(serializers.Serializer[Any]):
    """Why a title stands where it does: evidence, then the chance or else the sum of parts."""

    evidence = serializers.CharField(
        help_text="How the text matches, which no taste outweighs, best first: "
        + ", ".join(band.name.lower() for band in Band if band != Band.NONE)
        + "; or meaning."
    )
    parts = serializers.DictField(
        child=serializers.FloatField(),
        help_text="What ordered it among equal evidence before any ranker, by name.",
    )
    chance = serializers.FloatField(
        allow_null=True, help_text="The ranker's, which has the last word where there is one."
    )


class TitleSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    genre = serializers.CharField(allow_null=True, help_text="Its first.")
    url = serializers.CharField()
    poster = serializers.CharField()
    row = serializers.CharField(help_text="For events: the slate's row.")
    slot = serializers.IntegerField(help_text="For events: its place there, from 0.")
    score = ScoreSerializer(required=False, help_text="With explain=1.")


class NamedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    url = serializers.CharField()


class FilterSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=[kind.value for kind in FilterKind])
    value = serializers.CharField()
    is_negated = serializers.BooleanField()
    without = serializers.CharField(help_text="The text that is left without this filter.")


class FacetSerializer(serializers.Serializer[Any]):
    facet = serializers.ChoiceField(choices=[facet.value for facet in Facet])
    value = serializers.CharField(help_text="As a parameter named for the facet takes it.")
    words = serializers.CharField(help_text="As pages show it.")
    count = serializers.IntegerField(
        help_text="How many titles that match have it, under what is chosen of other facets; of "
        "genres, under the genres chosen too."
    )
    is_chosen = serializers.BooleanField()


class SearchAnswerSerializer(serializers.Serializer[Any]):
    slate = serializers.UUIDField(help_text="Name it in events about what was shown here.")
    surface = serializers.CharField()
    query = serializers.CharField()
    corrected = serializers.CharField(
        allow_null=True, help_text="What was meant, but for mistakes."
    )
    filters = FilterSerializer(many=True)
    titles = TitleSerializer(many=True)
    total = serializers.IntegerField(help_text="How many titles match as chosen, on all pages.")
    page = serializers.IntegerField(help_text="Of the pages, from 1.")
    pages = serializers.IntegerField()
    facets = FacetSerializer(
        many=True, help_text="What would narrow the titles that match; /search alone counts them."
    )
    people = NamedSerializer(many=True)
    genres = NamedSerializer(many=True)
    near = TitleSerializer(many=True, help_text="Near in meaning, where few titles match.")
    unavailable = serializers.ListField(
        child=serializers.CharField(), help_text="Titles that match and are not to be had here."
    )
    suggestions = TitleSerializer(
        many=True, help_text="Where nothing was typed, or nothing at all was found."
    )
    recent = serializers.ListField(
        child=serializers.CharField(),
        help_text="What this viewer searched for lately, newest first; where nothing was typed.",
    )
    trending = serializers.ListField(
        child=serializers.CharField(), help_text="What many search for; where nothing was typed."
    )
    redirect = serializers.CharField(
        allow_null=True, help_text="The page that operators lead this text to, instead of results."
    )
    took_ms = serializers.FloatField()


PAGE = re.compile(r"[1-9]\d{0,5}", re.ASCII)
SOME_TEXT = {"type": "string", "minLength": 1, "pattern": VISIBLE}
PARAMETERS = [
    OpenApiParameter(
        "q",
        {"type": "string", "maxLength": MAX_CHARACTERS},
        description="What was typed; without it, what to suggest now.",
    ),
    OpenApiParameter(
        "explain", str, enum=["0", "1"], description="1 adds the parts of every score."
    ),
]


def _of_facet(facet: Facet, words: str, value: dict[str, Any] | None = None) -> OpenApiParameter:
    """Return a facet's parameter, which may be repeated; `value` is the schema of one value."""
    one = value or {"type": "string", "enum": list(FIXED[facet])}
    schema = {"type": "array", "items": one, "maxItems": MOST_CHOSEN}
    return OpenApiParameter(facet.value, schema, description=words)


_NAME = SOME_TEXT | {"maxLength": LONGEST_VALUE}
_DECADE = {"type": "string", "pattern": r"^[1-9][0-9][0-9]0s$"}
NARROWING = [
    _of_facet(Facet.GENRE, "Its name. Of several all must hold.", _NAME),
    _of_facet(
        Facet.DECADE, "As 1990s. Of several values of any other facet one must hold.", _DECADE
    ),
    _of_facet(Facet.LANGUAGE, "Its name, as the catalogue has it.", _NAME),
    _of_facet(Facet.LENGTH, "In minutes."),
    _of_facet(Facet.AGE, "What may be watched at this age."),
    _of_facet(Facet.KIND, "Films or series."),
    _of_facet(Facet.SEEN, "Whether this viewer rated or watched it."),
    OpenApiParameter(
        "sort",
        str,
        enum=[sort.value for sort in Sort],
        description="match: as it matches; the latest year, what came last into the catalogue, "
        "what most people like or the shortest first, each behind what holds the words as typed.",
    ),
    OpenApiParameter(
        "page",
        {"type": "integer", "minimum": 1, "maximum": 999_999},
        description=f"From 1; {SEARCH_HITS} titles each.",
    ),
]


class _AnswerView(APIView):
    def find(self, request: Request, visit: CurrentVisit, text: str, now: datetime) -> SearchPage:
        """Answer a text that is not blank."""
        raise NotImplementedError

    def check(self, request: Request) -> None:
        """Raise FacetError if a parameter has no such value."""

    def answer(self, request: Request) -> Response:
        began = time.perf_counter()
        if request.query_params.get("explain", "0") not in ("0", "1"):
            raise ValidationError({"explain": ["Give 0 or 1."]})
        visit = visit_of(request._request)
        text, now = request.query_params.get("q", ""), now_of(request._request)
        try:
            self.check(request)
            is_blank = not text.strip()
            page = prequery(visit, now) if is_blank else self.find(request, visit, text, now)
        except FacetError as error:
            raise ValidationError({error.parameter: [str(error)]}) from error
        except SearchError as error:
            raise ValidationError({"q": [str(error)]}) from error
        body = _body(page, is_explained=request.query_params.get("explain") == "1")
        body["redirect"] = search_rules.get().redirect(text, now) or None
        return Response(body | {"took_ms": round((time.perf_counter() - began) * 1000, 2)})


class SearchView(_AnswerView):
    """Search titles, people and genres; filters in the text are understood, mistakes forgiven."""

    throttle_classes = [SearchThrottle]

    @extend_schema(
        parameters=[*PARAMETERS, *NARROWING],
        responses={200: SearchAnswerSerializer, **refusals(400, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        return self.answer(request)

    def find(self, request: Request, visit: CurrentVisit, text: str, now: datetime) -> SearchPage:
        selection, number = self._asked(request)
        return search(visit, text, now, selection, number)

    def check(self, request: Request) -> None:
        """Raise FacetError if a parameter has no such value, whatever was typed."""
        self._asked(request)

    @staticmethod
    def _asked(request: Request) -> tuple[Selection, int]:
        """Return what is chosen and which page.

        Raises:
            FacetError: a parameter has no such value.
        """
        number = request.query_params.get("page", "1")
        if not PAGE.fullmatch(number):
            raise FacetError("page", f"Give a number from 1, not “{number[:40]}”.")
        return Selection.parse(dict(request.query_params.lists())), int(number)


class SuggestView(_AnswerView):
    """The first of what a search would find, for every keystroke."""

    throttle_classes = [SuggestThrottle]

    @extend_schema(
        parameters=PARAMETERS, responses={200: SearchAnswerSerializer, **refusals(400, 403, 429)}
    )
    def get(self, request: Request) -> Response:
        return self.answer(request)

    def find(self, request: Request, visit: CurrentVisit, text: str, now: datetime) -> SearchPage:
        return typed(visit, text, now)


class RecentSearchView(APIView):
    """Forget one of the viewer's own searches. Safe to repeat."""

    throttle_classes = [SearchThrottle]

    @extend_schema(
        parameters=[OpenApiParameter("q", SOME_TEXT, required=True, description="Its text.")],
        responses={204: None, **refusals(400, 403, 429)},
    )
    def delete(self, request: Request) -> Response:
        text = request.query_params.get("q", "").replace("\0", "").strip()
        if not re.search(VISIBLE, text):
            raise ValidationError({"q": ["Name the text that is to be forgotten."]})
        forget_search(visit_of(request._request), text)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _body(page: SearchPage, *, is_explained: bool) -> dict[str, Any]:
    result = page.result
    hits = {hit.id: hit for hit in (*result.hits, *result.near)} if is_explained else {}
    return {
        "slate": page.slate_id,
        "surface": page.surface,
        "query": page.text,
        "corrected": result.corrected,
        "filters": [
            {
                "kind": each.kind.value,
                "value": each.value,
                "is_negated": each.is_negated,
                "without": each.without,
            }
            for each in result.filters
        ],
        "titles": list(_titles(page.results, hits)),
        "total": page.total,
        "page": page.number,
        "pages": page.num_pages,
        "facets": [_facet(each) for each in page.facets],
        "people": [_named(person) for person in page.people],
        "genres": [_named(genre) for genre in page.genres],
        "near": list(_titles(page.near, hits)),
        "unavailable": list(result.unavailable),
        "suggestions": list(_titles(page.suggestions, hits)),
        "recent": page.recent,
        "trending": page.trending,
    }


def _titles(row: RowView | None, hits: dict[int, Hit]) -> Iterable[dict[str, Any]]:
    for slot in row.slots if row else ():
        facts = slot.facts.get(slot.title.pk)
        if facts is None:
            facts = slot.facts[slot.title.pk] = _facts(slot.title)
        title = {**facts, "row": row.kind if row else "", "slot": slot.slot}
        hit = hits.get(slot.title.pk)
        yield title | {"score": _score(slot, hit)} if hit else title


def _facts(title: Title) -> TitleFacts:
    genres = title.genre_list
    return {
        "id": title.pk,
        "name": title.name,
        "year": title.year,
        "genre": genres[0].name if genres else None,
        "url": title.get_absolute_url(),
        "poster": poster_url(title),
    }


def _score(slot: SlotView, hit: Hit) -> dict[str, Any]:
    """The parts of a score; the slot's own score is the ranker's click probability, if any."""
    if "meaning" in hit.parts:
        return {"evidence": "meaning", "parts": dict(hit.parts), "chance": None}
    return {
        "evidence": hit.band.name.lower(),
        "parts": dict(hit.parts),
        "chance": slot.score or None,
    }


def _facet(of: FacetCount) -> dict[str, Any]:
    return {
        "facet": of.value.facet.value,
        "value": of.value.value,
        "words": facet_label(of.value),
        "count": of.count,
        "is_chosen": of.is_chosen,
    }


def _named(named: Person | Genre) -> dict[str, str]:
    if isinstance(named, Genre):
        return {"name": named.name, "url": reverse("genre", args=[named.slug])}
    return {"name": named.name, "url": named.get_absolute_url()}
