"""The overview dashboard: abandonment, conversions, time to play and failed searches."""

from dataclasses import replace

from django.http import HttpRequest
from django.views.decorators.http import require_safe

from webapp.metrics.definitions import METRICS, TIME_TO_PLAY
from webapp.metrics.estimates import RatioEstimate
from webapp.metrics.readings import Readings, Times
from webapp.metrics.times import BIN_EDGES, Curve
from webapp.pages.dashboards.charts import Chart, Figure, Line, by_name, of_metric
from webapp.pages.dashboards.filters import DashboardFilters
from webapp.pages.dashboards.serving import Dashboard, Section, dashboard

SHOWN = ("abandonment", "good_abandonment", "conversion_rate", "ctr", "search_success")
WAITED_TO = 3600.0
FAILED = replace(
    METRICS["search_success"],
    name="failed_searches",
    label="Searches that failed",
    meaning="Search intents that ended without a title chosen: one less search success.",
    is_better_low=True,
)


@require_safe
@dashboard()
def overview(request: HttpRequest, filters: DashboardFilters) -> Dashboard:
    """Six queries, whatever the period holds."""
    readings = Readings.of(
        filters.period,
        is_simulated=filters.is_simulated,
        metrics=SHOWN,
        dimensions={filters.slice[0], "decile"},
        with_before=True,
    )
    dimension, part = filters.slice
    times = Times.of(
        filters.period, is_simulated=filters.is_simulated, dimension=dimension, part=part
    )
    return Dashboard(
        "Overview",
        f"Does it help? {len(filters.period.days)} days to {filters.until}, {filters.description}.",
        figures(filters, readings, times),
        [_visits(filters, readings, times), _for_whom(filters, readings, times)],
    )


def _visits(filters: DashboardFilters, readings: Readings, times: Times) -> Section:
    """Return the charts by day: abandonment, conversions, time to play and failed searches."""
    days = filters.period.days
    searches = [failed(point) for point in readings.by_day("search_success", *filters.slice)]
    abandoned, good, conversion = (
        METRICS[name] for name in ("abandonment", "good_abandonment", "conversion_rate")
    )
    return Section(
        "Visits",
        [
            of_metric(
                abandoned,
                days,
                [
                    (abandoned.label, readings.by_day("abandonment", *filters.slice)),
                    (good.label, readings.by_day("good_abandonment", *filters.slice)),
                ],
                note=f"{good.label}: {good.meaning}",
            ),
            of_metric(
                conversion,
                days,
                [(conversion.label, readings.by_day("conversion_rate", *filters.slice))],
            ),
            of_metric(
                TIME_TO_PLAY,
                days,
                [(TIME_TO_PLAY.label, [times.median([day]) for day in days])],
            ),
            of_metric(FAILED, days, [(FAILED.label, searches)]),
        ],
    )


def _for_whom(filters: DashboardFilters, readings: Readings, times: Times) -> Section:
    """Return the curve of waiting for a play, and abandonment by history size."""
    return Section(
        "For whom",
        [
            waiting(times.curve(filters.period.days)),
            by_name(
                METRICS["abandonment"],
                readings.by_slice("abandonment", "decile"),
                "Tenth of history",
            ),
        ],
        lead="Tenths of visits in order of how many titles the profile had liked before; "
        "1 is those with the shortest history.",
    )


def figures(filters: DashboardFilters, readings: Readings, times: Times) -> list[Figure]:
    abandoned, conversion = METRICS["abandonment"], METRICS["conversion_rate"]
    before = filters.period.before
    day, now = readings.latest("abandonment", *filters.slice)
    over = f"over {filters.days} days"
    return [
        Figure("Abandoned now", abandoned.meaning, now, "share", f"visits of {day}" if day else ""),
        Figure(
            "Abandoned",
            abandoned.meaning,
            readings.total("abandonment", *filters.slice),
            "share",
            over,
            readings.total("abandonment", *filters.slice, before),
            is_better_low=True,
        ),
        Figure(
            "Conversion rate",
            conversion.meaning,
            readings.total("conversion_rate", *filters.slice),
            "share",
            over,
            readings.total("conversion_rate", *filters.slice, before),
            is_better_low=False,
        ),
        Figure(
            "Time to play",
            TIME_TO_PLAY.meaning,
            times.median(filters.period.days),
            "seconds",
            over,
            times.median(before.days),
            is_better_low=True,
        ),
        Figure(
            FAILED.label,
            FAILED.meaning,
            failed(readings.total("search_success", *filters.slice)),
            "share",
            over,
            failed(readings.total("search_success", *filters.slice, before)),
            is_better_low=True,
        ),
    ]


def failed(success: RatioEstimate) -> RatioEstimate:
    """Turn a share of successes into one of failures."""
    return replace(
        success,
        value=_rest(success.value),
        low=_rest(success.high),
        high=_rest(success.low),
        numerator=success.denominator - success.numerator,
    )


def waiting(curve: Curve | None) -> Chart:
    """Draw how many have not played yet, by minutes since the first impression, up to an hour."""
    if curve is None:
        shown, points = [], []
    else:
        shown = [n for n, edge in enumerate(BIN_EDGES) if edge <= WAITED_TO and edge % 15 == 0]
        ends = ((curve.waiting[n], curve.low[n], curve.high[n]) for n in shown)
        points = [RatioEstimate(float(share), float(low), float(high)) for share, low, high in ends]
    return Chart(
        "waiting",
        "Visits that have not played yet",
        "The share of visits without a qualified play so long after their first impression, by "
        "Kaplan and Meier: visits that end without one count for as long as they lasted.",
        "Minutes",
        [round(BIN_EDGES[n] / 60, 2) for n in shown],
        [Line("No play yet", points)],
    )


def _rest(share: float | None) -> float | None:
    return None if share is None else 1 - share
