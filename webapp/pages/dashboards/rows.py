"""The rows dashboard: click and conversion rates by row, slot and surface, and variety."""

from django.http import HttpRequest
from django.views.decorators.http import require_safe

from webapp.metrics.definitions import METRICS
from webapp.metrics.readings import Readings
from webapp.pages.dashboards.charts import Chart, by_name, of_metric
from webapp.pages.dashboards.filters import DashboardFilters
from webapp.pages.dashboards.serving import Dashboard, Section, dashboard

PARTS = {"surface": "Surface", "row": "Row kind", "slot": "Slot", "decile": "Tenth of history"}
RATES = ("conversion_rate", "ctr")
VARIETY = ("coverage", "gini", "novelty", "diversity", "row_redundancy", "exploration_share")


@require_safe
@dashboard()
def rows(request: HttpRequest, filters: DashboardFilters) -> Dashboard:
    """Two queries for all charts."""
    rates = Readings.of(
        filters.period, is_simulated=filters.is_simulated, metrics=RATES, dimensions=PARTS
    )
    variety = Readings.of(
        filters.period,
        is_simulated=filters.is_simulated,
        metrics=VARIETY,
        dimensions={"all", filters.slice[0]},
    )
    return Dashboard(
        "Rows and surfaces",
        f"What brings viewers to a title. {filters.days} days to {filters.until}, "
        f"{filters.description}.",
        sections=[
            *(
                Section(
                    f"By {label.lower()}",
                    [_bars(rates, name, dimension, label) for name in RATES],
                    lead="Of all arms together." if filters.arm else "",
                )
                for dimension, label in PARTS.items()
            ),
            Section("How varied it is", [_by_day(variety, name, filters) for name in VARIETY]),
        ],
    )


def _bars(readings: Readings, name: str, dimension: str, label: str) -> Chart:
    points = readings.by_slice(name, dimension)
    if dimension == "slot":
        points = [(str(int(part) + 1) if part.isdigit() else part, point) for part, point in points]
        points = [("21 on" if part == "20 on" else part, point) for part, point in points]
    if dimension == "row":
        points.sort(key=lambda named: -(named[1].value or 0))
    return by_name(
        METRICS[name], [(part.replace("_", " "), point) for part, point in points], label
    )


def _by_day(readings: Readings, name: str, filters: DashboardFilters) -> Chart:
    metric = METRICS[name]
    dimension, part = filters.slice if filters.slice[0] in metric.dimensions else ("all", "")
    points = readings.by_day(name, dimension, part)
    return of_metric(metric, filters.period.days, [(metric.label, points)])
