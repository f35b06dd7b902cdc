"""The frame of every dashboard: staff only, one template, each chart also as a CSV file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from webapp.metrics.models import Alert
from webapp.pages.dashboards.charts import Chart, Figure
from webapp.pages.dashboards.filters import DashboardFilters

PAGES = {
    "staff-overview": "Overview",
    "staff-rows": "Rows and surfaces",
    "staff-search": "Search",
    "staff-models": "Models",
    "staff-experiments": "Experiments",
    "staff-system": "System",
    "staff-people": "People",
}


MOST_NARROW = 4
"""More columns than these do not fit beside another panel."""


@dataclass(frozen=True)
class Table:
    """A table that is no chart."""

    id: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    meaning: str = ""
    empty: str = "Nothing yet."
    is_of_visits: bool = False
    """Whether it tells of visits, real or simulated."""

    @property
    def is_wide(self) -> bool:
        """Whether it needs the page's whole width."""
        return len(self.columns) > MOST_NARROW


@dataclass(frozen=True)
class Section:
    """Some charts and tables under one heading."""

    title: str
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    lead: str = ""


@dataclass(frozen=True)
class Dashboard:
    """A page: figures at its head, then sections; `extra` is for a page's own template."""

    title: str
    lead: str
    figures: Sequence[Figure] = ()
    sections: Sequence[Section] = ()
    template: str = "staff/dashboard.html"
    extra: dict[str, Any] = field(default_factory=dict)
    has_filters: bool = True
    tab: str = ""
    """The page it belongs to, where it has no tab of its own."""

    @property
    def charts(self) -> list[Chart]:
        return [chart for section in self.sections for chart in section.charts]


View = Callable[..., HttpResponse]


def staff_only(view: View) -> View:
    """Let staff in; others get 403, strangers the login."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def dashboard(build: Callable[..., Dashboard]) -> View:
    """Make a view of a function that builds a page; `?csv=CHART` answers with that chart's file."""

    @staff_only
    @wraps(build)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = DashboardFilters.of(request, timezone.now().date())
        page = build(request, filters, *args, **kwargs)
        if "csv" in request.GET:
            return _csv(page, filters, request.GET["csv"])
        context = {
            "page": page,
            "filters": filters,
            "pages": PAGES,
            "alerts": Alert.objects.raised(),
        }
        return render(request, page.template, context | page.extra)

    return view


def _csv(page: Dashboard, filters: DashboardFilters, id_: str) -> HttpResponse:
    for chart in page.charts:
        if chart.id == id_:
            whose = "simulated" if filters.is_simulated else "real"
            name = f"marquee-{chart.id}-{whose}-{filters.period.first}-{filters.until}.csv"
            return HttpResponse(
                chart.as_csv(),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": f'attachment; filename="{name}"'},
            )
    raise Http404(f"this page has no chart {id_}")
