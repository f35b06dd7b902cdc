"""Alerts: what crossed a threshold, for the dashboards, the log, an address and a webhook.

Real visits alone are watched. An alert stands until its value is back; who is told, is told again
after `ALERT_REPEAT_HOURS` and not before.
"""

import json
import logging
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from webapp.metrics.models import Alert
from webapp.metrics.readings import Period, Readings
from webapp.metrics.vitals import Vitals

logger = logging.getLogger(__name__)

ABANDONMENT_DAYS = 2
FEWEST_RESPONSES = 20
"""Fewer in the last hour tell nothing of the share of fallbacks."""
WEBHOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Watched:
    """A value that is held against a threshold; None is not known, and changes nothing."""

    name: str
    value: float | None
    threshold: float

    @property
    def is_crossed(self) -> bool:
        return self.value is not None and self.value > self.threshold


def raised() -> list[Alert]:
    """Return the alerts that stand now, the newest first. One query."""
    return list(Alert.objects.filter(ended_at=None))


def watched(vitals: Vitals, now: datetime) -> list[Watched]:
    """Return what is watched, and how it stands. One query.

    Abandonment is that of today and yesterday, by the lower end of its interval: chance alone
    raises nothing.
    """
    readings = Readings.of(
        Period.ending(now.date(), ABANDONMENT_DAYS), is_simulated=False, metrics=["abandonment"]
    )
    has_enough = vitals.responses >= FEWEST_RESPONSES
    values: Mapping[str, float | None] = {
        "abandonment": readings.total("abandonment").low,
        "fallback_share": vitals.fallback_share if has_enough else None,
        "event_lag_seconds": vitals.event_lag_seconds,
        "model_age_hours": vitals.model_age_hours,
    }
    return [Watched(name, values[name], at) for name, at in settings.ALERT_THRESHOLDS.items()]


def watch(vitals: Vitals, now: datetime) -> list[Alert]:
    """Raise, keep and end alerts, and tell of them; those that stand."""
    standing = [alert for each in watched(vitals, now) if (alert := _settle(each, now)) is not None]
    due = [alert for alert in standing if _is_due(alert, now)]
    if due:
        _tell(due)
        Alert.objects.filter(pk__in=[alert.pk for alert in due]).update(told_at=now)
    return standing


def _settle(each: Watched, now: datetime) -> Alert | None:
    """Make the alert's row say how the value stands; the alert, where it is crossed."""
    standing = Alert.objects.filter(name=each.name, ended_at=None)
    if each.value is None:
        return standing.first()
    if not each.is_crossed:
        if standing.update(ended_at=now, value=each.value):
            logger.warning("alert over: %s is %.4g again", each.name, each.value)
        return None
    with transaction.atomic():
        alert, _ = standing.select_for_update().update_or_create(
            name=each.name,
            ended_at=None,
            defaults={"value": each.value, "threshold": each.threshold, "seen_at": now},
            create_defaults={
                "value": each.value,
                "threshold": each.threshold,
                "seen_at": now,
                "raised_at": now,
            },
        )
    return alert


def _is_due(alert: Alert, now: datetime) -> bool:
    repeat = timedelta(hours=settings.ALERT_REPEAT_HOURS)
    return alert.told_at is None or now - alert.told_at >= repeat


def _tell(alerts: Iterable[Alert]) -> None:
    """Write to the log, the address and the webhook; one that fails keeps no other from it."""
    words = [f"{alert.label}: {alert.words}" for alert in alerts]
    for line in words:
        logger.warning("alert: %s", line)
    if settings.ALERT_EMAIL:
        try:
            send_mail(f"Marquee: {words[0]}", "\n".join(words), None, settings.ALERT_EMAIL)
        except OSError:
            logger.exception("the alert could not be sent to %s", ", ".join(settings.ALERT_EMAIL))
    if settings.ALERT_WEBHOOK:
        try:
            _post(settings.ALERT_WEBHOOK, {"text": "\n".join(words), "alerts": words})
        except OSError:
            logger.exception("the alert could not be sent to the webhook")


def _post(address: str, body: Mapping[str, object]) -> None:
    request = urllib.request.Request(  # noqa: S310  the settings let no other scheme through
        address, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS):  # noqa: S310
        pass
