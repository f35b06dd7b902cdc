"""The frame of every dashboard: its permission, one template, each chart also as a CSV file.

    metrics.view_dashboards   sums over viewers, training runs, /metrics
    metrics.view_visits       what single profiles did
    metrics.publish_release   roll back
    metrics.send_test_alert   send every destination of alerts a test

Super-users have all; another operator has those that were given in the admin.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from webapp.metrics.health_snapshot import worker_trouble
from webapp.metrics.models import Alert
from webapp.pages.dashboards.charts import Chart, Figure
from webapp.pages.dashboards.filters import DashboardFilters
from webapp.pages.second_factor import is_verified
from webapp.postgresql.replica import reading_from_replica

PAGES = {
    "staff-overview": "Overview",
    "staff-rows": "Rows and surfaces",
    "staff-search": "Search",
    "staff-models": "Models",
    "staff-experiments": "Experiments",
    "staff-system": "System",
    "staff-people": "People",
}
VIEW_DASHBOARDS = "metrics.view_dashboards"
VIEW_VISITS = "metrics.view_visits"
PUBLISH_RELEASE = "metrics.publish_release"
SEND_TEST_ALERT = "metrics.send_test_alert"
PERMISSIONS = {"staff-people": VIEW_VISITS}
"""Of the pages that need another than `VIEW_DASHBOARDS`."""


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


def may(request: HttpRequest, permission: str) -> bool:
    """Return True if an operator has a permission; staff alone have any."""
    is_operator = request.user.is_staff and is_verified(request)
    return is_operator and request.user.has_perm(permission)


def staff_only(permission: str) -> Callable[[View], View]:
    """Let staff with a permission in; others get 403, anonymous visitors the login."""

    def decorator(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_staff and not is_verified(request):
                return redirect("second-factor")
            if not may(request, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorator


def dashboard(permission: str = VIEW_DASHBOARDS) -> Callable[[Callable[..., Dashboard]], View]:
    """Make a view of a function that builds a page; `?csv=CHART` answers with that chart's file."""

    def decorator(build: Callable[..., Dashboard]) -> View:
        @staff_only(permission)
        @wraps(build)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            filters = DashboardFilters.of(request, timezone.now().date())
            with reading_from_replica():
                page = build(request, filters, *args, **kwargs)
            if "csv" in request.GET:
                return _csv(page, filters, request.GET["csv"])
            context = {
                "page": page,
                "filters": filters,
                "pages": pages_of(request),
                "alerts": Alert.objects.raised(),
                "worker_trouble": worker_trouble(timezone.now()),
            }
            return render(request, page.template, context | page.extra)

        return view

    return decorator


def pages_of(request: HttpRequest) -> dict[str, str]:
    """Return the pages that the operator may open, with their labels."""
    return {
        name: label
        for name, label in PAGES.items()
        if may(request, PERMISSIONS.get(name, VIEW_DASHBOARDS))
    }


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
