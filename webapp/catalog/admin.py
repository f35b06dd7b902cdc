"""Admin of titles, genres and people."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model, QuerySet, URLField
from django.http import HttpRequest, HttpResponse

from webapp.catalog.autocomplete import CheckedAutocompleteMixin
from webapp.catalog.models import Credit, Genre, Person, Title
from webapp.postgresql.retries import retried
from webapp.postgresql.timeouts import PATIENT_SECONDS, answers_within

M = TypeVar("M", bound=Model)


class InUseAdmin(admin.ModelAdmin[M]):
    """Admin of what viewers' events name: it is deleted while they go on.

    It is locked first, so that what is written meanwhile waits, and then finds it gone.
    """

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        view = super().delete_view
        return retried(lambda: view(request, object_id, extra_context))

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        self.delete_queryset(request, self.model._default_manager.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        retried(lambda: self._delete(self.model._default_manager.filter(pk__in=ids)))

    @staticmethod
    def _delete(chosen: QuerySet[M]) -> None:
        with answers_within(PATIENT_SECONDS):
            list(chosen.select_for_update().order_by("pk").values_list("pk"))
            chosen.delete()


class CreditInline(CheckedAutocompleteMixin, admin.TabularInline[Credit, Title]):
    model = Credit
    extra = 0
    autocomplete_fields = ["person"]


@admin.register(Title)
class TitleAdmin(InUseAdmin[Title]):
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_display = ["name", "year", "kind", "runtime_minutes", "votes", "added_at"]
    list_filter = ["kind", "genres"]
    search_fields = ["name", "external_id"]
    ordering = ["-pk"]
    date_hierarchy = "added_at"
    filter_horizontal = ["genres"]
    inlines = [CreditInline]


@admin.register(Genre)
class GenreAdmin(InUseAdmin[Genre]):
    list_display = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Person)
class PersonAdmin(InUseAdmin[Person]):
    search_fields = ["name"]
