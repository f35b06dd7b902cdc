"""The system dashboard: response times, fallbacks, event lag, model age, queues and alerts."""

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from webapp.celery import ask_for_test_alert
from webapp.metrics.definitions import METRICS
from webapp.metrics.formatting import format_value
from webapp.metrics.health_snapshot import Health, latest_health
from webapp.metrics.models import Alert, CountedDay, Refresh
from webapp.metrics.readings import Readings
from webapp.pages.dashboards.charts import Chart, Line, of_metric
from webapp.pages.dashboards.filters import DashboardFilters
from webapp.pages.dashboards.serving import (
    SEND_TEST_ALERT,
    Dashboard,
    Section,
    Table,
    dashboard,
    may,
    staff_only,
)

PERCENTILES = {
    "response_p50_ms": "median",
    "response_p95_ms": "95 %",
    "response_p99_ms": "99 %",
}
DAILY = ("fallback_share", "event_lag_seconds", "freshness", "model_age_hours", "bot_share")
DAYS_SHOWN = 10


@require_safe
@dashboard()
def system(request: HttpRequest, filters: DashboardFilters) -> Dashboard:
    """Six queries, whatever the period holds."""
    readings = Readings.of(
        filters.period,
        is_simulated=filters.is_simulated,
        metrics=(*PERCENTILES, *DAILY, "event_lag_p95_seconds"),
        dimensions={"all", "surface"},
    )
    health, now = latest_health(), timezone.now()
    return Dashboard(
        "System",
        f"The last hour is of real viewers; charts show {filters.days} days to {filters.until}, "
        f"{filters.description}.",
        sections=[
            Section("Now", tables=[_now(health, now), _stages(health)]),
            Section(
                "Response times of the engine",
                [_percentiles(readings, part, filters) for part in ("", *_surfaces(readings))],
                lead="From the viewer's evidence to the slate written down.",
            ),
            Section("By day", _daily(readings, filters)),
            Section("Behind the scenes", tables=[_counted(), _alerts()]),
        ],
        template="staff/system.html",
        extra={
            "may_test": may(request, SEND_TEST_ALERT),
            "alert_urls": len(settings.ALERT_URLS),
            "alert_addresses": len(settings.ALERT_EMAIL),
        },
    )


@require_POST
@staff_only(SEND_TEST_ALERT)
def test_alert(request: HttpRequest) -> HttpResponse:
    """Have the worker send every destination of alerts a test."""
    if ask_for_test_alert(request.user.get_username()):
        messages.success(request, "Sent. The worker's log says which destination refused it.")
    else:
        messages.error(request, "Nothing was sent: the broker does not answer.")
    return redirect("staff-system")


def _surfaces(readings: Readings) -> list[str]:
    return readings.slices("response_p95_ms", "surface")


def _percentiles(readings: Readings, part: str, filters: DashboardFilters) -> Chart:
    dimension = "surface" if part else "all"
    return Chart(
        f"response-{part or 'all'}",
        f"Response time, {part or 'all surfaces'}",
        " ".join(METRICS[name].meaning for name in PERCENTILES),
        "Day",
        filters.period.days,
        [
            Line(label, readings.by_day(name, dimension, part))
            for name, label in PERCENTILES.items()
        ],
        "milliseconds",
    )


def _daily(readings: Readings, filters: DashboardFilters) -> list[Chart]:
    days = filters.period.days
    charts = []
    for name in DAILY:
        if not filters.shows(METRICS[name]):
            continue
        lines = [(METRICS[name].label, readings.by_day(name))]
        if name == "event_lag_seconds":
            lines = [("mean", lines[0][1]), ("95 %", readings.by_day("event_lag_p95_seconds"))]
        charts.append(of_metric(METRICS[name], days, lines))
    return charts


def _now(health: Health, now: datetime) -> Table:
    lag = format_value(health.event_lag_seconds, "seconds")
    runs = ", ".join(f"{count} {status}" for status, count in sorted(health.runs.items()))
    return Table(
        "now",
        "The last hour",
        ["What", "How it stands"],
        [
            ["Responses", health.responses],
            ["Fallback share", format_value(health.fallback_share, "share")],
            ["Events that came", health.events],
            ["Event lag, 95 %", lag],
            ["Live release", "none" if health.release is None else f"release {health.release}"],
            ["Model age", format_value(health.model_age_hours, "hours")],
            ["Messages in the queue", "unknown" if health.queue is None else health.queue],
            ["Training runs", runs or "none waits or runs"],
            ["Looked at", _ago(health.at, now)],
        ],
        "Taken by the worker every minute, of real viewers. While it does not run, this stands.",
    )


def _stages(health: Health) -> Table:
    return Table(
        "stages",
        "The last hour by surface",
        ["Surface", "Responses", "Fallbacks", "Median", "95 %", "99 %"],
        [
            [
                surface,
                stage.responses,
                stage.fallbacks,
                *(
                    format_value(ms, "milliseconds")
                    for ms in (stage.p50_ms, stage.p95_ms, stage.p99_ms)
                ),
            ]
            for surface, stage in health.stages.items()
        ],
        "The engine's time for responses of the last hour to real viewers. Typing: answers to "
        "keystrokes.",
        "No response within the last hour.",
    )


def _counted() -> Table:
    last = Refresh.objects.first()
    when = f"Looked for news last at {last.started_at:%Y-%m-%d %H:%M} UTC. " if last else ""
    return Table(
        "counted",
        "Days counted",
        ["Day", "Counted, UTC", "Visits", "Events", "Took"],
        [
            [
                day.day,
                f"{day.counted_at:%Y-%m-%d %H:%M}",
                day.visits,
                day.events,
                f"{day.took_seconds:.1f} s",
            ]
            for day in CountedDay.objects.all()[:DAYS_SHOWN]
        ],
        f"{when}Real and simulated visits together. `manage.py metrics` counts now what is new.",
        "No day is counted yet: `manage.py metrics` counts them.",
    )


def _alerts() -> Table:
    return Table(
        "alerts",
        "Alerts",
        ["What", "Value", "Threshold", "Raised, UTC", "Over"],
        [
            [
                alert.label,
                f"{alert.value:.4g}",
                f"{alert.threshold:g}",
                f"{alert.raised_at:%Y-%m-%d %H:%M}",
                f"{alert.ended_at:%Y-%m-%d %H:%M}" if alert.ended_at else "no",
            ]
            for alert in Alert.objects.all()[:DAYS_SHOWN]
        ],
        "What crossed a threshold of the settings, the newest first.",
        "None so far.",
    )


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never: is the worker running?"
    minutes = int((now - at).total_seconds() // 60)
    return f"{at:%Y-%m-%d %H:%M} UTC, {minutes} min ago"
