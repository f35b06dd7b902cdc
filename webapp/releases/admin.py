"""Read-only admin of training runs, releases and rankers; `manage.py releases` publishes."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from webapp.releases.models import RankerVersion, Release, TrainingRun


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ["pk", "kind", "status", "stage", "queued_at", "started_at", "finished_at"]
    list_filter = ["kind", "status"]


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = ["pk", "is_live", "created_at", "published_at", "folder"]


@admin.register(RankerVersion)
class RankerVersionAdmin(ReadOnlyAdmin):
    list_display = ["pk", "is_live", "start", "learned_until", "created_at", "published_at"]
