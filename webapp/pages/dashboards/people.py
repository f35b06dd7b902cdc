"""One profile's visits, replayed slate by slate, for support. Every look is written down."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from webapp.catalog.models import Title
from webapp.events.models import Event, Visit
from webapp.metrics.audit import record_act
from webapp.metrics.models import AuditEntry
from webapp.pages.dashboards.filters import DashboardFilters
from webapp.pages.dashboards.serving import VIEW_VISITS, Dashboard, dashboard
from webapp.profiles.models import Profile
from webapp.slates.models import Slate

FOUND = 25
VISITS_A_PAGE = 20
TITLES_A_ROW = 8


@dataclass(frozen=True)
class Shelf:
    """A row of a slate: its heading, its first titles, and how many more there are."""

    heading: str
    kind: str
    titles: list[tuple[str, str]]
    """Names, each with what was done with it there: "", "seen" or "opened"."""
    more: int


@dataclass(frozen=True)
class Step:
    """Something that happened in a visit: a slate shown, or an event."""

    at: datetime
    heading: str
    detail: str = ""
    slate: Slate | None = None
    shelves: list[Shelf] = field(default_factory=list)


@require_safe
@dashboard(VIEW_VISITS)
def people(request: HttpRequest, filters: DashboardFilters) -> Dashboard:
    """Find a profile by its number, name or account. One query."""
    text = request.GET.get("q", "").replace("\0", "").strip()
    found: list[Profile] = []
    if text:
        wanted = Q(name__icontains=text) | Q(account__username__icontains=text)
        wanted |= Q(external_id=text)
        if text.isdecimal() and len(text) < 18:
            wanted |= Q(pk=int(text))
        found = list(Profile.objects.filter(wanted).select_related("account")[:FOUND])
    return Dashboard(
        "People",
        "One profile's visits, replayed slate by slate, for support. Every look is written down.",
        template="staff/people.html",
        extra={"q": text, "found": found},
        has_filters=False,
    )


@require_safe
@dashboard(VIEW_VISITS)
def person(request: HttpRequest, filters: DashboardFilters, pk: int) -> Dashboard:
    """A profile's visits, the newest first. Four queries."""
    profile = get_object_or_404(Profile.objects.select_related("account"), pk=pk)
    _write_down(request, f"profile {profile.pk}")
    visits = Visit.objects.filter(profile=profile).order_by("-started_at", "pk")
    page = Paginator(visits, VISITS_A_PAGE).get_page(request.GET.get("page"))
    shown = [visit.pk for visit in page]
    counted = (
        Visit.objects.filter(pk__in=shown)
        .annotate(
            slates_shown=_count_of(Slate.objects.all()), events_kept=_count_of(Event.objects.all())
        )
        .order_by("-started_at", "pk")
    )
    return Dashboard(
        f"Visits of {profile.name}",
        f"Profile {profile.pk}"
        + (f" of account {profile.account.get_username()}." if profile.account else "."),
        template="staff/person.html",
        extra={"person": profile, "visits": counted, "page_of_visits": page},
        has_filters=False,
        tab="People",
    )


@require_safe
@dashboard(VIEW_VISITS)
def visit(
    request: HttpRequest, filters: DashboardFilters, pk: int, visit_id: uuid.UUID
) -> Dashboard:
    """A visit of the profile, as it went. Five queries, whatever happened."""
    profile = get_object_or_404(Profile, pk=pk)
    found = get_object_or_404(Visit, pk=visit_id, profile=profile)
    _write_down(request, f"profile {profile.pk}, visit {found.pk}")
    return Dashboard(
        f"A visit of {profile.name}",
        f"{found.started_at:%Y-%m-%d %H:%M:%S} UTC, as it went.",
        template="staff/visit.html",
        extra={"person": profile, "visit_shown": found, "steps": steps_of(found)},
        has_filters=False,
        tab="People",
    )


def steps_of(found: Visit) -> list[Step]:
    """Return what was shown and done in a visit, in its order. Three queries.

    Impressions are marked on the slates they are of; of progress each title's last one is shown.
    """
    slates = list(found.slates.order_by("created_at").defer("features", "snapshot"))
    events = list(found.events.order_by("occurred_at", "received_at"))
    ids = {id_ for slate in slates for row in slate.rows for id_ in row["titles"][:TITLES_A_ROW]}
    ids |= {event.title_id for event in events if event.title_id}
    names = dict(Title.objects.filter(pk__in=ids).values_list("pk", "name"))
    marks = _marks(events)
    steps = [
        Step(
            slate.created_at,
            f"{slate.get_surface_display()} was shown",
            _how(slate),
            slate,
            _shelves(slate, names, marks),
        )
        for slate in slates
    ]
    last = {(e.kind, e.title_id): e.pk for e in events if e.kind == Event.Kind.PROGRESS}
    steps += [
        Step(event.occurred_at, _did(event), _what(event, names))
        for event in events
        if event.kind != Event.Kind.IMPRESSION
        and (event.kind != Event.Kind.PROGRESS or last[event.kind, event.title_id] == event.pk)
    ]
    return sorted(steps, key=lambda step: step.at)


def _marks(events: Iterable[Event]) -> dict[tuple[uuid.UUID | None, int | None], str]:
    """What was done with a title on a slate; an opening says more than an impression."""
    marks: dict[tuple[uuid.UUID | None, int | None], str] = {}
    for event in events:
        place = (event.slate_id, event.title_id)
        if event.kind == Event.Kind.IMPRESSION:
            marks.setdefault(place, "seen")
        elif event.kind in (Event.Kind.OPEN, Event.Kind.CHOOSE, Event.Kind.PLAY):
            marks[place] = "opened"
    return marks


def _shelves(
    slate: Slate,
    names: dict[int, str],
    marks: dict[tuple[uuid.UUID | None, int | None], str],
) -> list[Shelf]:
    return [
        Shelf(
            row.get("heading") or row["kind"],
            row["kind"],
            [
                (names.get(id_, f"title {id_}, deleted"), marks.get((slate.pk, id_), ""))
                for id_ in row["titles"][:TITLES_A_ROW]
            ],
            max(0, len(row["titles"]) - TITLES_A_ROW),
        )
        for row in slate.rows
    ]


def _how(slate: Slate) -> str:
    """What answered, how long it took, and how much this visit counted."""
    parts = [f"{slate.took_ms:.0f} ms"]
    if slate.fallback_reason:
        parts.append(f"popular titles, for {slate.fallback_reason}")
    elif slate.release_id:
        parts.append(f"release {slate.release_id}")
    if slate.ranker_id:
        parts.append(f"ranker {slate.ranker_id}")
    if slate.visit_share is not None:
        parts.append(f"{slate.visit_share * 100:.0f} % of the taste was this visit")
    return ", ".join(parts)


DID = {
    Event.Kind.OPEN: "Opened",
    Event.Kind.PLAY: "Began to watch",
    Event.Kind.PROGRESS: "Watched on",
    Event.Kind.STOP: "Stopped watching",
    Event.Kind.FINISH: "Watched to the end",
    Event.Kind.THUMB: "Thumb",
    Event.Kind.LIST: "My List",
    Event.Kind.HIDE: "Hiding",
    Event.Kind.SEARCH: "Searched",
    Event.Kind.CHOOSE: "Chose",
}


def _did(event: Event) -> str:
    phrases = {str(kind): phrase for kind, phrase in DID.items()}
    return phrases.get(event.kind, event.kind.capitalize())


def _what(event: Event, names: dict[int, str]) -> str:
    parts = [event.value]
    if event.title_id:
        parts.append(names.get(event.title_id, f"title {event.title_id}, deleted"))
    if event.query:
        parts.append(f"“{event.query}”")
    if event.position_seconds is not None:
        parts.append(f"at {event.position_seconds // 60} min {event.position_seconds % 60} s")
    late = (event.received_at - event.occurred_at).total_seconds()
    if late > 60:
        parts.append(f"came {late / 60:.0f} min late")
    return ", ".join(part for part in parts if part)


def _count_of(kept: "QuerySet[Slate] | QuerySet[Event]") -> Coalesce:
    counted = kept.filter(visit=OuterRef("pk")).order_by().values("visit")
    return Coalesce(Subquery(counted.annotate(count=Count("pk")).values("count")), 0)


def _write_down(request: HttpRequest, what: str) -> None:
    record_act(request.user, AuditEntry.Act.VISITS_READ, what, timezone.now())
