"""Counted days, alerts and the audit log in the admin, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from webapp.metrics.models import Alert, AuditEntry, CountedDay


class ReadOnly(admin.ModelAdmin[Any]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CountedDay)
class CountedDayAdmin(ReadOnly):
    list_display = ["day", "counted_at", "visits", "events", "took_seconds"]


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    list_display = ["name", "value", "threshold", "raised_at", "ended_at", "told_at"]
    list_filter = ["name"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["at", "operator_name", "act", "what"]
    list_filter = ["act"]
    search_fields = ["operator_name", "what"]
