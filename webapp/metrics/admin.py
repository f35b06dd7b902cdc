"""Counted days, alerts and the audit log in the admin, to read."""

from django.contrib import admin

from webapp.metrics.models import Alert, AuditEntry, CountedDay
from webapp.releases.admin import ReadOnlyAdmin


@admin.register(CountedDay)
class CountedDayAdmin(ReadOnlyAdmin):
    list_display = ["day", "counted_at", "visits", "events", "took_seconds"]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["name", "value", "threshold", "raised_at", "ended_at", "notified_at"]
    list_filter = ["name"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "operator_name", "act", "what"]
    list_filter = ["act"]
    search_fields = ["operator_name", "what"]
