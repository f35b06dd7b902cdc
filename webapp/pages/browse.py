"""The pages a viewer walks through: home, title, watch, search, genre, My List."""

import uuid
from dataclasses import replace
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from recommender.ranking.row_kinds import row_kind
from recommender.serving.stages import stage
from webapp.catalog.models import Genre, Person, Title
from webapp.discovery.surface import Surface
from webapp.engine import responses
from webapp.engine.page_views import ListingPage
from webapp.engine.views import RowView
from webapp.events.clock import now_of
from webapp.events.ingest import EventDraft, record_events
from webapp.events.middleware import visit_of
from webapp.events.models import Event
from webapp.events.playback import playbacks_of
from webapp.events.title_state import title_state
from webapp.events.visits import CurrentVisit
from webapp.pages.navigation import Place, is_read, place_of
from webapp.profiles.models import ListEntry
from webapp.slates.models import Slate


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    is_whole = request.GET.get("rows") == "all"
    page = responses.home(visit_of(request), now_of(request), is_whole=is_whole)
    with stage("render"):
        return render(request, "pages/home.html", {"page": page, "featured": _featured(page.rows)})


@require_safe
def more_rows(request: HttpRequest, slate: uuid.UUID) -> HttpResponse:
    """The rows below those that a home page came with, for a page that scrolls."""
    page = responses.more_rows(visit_of(request), slate, now_of(request))
    if page is None:
        raise Http404("This page is of another visit: load it again.")
    with stage("render"):
        return render(request, "_more_rows.html", {"page": page})


@require_safe
def title(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """A title's details. Opening it is an event, recorded here so that it needs no script."""
    visit, now = visit_of(request), now_of(request)
    found = get_object_or_404(Title.objects.with_people().fit_for(visit.maturity_limit), pk=pk)
    if slug != found.slug:
        return redirect(found, permanent=True)
    place = place_of(request, found.pk)
    if is_read(request):
        _record_open(visit, found, place, now)
    context = {
        "title": found,
        "came_from": _heading_of(visit, place),
        "credits": _people_by_role(found),
        "page": responses.title_page(visit, found, now),
        "state": title_state(visit, found),
    }
    return render(request, "pages/title.html", context)


@require_safe
def watch(request: HttpRequest, pk: int) -> HttpResponse:
    visit = visit_of(request)
    found = get_object_or_404(Title.objects.fit_for(visit.maturity_limit), pk=pk)
    if not found.is_available:
        return redirect(found)
    playback = next(iter(playbacks_of(visit, found.pk)), None)
    start = playback.position_seconds if playback and playback.is_unfinished else 0
    if request.GET.get("from") == "start":
        start = 0
    return render(request, "pages/watch.html", {"title": found, "start_seconds": start})


@require_safe
def genre(request: HttpRequest, slug: str) -> HttpResponse:
    """All titles of a genre, in this viewer's order."""
    found = get_object_or_404(Genre, slug=slug)
    page = responses.genre_page(visit_of(request), found, _number(request), now_of(request))
    return _listing(request, found, Surface.GENRE, page)


@require_safe
def person(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """All that someone made or plays in, in this viewer's order."""
    fit = Title.objects.filter(people=OuterRef("pk")).fit_for(visit_of(request).maturity_limit)
    found = get_object_or_404(Person.objects.filter(Exists(fit)), pk=pk)
    if slug != found.slug:
        return redirect(found, permanent=True)
    page = responses.person_page(visit_of(request), found, _number(request), now_of(request))
    return _listing(request, found, Surface.PERSON, page)


@login_required
@require_safe
def my_list(request: HttpRequest) -> HttpResponse:
    profile = visit_of(request).profile
    if profile is None:
        return redirect("profiles")
    entries = ListEntry.objects.filter(profile=profile).values_list("title_id", flat=True)
    kept = Title.objects.fit_for(profile.maturity_limit)
    titles = kept.for_cards().in_order(entries)
    return render(request, "pages/my_list.html", {"titles": titles})


def _featured(rows: list[RowView]) -> RowView | None:
    """Return the row whose first title leads the page, see `RowKind.lead_order`."""
    return min(rows, key=lambda row: row_kind(row.kind).lead_order, default=None)


def _record_open(visit: CurrentVisit, found: Title, place: Place | None, now: datetime) -> None:
    """Record that a title was opened, and from where if that was told truly. Needs no script."""
    opened = EventDraft(uuid.uuid4(), Event.Kind.OPEN, found.pk, now, surface=Surface.TITLE)
    if place is None:
        record_events(visit, [opened], now)
        return
    placed = replace(opened, slate_id=place.slate_id, row=place.row, slot=place.slot)
    if record_events(visit, [placed], now).errors:
        record_events(visit, [opened], now)


def _heading_of(visit: CurrentVisit, place: Place | None) -> str:
    """The heading of the row a title was found in; empty where it is not known. One query."""
    if place is None:
        return ""
    slate = Slate.objects.filter(pk=place.slate_id, visit=visit.id).only("rows").first()
    rows = slate.rows if slate and slate.surface == Surface.HOME else []
    return next((row["heading"] for row in rows if row["kind"] == place.row), "")


def _number(request: HttpRequest) -> int:
    """The page that is asked for, 1 where that is no number."""
    asked = request.GET.get("page", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def _listing(
    request: HttpRequest, about: Genre | Person, surface: Surface, page: ListingPage
) -> HttpResponse:
    pages = Paginator(range(page.total), responses.LISTED).get_page(_number(request))
    context = {"about": about, "surface": surface.value, "page": page, "pages": pages}
    return render(request, "pages/listing.html", context)


def _people_by_role(found: Title) -> dict[str, list[Person]]:
    people: dict[str, list[Person]] = {}
    for credit in found.credits.all():
        people.setdefault(credit.role, []).append(credit.person)
    return people
