"""Alerts: what crossed a threshold, for the dashboards, the log, an address and a webhook."""

from webapp.metrics.models import Alert


def raised() -> list[Alert]:
    """Return the alerts that stand now, the newest first. One query."""
    return list(Alert.objects.filter(ended_at=None))
