"""Admin of search rules and synonyms: one permission, and every change in the audit log."""

from typing import TypeVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from webapp.catalog.autocomplete import CheckedAutocompleteMixin
from webapp.metrics.audit import record_act
from webapp.metrics.models import AuditEntry
from webapp.pages import viewers_admin  # noqa: F401  it registers accounts and profiles
from webapp.rules.models import CURATE_SEARCH, Rule, Synonym

M = TypeVar("M", bound=Model)


class CurationAdmin(admin.ModelAdmin[M]):
    """Admin of what `CURATE_SEARCH` permits to see and change."""

    save_on_top = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CURATE_SEARCH)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return request.user.has_perm(CURATE_SEARCH)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(CURATE_SEARCH)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return request.user.has_perm(CURATE_SEARCH)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return request.user.has_perm(CURATE_SEARCH)

    def save_model(self, request: HttpRequest, obj: M, form: ModelForm[M], change: bool) -> None:
        super().save_model(request, obj, form, change)
        _record(request, "changed" if change else "added", obj)

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        _record(request, "removed", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        for obj in queryset:
            _record(request, "removed", obj)
        super().delete_queryset(request, queryset)


def _record(request: HttpRequest, done: str, obj: Model) -> None:
    what = f"{done} {obj._meta.verbose_name} {obj.pk}: {obj}"
    record_act(request.user, AuditEntry.Act.SEARCH_CURATED, what, timezone.now())


@admin.register(Rule)
class RuleAdmin(CheckedAutocompleteMixin, CurationAdmin[Rule]):
    list_display = ["__str__", "position", "begins_at", "ends_at", "note"]
    list_filter = ["act"]
    search_fields = ["queries", "title__name", "note"]
    autocomplete_fields = ["title"]
    list_select_related = ["title"]


@admin.register(Synonym)
class SynonymAdmin(CurationAdmin[Synonym]):
    list_display = ["__str__", "is_active", "note"]
    list_filter = ["is_active"]
    search_fields = ["phrases", "note"]
