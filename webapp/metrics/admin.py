"""Counted days, alerts and the audit log in the admin, to read."""

from django.contrib import admin

from webapp.metrics.models import Alert, AuditEntry, CountedDay
from webapp.releases.admin import ReadOnly


@admin.register(CountedDay)
class CountedDayAdmin(ReadOnly):
    list_display = ["day", "counted_at", "visits", "events", "took_seconds"]


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    list_display = ["name", "value", "threshold", "raised_at", "ended_at", "notified_at"]
    list_filter = ["name"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["at", "operator_name", "act", "what"]
    list_filter = ["act"]
    search_fields = ["operator_name", "what"]
