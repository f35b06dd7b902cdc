"""The pages a viewer walks through: home, title, watch, search, genre, My List."""

import uuid
from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from search.errors import SearchError
from webapp.catalog.models import Credit, Genre, Title, TitleQuerySet
from webapp.engine import responses
from webapp.events.ingest import EventDraft, record_events
from webapp.events.middleware import VisitRequest
from webapp.events.models import Event, Surface
from webapp.events.sessions import Playback, playbacks_of
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import HiddenTitle, ListEntry, Profile, Rating

GENRE_PAGE = 48
FEATURED = ("top_picks", "trending", "popular")
"""The first of these rows lends its first title to the top of the home page."""


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    page = responses.home(_visit(request), timezone.now())
    featured = next((row for row in page.rows if row.kind in FEATURED), None)
    return render(request, "pages/home.html", {"page": page, "featured": featured})


@require_safe
def title(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """A title's details. Opening it is an event, recorded here so that it needs no script."""
    found = get_object_or_404(_titles_with_credits(), pk=pk)
    if slug != found.slug:
        return redirect(found, permanent=True)
    visit, now = _visit(request), timezone.now()
    record_events(visit, [_open(request, found)], now)
    context = {
        "title": found,
        "credits": _people_by_role(found),
        "page": responses.title_page(visit, found, now),
        "state": _state(visit.profile, found),
        "playback": _playback(visit, found),
    }
    return render(request, "pages/title.html", context)


@require_safe
def watch(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Title, pk=pk)
    playback = _playback(_visit(request), found)
    start = playback.position_seconds if playback and playback.is_unfinished else 0
    return render(request, "pages/watch.html", {"title": found, "start_seconds": start})


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Results as a page, or as the fragment that replaces them while typing."""
    text = request.GET.get("q", "")
    template = "pages/_results.html" if getattr(request, "htmx", False) else "pages/search.html"
    if not text.strip():
        return render(request, template, {"text": ""})
    try:
        page = responses.search(_visit(request), text, timezone.now())
    except SearchError as error:
        return render(request, template, {"text": text[:200], "error": str(error)}, status=400)
    return render(request, template, {"text": text, "page": page})


@require_safe
def genre(request: HttpRequest, slug: str) -> HttpResponse:
    """All titles of a genre, those most people rated first."""
    found = get_object_or_404(Genre, slug=slug)
    titles = (
        found.titles.defer("plot")
        .annotate(num_ratings=Count("ratings"))
        .order_by("-num_ratings", "name", "pk")
    )
    page = Paginator(titles, GENRE_PAGE).get_page(request.GET.get("page"))
    return render(request, "pages/genre.html", {"genre": found, "page": page})


@login_required
@require_safe
def my_list(request: HttpRequest) -> HttpResponse:
    profile = _visit(request).profile
    if profile is None:
        return redirect("profiles")
    entries = ListEntry.objects.filter(profile=profile).select_related("title")
    return render(request, "pages/my_list.html", {"titles": [entry.title for entry in entries]})


def _visit(request: HttpRequest) -> CurrentVisit:
    return cast(VisitRequest, request).visit


def _titles_with_credits() -> TitleQuerySet:
    people = Prefetch("credits", Credit.objects.select_related("person"))
    return Title.objects.prefetch_related("genres", people)


def _open(request: HttpRequest, found: Title) -> EventDraft:
    """The event of opening a title; a link from a row says where it stood."""
    slot = request.GET.get("slot", "")
    return EventDraft(
        uuid.uuid4(),
        Event.Kind.OPEN,
        found.pk,
        timezone.now(),
        surface=Surface.TITLE,
        row=request.GET.get("row", "")[:40],
        slot=int(slot) if slot.isdecimal() and len(slot) < 5 else None,
    )


def _people_by_role(found: Title) -> dict[str, list[str]]:
    people: dict[str, list[str]] = {}
    for credit in found.credits.all():
        people.setdefault(credit.role, []).append(credit.person.name)
    return people


def _playback(visit: CurrentVisit, found: Title) -> Playback | None:
    return next((p for p in playbacks_of(visit) if p.title_id == found.pk), None)


def _state(profile: Profile | None, found: Title) -> dict[str, object]:
    """What the profile told of this title. Three queries."""
    if profile is None:
        return {"thumb": "", "is_listed": False, "is_hidden": False}
    rating = Rating.objects.filter(profile=profile, title=found).first()
    return {
        "thumb": rating.thumb if rating else "",
        "is_listed": ListEntry.objects.filter(profile=profile, title=found).exists(),
        "is_hidden": HiddenTitle.objects.filter(profile=profile, title=found).exists(),
    }
