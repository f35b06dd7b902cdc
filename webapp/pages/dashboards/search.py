"""The search dashboard: success, which texts are frequent, failing or rising, and a work list."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from search.text import fold
from webapp.metrics.audit import record_act
from webapp.metrics.definitions import METRICS
from webapp.metrics.formatting import format_value
from webapp.metrics.models import AuditEntry, DailyQuery
from webapp.metrics.readings import Period, Readings
from webapp.pages.dashboards.charts import Figure, by_name, of_metric
from webapp.pages.dashboards.filters import DashboardFilters
from webapp.pages.dashboards.overview import FAILED, failed
from webapp.pages.dashboards.serving import (
    Dashboard,
    Section,
    Table,
    dashboard,
    may,
    staff_only,
)
from webapp.pages.navigation import safe_next
from webapp.rules.models import CURATE_SEARCH, LONGEST_QUERY, ReviewedQuery
from webapp.rules.search_rules import search_rules

SHOWN = (
    "search_success",
    "zero_results",
    "reformulation",
    "characters_to_success",
    "prequery_acceptance",
)
QUERIES_SHOWN = 25
REVIEWED_DAYS = 30
"""So long a text that was dealt with is off the work list."""
FEWEST_RISING = 3
"""A text searched for less often than this has not risen, it has turned up."""


@dataclass(frozen=True)
class Failing:
    """A text on the work list: what an operator may do something about.

    Attributes:
        query: the text.
        count: how often it failed so.
        searches: how often it was searched for.
        rule: where a rule for it is added.
    """

    query: str
    count: int
    searches: int
    rule: str


@require_safe
@dashboard()
def search(request: HttpRequest, filters: DashboardFilters) -> Dashboard:
    """Five queries, whatever the period holds."""
    readings = Readings.of(
        filters.period,
        is_simulated=filters.is_simulated,
        metrics=SHOWN,
        dimensions={filters.slice[0], "decile"},
        with_before=True,
    )
    days = filters.period.days
    shown = [
        of_metric(
            METRICS[name], days, [(METRICS[name].label, readings.by_day(name, *filters.slice))]
        )
        for name in SHOWN
    ]
    now = Queries.of(filters.period, is_simulated=filters.is_simulated)
    return Dashboard(
        "Search",
        f"Rates count intents, never keystrokes. {filters.days} days to {filters.until}, "
        f"{filters.description}.",
        _figures(readings, filters),
        [
            Section("What is searched for", tables=_tables(filters, now)),
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
        "staff/search.html",
        {"work": _work(now), "may_curate": may(request, CURATE_SEARCH)},
    )


def _figures(readings: Readings, filters: DashboardFilters) -> list[Figure]:
    before = filters.period.before
    return [
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


@staff_only(CURATE_SEARCH)
@require_POST
def reviewed(request: HttpRequest) -> HttpResponse:
    """Take a text off the work list for `REVIEWED_DAYS`. Safe to repeat."""
    query = request.POST.get("query", "").replace("\0", "").strip()[:LONGEST_QUERY]
    now = timezone.now()
    if query:
        ReviewedQuery.objects.update_or_create(
            query=query, defaults={"at": now, "operator_id": request.user.pk}
        )
        record_act(request.user, AuditEntry.Act.SEARCH_CURATED, f"dealt with “{query}”", now)
    return redirect(safe_next(request, reverse("staff-search")))


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


def _work(queries: Queries) -> list[tuple[str, list[Failing]]]:
    """Return the texts that find nothing, and those that end without a choice, most often first.

    Without those that a rule is for, or that were dealt with lately. One query.
    """
    since = timezone.now() - timedelta(days=REVIEWED_DAYS)
    reviewed = ReviewedQuery.objects.using(DEFAULT_DB_ALIAS)  # what was just done, not a replica's
    done = set(reviewed.filter(at__gte=since).values_list("query", flat=True))
    ruled = search_rules.get().by_text
    left = {text for text in queries.intents if text not in done and fold(text) not in ruled}
    only_failed = queries.failed - queries.empty
    return [
        (
            words,
            [_failing(queries, text, n) for text, n in counts.most_common() if text in left][
                :QUERIES_SHOWN
            ],
        )
        for words, counts in (
            ("Found nothing", +queries.empty),
            ("Nothing was chosen", +only_failed),
        )
    ]


def _failing(queries: Queries, text: str, count: int) -> Failing:
    rule = f"{reverse('admin:rules_rule_add')}?{urlencode({'queries': text})}"
    return Failing(text, count, queries.intents[text], rule)


def _tables(filters: DashboardFilters, now: Queries) -> list[Table]:
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
