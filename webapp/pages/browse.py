"""Views of the browsing pages: home, title, watch, genre, person and My List."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from recommender.ranking.row_kinds import row_kind
from recommender.serving.stages import stage
from search.errors import FacetError
from webapp.catalog.models import Genre, Person, Title
from webapp.catalog.whole_titles import title_or_404
from webapp.discovery.selection import Selection
from webapp.discovery.surface import Surface
from webapp.engine import responses
from webapp.engine.page_views import ListingPage
from webapp.engine.views import RowView
from webapp.events.clock import now_of
from webapp.events.ingest import EventDraft, record_events
from webapp.events.middleware import visit_of
from webapp.events.models import Event
from webapp.events.playback import playbacks_of
from webapp.events.visits import CurrentVisit
from webapp.pages.narrowing import narrowing_of, page_number, page_of, selection_of
from webapp.pages.navigation import CardPosition, card_position, is_read
from webapp.profiles.models import ListEntry
from webapp.slates.models import Slate

AnyAbout = TypeVar("AnyAbout", Genre, Person)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    is_whole = request.GET.get("rows") == "all"
    page = responses.home(visit_of(request), now_of(request), is_whole=is_whole)
    context = {"page": page, "featured": page.spotlight or _featured(page.rows)}
    with stage("render"):
        return render(request, "pages/home.html", context)


@require_safe
def more_rows(request: HttpRequest, slate: uuid.UUID) -> HttpResponse:
    """Render the rows below the first ones of a home page, which loads them on scrolling."""
    page = responses.more_rows(visit_of(request), slate, now_of(request))
    if page is None:
        raise Http404("This page is of another visit: load it again.")
    with stage("render"):
        return render(request, "_more_rows.html", {"page": page})


@require_safe
def title(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """Show a title's details. The open event is recorded here, so it needs no script."""
    visit, now = visit_of(request), now_of(request)
    title = title_or_404(pk, visit.maturity_limit)
    if slug != title.slug:
        return redirect(title, permanent=True)
    position = card_position(request, title.pk)
    if is_read(request):
        _record_open(visit, title, position, now)
    page = responses.title_page(visit, title, now)
    context = {
        "title": title,
        "came_from": _heading_of(visit, position),
        "credits": title.people_by_role,
        "page": page,
        "state": page.state,
    }
    return render(request, "pages/title.html", context)


@require_safe
def watch(request: HttpRequest, pk: int) -> HttpResponse:
    visit = visit_of(request)
    title = get_object_or_404(Title.objects.allowed_for(visit.maturity_limit), pk=pk)
    if not title.is_available:
        return redirect(title)
    playback = next(iter(playbacks_of(visit, title.pk)), None)
    start = playback.position_seconds if playback and playback.is_unfinished else 0
    if request.GET.get("from") == "start":
        start = 0
    return render(request, "pages/watch.html", {"title": title, "start_seconds": start})


@require_safe
def genre(request: HttpRequest, slug: str) -> HttpResponse:
    """List all titles of a genre, in this viewer's order."""
    genre = get_object_or_404(Genre, slug=slug)
    return _listing(request, genre, Surface.GENRE, responses.genre_page)


@require_safe
def person(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """List the titles a person is credited with, in this viewer's order."""
    allowed = Title.objects.filter(people=OuterRef("pk")).allowed_for(
        visit_of(request).maturity_limit
    )
    person = get_object_or_404(Person.objects.filter(Exists(allowed)), pk=pk)
    if slug != person.slug:
        return redirect(person, permanent=True)
    return _listing(request, person, Surface.PERSON, responses.person_page)


@login_required
@require_safe
def my_list(request: HttpRequest) -> HttpResponse:
    profile = visit_of(request).profile
    if profile is None:
        return redirect("profiles")
    entries = ListEntry.objects.filter(profile=profile).values_list("title_id", flat=True)
    allowed = Title.objects.allowed_for(profile.maturity_limit)
    titles = allowed.for_cards().in_order(entries)
    return render(request, "pages/my_list.html", {"titles": titles})


def _featured(rows: list[RowView]) -> RowView | None:
    """Return the row whose first title leads the page, see `RowKind.lead_order`."""
    return min(rows, key=lambda row: row_kind(row.kind).lead_order, default=None)


def _record_open(
    visit: CurrentVisit, opened: Title, position: CardPosition | None, now: datetime
) -> None:
    """Record an open event, with the card's position unless ingest refuses it as unknown."""
    draft = EventDraft(uuid.uuid4(), Event.Kind.OPEN, opened.pk, now, surface=Surface.TITLE)
    if position is None:
        record_events(visit, [draft], now)
        return
    credited = replace(draft, slate_id=position.slate_id, row=position.row, slot=position.slot)
    if record_events(visit, [credited], now).errors:
        record_events(visit, [draft], now)


def _heading_of(visit: CurrentVisit, position: CardPosition | None) -> str:
    """Return the heading of the row of the card; empty if it is unknown. One query."""
    if position is None:
        return ""
    slate = Slate.objects.filter(pk=position.slate_id, visit=visit.id).only("rows").first()
    rows = slate.rows if slate and slate.surface == Surface.HOME else []
    return next((row["heading"] for row in rows if row["kind"] == position.row), "")


def _listing(
    request: HttpRequest,
    about: AnyAbout,
    surface: Surface,
    page_about: Callable[[CurrentVisit, AnyAbout, int, datetime, Selection], ListingPage],
) -> HttpResponse:
    """Show a page of titles as the address narrows and sorts them; all where it cannot be read."""
    number = page_number(request)
    try:
        selection = selection_of(request)
    except FacetError:
        return redirect(request.path)
    page = page_about(visit_of(request), about, number, now_of(request), selection)
    context = {
        "about": about,
        "surface": surface.value,
        "page": page,
        "pages": page_of(page.total, responses.LISTED, number),
        "narrowing": narrowing_of(page.facets, selection, page.total),
    }
    return render(request, "pages/listing.html", context)
