"""The search dashboard: success, and which texts are frequent, failing or rising."""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import F, Sum
from django.http import HttpRequest
from django.views.decorators.http import require_safe

from webapp.metrics.definitions import METRICS
from webapp.metrics.formatting import format_value
from webapp.metrics.models import DailyQuery
from webapp.metrics.readings import Period, Readings
from webapp.pages.dashboards.charts import Figure, by_name, of_metric
from webapp.pages.dashboards.filters import DashboardFilters
from webapp.pages.dashboards.overview import FAILED, failed
from webapp.pages.dashboards.serving import Dashboard, Section, Table, dashboard

SHOWN = (
    "search_success",
    "zero_results",
    "reformulation",
    "characters_to_success",
    "prequery_acceptance",
)
QUERIES_SHOWN = 25
FEWEST_RISING = 3
"""A text searched for less often than this has not risen, it has turned up."""


@require_safe
@dashboard()
def search(request: HttpRequest, filters: DashboardFilters) -> Dashboard:
    """Four queries, whatever the period holds."""
    readings = Readings.of(
        filters.period,
        is_simulated=filters.is_simulated,
        metrics=SHOWN,
        dimensions={filters.slice[0], "decile"},
        with_before=True,
    )
    days, before = filters.period.days, filters.period.before
    shown = [
        of_metric(
            METRICS[name], days, [(METRICS[name].label, readings.by_day(name, *filters.slice))]
        )
        for name in SHOWN
    ]
    figures = [
        Figure(
            FAILED.label,
            FAILED.meaning,
            failed(readings.total("search_success", *filters.slice)),
            "share",
            f"over {filters.days} days",
            failed(readings.total("search_success", *filters.slice, before)),
            is_better_low=True,
        ),
        *(
            Figure(
                METRICS[name].label,
                METRICS[name].meaning,
                readings.total(name, *filters.slice),
                METRICS[name].unit,
                f"over {filters.days} days",
                readings.total(name, *filters.slice, before),
                METRICS[name].is_better_low,
            )
            for name in SHOWN[1:]
        ),
    ]
    return Dashboard(
        "Search",
        f"Rates count intents, never keystrokes. {filters.days} days to {filters.until}, "
        f"{filters.description}.",
        figures,
        [
            Section("What is searched for", tables=_tables(filters)),
            Section("By day", shown),
            Section(
                "For whom",
                [
                    by_name(
                        METRICS["search_success"],
                        readings.by_slice("search_success", "decile"),
                        "Tenth of history",
                    )
                ],
            ),
        ],
    )


@dataclass
class Queries:
    """Counts of a period by text."""

    intents: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, period: Period, *, is_simulated: bool) -> "Queries":
        """Add days up. One query."""
        queries = cls()
        rows = (
            DailyQuery.objects.filter(
                day__gte=period.first, day__lte=period.last, is_simulated=is_simulated
            )
            .values("query")
            .annotate(all=Sum("intents"), none=Sum("failed"), nothing=Sum("empty"))
            .order_by(F("all").desc(), "query")
            .values_list("query", "all", "none", "nothing")
        )
        for query, intents, fails, empty in rows:
            queries.intents[query] = intents
            queries.failed[query] = fails
            queries.empty[query] = empty
        return queries


def _tables(filters: DashboardFilters) -> list[Table]:
    now = Queries.of(filters.period, is_simulated=filters.is_simulated)
    before = Queries.of(filters.period.before, is_simulated=filters.is_simulated)
    rises = {
        query: count - before.intents[query]
        for query, count in now.intents.items()
        if count >= FEWEST_RISING and count > before.intents[query]
    }
    rising = sorted(rises, key=lambda query: (-rises[query], query))[:QUERIES_SHOWN]
    limits = "Of each day the most frequent and the most failing texts are kept."
    return [
        Table(
            "top",
            "Top texts",
            ["Text", "Searches", "Failed", "Found nothing"],
            [_row(now, query) for query, _ in now.intents.most_common(QUERIES_SHOWN)],
            f"The texts that most search intents ended with. {limits}",
            is_of_visits=True,
        ),
        Table(
            "failing",
            "Failing texts",
            ["Text", "Searches", "Failed", "Found nothing"],
            [_row(now, query) for query, n in now.failed.most_common(QUERIES_SHOWN) if n],
            f"Those that ended most often without a choice. {limits}",
            is_of_visits=True,
        ),
        Table(
            "rising",
            "Rising texts",
            ["Text", "Searches", "In the period before", "More"],
            [[q, now.intents[q], before.intents[q], f"+{rises[q]}"] for q in rising],
            f"Those searched for more often than in the {filters.days} days before. {limits}",
            is_of_visits=True,
        ),
    ]


def _row(queries: Queries, query: str) -> list[object]:
    count = queries.intents[query]
    share = format_value(queries.failed[query] / count, "share") if count else "–"
    return [query, count, f"{queries.failed[query]} ({share})", queries.empty[query]]
