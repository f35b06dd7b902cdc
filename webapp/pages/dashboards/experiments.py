"""The experiments dashboard: arms by daily metrics, and the reports' differences."""

from typing import Any

from django.http import HttpRequest
from django.views.decorators.http import require_safe

from webapp.experiments.models import Experiment
from webapp.metrics.definitions import METRICS, TIME_TO_PLAY, Unit
from webapp.metrics.estimates import NOTHING, RatioEstimate
from webapp.metrics.formatting import format_value
from webapp.metrics.readings import Readings, Times
from webapp.pages.dashboards.charts import Chart, interval, of_metric
from webapp.pages.dashboards.filters import ARM, DashboardFilters
from webapp.pages.dashboards.serving import Dashboard, Section, Table, dashboard

COMPARED = ("abandonment", "good_abandonment", "conversion_rate", "ctr", "search_success")
REPORTED: dict[str, tuple[str, Unit]] = {
    "abandonment": ("Abandoned visits", "share"),
    "conversion_rate": ("Conversion rate", "share"),
    "seconds_to_play": ("Mean time to play, of visits that play", "seconds"),
}
SHOWN = 10
DIFFERENCES = ["Difference", "For one look", "p", "However often one looks", "p"]
"""Columns of a table of differences."""


@require_safe
@dashboard()
def experiments(request: HttpRequest, filters: DashboardFilters) -> Dashboard:
    """Four queries, whatever the period holds."""
    readings = Readings.of(
        filters.period, is_simulated=filters.is_simulated, metrics=COMPARED, dimensions=[ARM]
    )
    times = Times.by_slice(filters.period, is_simulated=filters.is_simulated, dimension=ARM)
    shown = list(Experiment.objects.all()[:SHOWN])
    return Dashboard(
        "Experiments",
        f"Arms side by side. {filters.days} days to {filters.until}, {filters.description}.",
        sections=[_section(experiment, readings, times, filters) for experiment in shown],
        template="staff/experiments.html",
    )


def _section(
    experiment: Experiment, readings: Readings, times: dict[str, Times], filters: DashboardFilters
) -> Section:
    slices = {arm.name: f"{experiment.name}/{arm.name}" for arm in experiment.the_arms}
    tables = [_plan(experiment), _arms(experiment, slices, readings, times)]
    report = experiment.report.get("simulated" if filters.is_simulated else "people")
    if report and len(slices) > 1:
        tables.append(_effects(experiment, report))
        if later := report.get("first_sign"):
            tables.append(_from_first_sign(experiment, report, later))
    if report and report.get("drafts"):
        tables.append(_drafts(experiment, report["drafts"]))
    return Section(
        experiment.name,
        [
            _by_day(experiment, name, slices, readings)
            for name in ("abandonment", "conversion_rate")
        ],
        tables,
        experiment.question,
    )


def _plan(experiment: Experiment) -> Table:
    planned = experiment.plan
    rows: list[list[object]] = [
        ["Status", experiment.get_status_display()],
        ["Started, UTC", _moment(experiment.started_at)],
        ["Stopped, UTC", _moment(experiment.stopped_at)],
    ]
    for arm in experiment.the_arms:
        treated = arm.treatment.replace("_", " ")
        of_what = "visits" if experiment.is_by_visit else "viewers"
        rows.append([f"Arm {arm.name}", f"{treated}, {arm.share * 100:.0f} % of {of_what}"])
    if "detectable" in planned:
        rows.append(
            [
                "Smallest effect it can find",
                f"{format_value(planned['detectable'], 'share')} of abandonment, with power "
                f"{planned.get('power', 0.8) * 100:.0f} % over {planned.get('visits', 0):,} visits",
            ]
        )
    return Table(
        f"plan-{experiment.pk}", "What it is", ["What", "How"], rows,
        f"Who is in which arm follows from a stable hash of the {experiment.unit}.",
    )  # fmt: skip


def _arms(
    experiment: Experiment, slices: dict[str, str], readings: Readings, times: dict[str, Times]
) -> Table:
    """Each arm's metrics of the period with their 95 % intervals."""
    days = readings.period.days
    rows: list[list[object]] = []
    for name, part in slices.items():
        abandoned = readings.total("abandonment", ARM, part)
        median = times[part].median(days) if part in times else NOTHING
        rows.append(
            [
                name,
                f"{abandoned.denominator:,.0f}",
                *(_with_interval(readings.total(m, ARM, part), METRICS[m].unit) for m in COMPARED),
                _with_interval(median, "seconds"),
            ]
        )
    labels = [METRICS[name].label for name in COMPARED]
    return Table(
        f"arms-{experiment.pk}",
        "Arms by daily metrics",
        ["Arm", "Visits", *labels, TIME_TO_PLAY.label],
        rows,
        "With 95 % intervals, in which viewers are what varies. " + METRICS["abandonment"].meaning,
        is_of_visits=True,
    )


def _effects(experiment: Experiment, report: dict[str, Any]) -> Table:
    """The report's differences: for one look, and by the sequential method for any number."""
    return _differences(
        f"effects-{experiment.pk}", "Differences", report, report["at"],
        "`manage.py experiments --report` works this out anew. The first interval is right for one "
        "look at the end; the second holds at all looks together.",
    )  # fmt: skip


def _from_first_sign(
    experiment: Experiment, report: dict[str, Any], later: dict[str, Any]
) -> Table:
    """The same of visits with a first sign, from that moment on."""
    shares = ", ".join(
        f"{arm} {format_value(share['value'], 'share')}"
        for arm, share in later["shares"].items()
        if share["value"] is not None
    )
    return _differences(
        f"first-sign-{experiment.pk}", "Differences from the first sign on", later, report["at"],
        "A first sign is the first thing done in a visit, or the first request after something "
        f"was seen. Before it, all arms answer alike. With one: {shares}.",
    )  # fmt: skip


def _differences(id: str, heading: str, compared: dict[str, Any], at: str, note: str) -> Table:
    """The differences between arms; `at` is when the report was worked out, ISO 8601."""
    return Table(
        id,
        f"{heading}, {compared['visits']:,} visits, {at[:16].replace('T', ' ')} UTC",
        DIFFERENCES,
        _difference_rows(compared),
        f"{compared['sizes']['warning']} {note}".strip(),
        "There are too few visits in an arm to compare.",
        is_of_visits=True,
    )


def _difference_rows(report: dict[str, Any]) -> list[list[object]]:
    """A row for each arm but the last, and metric."""
    rows: list[list[object]] = []
    for effect in report.get("effects", []):
        for metric, (label, unit) in REPORTED.items():
            result = effect.get(metric)
            if not result:
                continue
            rows.append(
                [
                    f"{effect['arm']} less {effect['against']}: {label}",
                    _with_interval(_estimate(result["difference"]), unit),
                    f"{result['p']:.3g}",
                    _with_interval(_estimate(result["always"]), unit),
                    f"{result['always_p']:.3g}",
                ]
            )
    return rows


def _drafts(experiment: Experiment, drafts: dict[str, Any]) -> Table:
    """How many drafted lists the usual order won of those that either won."""
    won = drafts["won"]
    once = always = "-"
    if won:
        once, always = (
            _with_interval(_estimate(won[name]), "share") for name in ("once", "always")
        )
    row: list[object] = [
        f"{drafts['shown']:,}", f"{drafts['clicked']:,}", f"{drafts['decided']:,}",
        once, f"{won['p']:.3g}" if won else "-", always, f"{won['always_p']:.3g}" if won else "-",
    ]  # fmt: skip
    return Table(
        f"drafts-{experiment.pk}",
        "Lists that both orders drafted",
        [
            "Drafted", "With a click", "Won by either", "By the usual order, for one look",
            "p", "However often one looks", "p",
        ],
        [row],
        "In each round of a list the usual order and that of the history alone pick their best "
        "title left. A list is won by the one of whose titles more were opened, chosen or played; "
        "at 50 % neither is better.",
        is_of_visits=True,
    )  # fmt: skip


def _by_day(
    experiment: Experiment, metric: str, slices: dict[str, str], readings: Readings
) -> Chart:
    return of_metric(
        METRICS[metric],
        readings.period.days,
        [(name, readings.by_day(metric, ARM, part)) for name, part in slices.items()],
        id=f"{metric}-{experiment.pk}",
    )


def _with_interval(estimate: RatioEstimate, unit: Unit) -> str:
    bounds = interval(estimate, unit)
    return (
        f"{format_value(estimate.value, unit)} ({bounds})"
        if bounds
        else format_value(estimate.value, unit)
    )


def _estimate(interval: dict[str, Any]) -> RatioEstimate:
    return RatioEstimate(interval.get("value"), interval.get("low"), interval.get("high"))


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "no"
