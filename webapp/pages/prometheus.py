"""GET /metrics: health snapshot, daily metrics and alerts as Prometheus gauges.

They are read from the database, so every web process returns the same values.
"""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from webapp.metrics.definitions import METRICS
from webapp.metrics.health_snapshot import Health, latest_health
from webapp.metrics.models import Alert, CountedDay
from webapp.metrics.readings import Period, Readings
from webapp.pages.dashboards.serving import VIEW_DASHBOARDS, may

DAYS = 2
"""Daily metrics are those of today and yesterday."""


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Respond to staff and to requests with the bearer token. Six queries."""
    if not _may_read(request):
        reason = "Log in as staff, or send the token of MARQUEE_METRICS_TOKEN as a bearer."
        return HttpResponse(reason, content_type="text/plain", status=403)
    registry = CollectorRegistry()
    registry.register(_SiteCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN
    if token and scheme.lower() == "bearer" and constant_time_compare(credentials.strip(), token):
        return True
    return may(request, VIEW_DASHBOARDS)


class _SiteCollector(Collector):
    """Yields the site's metric families; values that are unknown are left out."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield from _of_health(latest_health())
        yield from _of_days()
        raised = {alert.name for alert in Alert.objects.raised()}
        alerts = GaugeMetricFamily(
            "marquee_alert", "1 while a threshold is crossed.", labels=["name"]
        )
        for name in settings.ALERT_THRESHOLDS:
            alerts.add_metric([name], float(name in raised))
        yield alerts


def _of_health(health: Health) -> Iterator[Metric]:
    seconds = GaugeMetricFamily(
        "marquee_response_seconds",
        "Engine time of the last hour's responses.",
        labels=["surface", "quantile"],
    )
    responses = GaugeMetricFamily(
        "marquee_responses", "Responses of the last hour.", labels=["surface"]
    )
    fallbacks = GaugeMetricFamily(
        "marquee_fallbacks", "Those of popular titles.", labels=["surface"]
    )
    for surface, stage in health.stages.items():
        responses.add_metric([surface], stage.responses)
        fallbacks.add_metric([surface], stage.fallbacks)
        for quantile in (50, 95, 99):
            ms = getattr(stage, f"p{quantile}_ms")
            seconds.add_metric([surface, str(quantile / 100)], ms / 1000)
    runs = GaugeMetricFamily("marquee_training_runs", "Runs not ended.", labels=["status"])
    for status in ("queued", "running"):
        runs.add_metric([status], health.runs.get(status, 0))
    yield from (seconds, responses, fallbacks, runs)
    hours = health.model_age_hours
    yield from _gauges(
        ("marquee_events", "Events that came within the last hour.", health.events),
        ("marquee_event_lag_seconds", "95 % came within.", health.event_lag_seconds),
        (
            "marquee_model_age_seconds",
            "Age of the live release.",
            None if hours is None else hours * 3600,
        ),
        ("marquee_release", "The live release's number.", health.release),
        ("marquee_queue_messages", "Messages at the broker.", health.queue),
        (
            "marquee_pulse_timestamp_seconds",
            "When this was taken.",
            health.at.timestamp() if health.at else None,
        ),
    )


def _of_days() -> Iterator[Metric]:
    today = timezone.now().date()
    family = GaugeMetricFamily(
        "marquee_metric",
        "Daily metrics of today and yesterday; docs/metrics.md defines them.",
        labels=["metric", "traffic"],
    )
    for traffic in ("real", "simulated"):
        readings = Readings.of(
            Period.ending(today, DAYS), is_simulated=traffic == "simulated", metrics=METRICS
        )
        for name in METRICS:
            value = readings.total(name).value
            if value is not None:
                family.add_metric([name, traffic], value)
    yield family
    last = CountedDay.objects.order_by("-counted_at").first()
    yield from _gauges(
        (
            "marquee_counted_timestamp_seconds",
            "When a day was counted last.",
            last.counted_at.timestamp() if last else None,
        )
    )


def _gauges(*gauges: tuple[str, str, float | None]) -> Iterator[Metric]:
    """Yield a gauge for each name, help text and value, unless the value is None."""
    for name, help_text, value in gauges:
        if value is not None:
            yield GaugeMetricFamily(name, help_text, value=value)
