"""Alerts: a health snapshot and daily metrics in, raised and ended alerts out.

Only real visits count. An alert is raised until its value is back below the threshold; while it
is raised, each destination is notified again every `ALERT_REPEAT_HOURS`.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from webapp.metrics.health_snapshot import Health
from webapp.metrics.models import Alert
from webapp.metrics.notifications import Destination, destinations, notify
from webapp.metrics.readings import Period, Readings

logger = logging.getLogger(__name__)

RETRY = timedelta(hours=1)
"""When an alert is sent again to a destination that refused it."""

ABANDONMENT_DAYS = 2
MIN_RESPONSES = 20
"""With fewer in the last hour, the fallback share is unknown."""


@dataclass(frozen=True)
class Reading:
    """A value and its threshold; None is unknown, and changes no alert."""

    name: str
    value: float | None
    threshold: float

    @property
    def is_crossed(self) -> bool:
        return self.value is not None and self.value > self.threshold


def read_values(health: Health, now: datetime) -> list[Reading]:
    """Return each value that has a threshold. One query.

    Abandonment is that of today and yesterday, by the lower end of its interval, so that random
    variation raises no alert.
    """
    metrics = Readings.of(
        Period.ending(now.date(), ABANDONMENT_DAYS), is_simulated=False, metrics=["abandonment"]
    )
    has_enough = health.responses >= MIN_RESPONSES
    values: Mapping[str, float | None] = {
        "abandonment": metrics.total("abandonment").low,
        "fallback_share": health.fallback_share if has_enough else None,
        "event_lag_seconds": health.event_lag_seconds,
        "model_age_hours": health.model_age_hours,
    }
    return [
        Reading(name, values[name], threshold)
        for name, threshold in settings.ALERT_THRESHOLDS.items()
    ]


def check_alerts(health: Health, now: datetime) -> list[Alert]:
    """Raise, update and end alerts, and notify operators; return those that are raised."""
    raised = [
        alert
        for reading in read_values(health, now)
        if (alert := _upsert_alert(reading, now)) is not None
    ]
    _notify(raised, now)
    return raised


def send_test(operator: str) -> None:
    """Send every destination a line that says it is a test, whatever is raised."""
    line = f"Test by {operator}: alerts arrive here"
    notify([(destination, [line]) for destination in destinations()])


def _notify(raised: Sequence[Alert], now: datetime) -> None:
    """Send each destination the alerts that are new to it, or due again."""
    due = [
        (destination, alerts)
        for destination in destinations()
        if (alerts := [alert for alert in raised if _is_due(alert, destination, now)])
    ]
    if not due:
        return
    taken = notify(
        [(to, [f"{alert.label}: {alert.sentence}" for alert in alerts]) for to, alerts in due]
    )
    # What was refused is sent again in an hour: a failure may come after the delivery.
    repeat = timedelta(hours=settings.ALERT_REPEAT_HOURS)
    for (destination, alerts), is_taken in zip(due, taken, strict=True):
        at = now if is_taken else min(now, now - repeat + RETRY)
        for alert in alerts:
            alert.notified[destination.key] = at.isoformat()
            alert.notified_at = now
    Alert.objects.bulk_update(raised, ["notified", "notified_at"])


def _upsert_alert(reading: Reading, now: datetime) -> Alert | None:
    """Write the reading to its alert; return the alert if it is raised."""
    raised = Alert.objects.raised().filter(name=reading.name)
    if reading.value is None:
        return raised.first()
    if not reading.is_crossed:
        if raised.update(ended_at=now, value=reading.value):
            logger.warning("alert over: %s is %.4g again", reading.name, reading.value)
        return None
    values = {"value": reading.value, "threshold": reading.threshold, "seen_at": now}
    with transaction.atomic():
        alert, _ = raised.select_for_update().update_or_create(
            name=reading.name,
            ended_at=None,
            defaults=values,
            create_defaults=values | {"raised_at": now},
        )
    return alert


def _is_due(alert: Alert, destination: Destination, now: datetime) -> bool:
    at = alert.notified.get(destination.key)
    repeat = timedelta(hours=settings.ALERT_REPEAT_HOURS)
    return at is None or now - datetime.fromisoformat(at) >= repeat
