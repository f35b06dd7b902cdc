"""Admin of accounts and profiles: they are deleted as their owners delete them, while in use.

Ratings and events are not edited here.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from webapp.catalog.autocomplete import CheckedAutocompleteMixin
from webapp.postgresql.retries import retried
from webapp.profiles.models import Profile
from webapp.slates.deletion import delete_account, delete_profile

M = TypeVar("M", bound=Model)


class DeletedWholeAdmin(admin.ModelAdmin[M]):
    """Admin of what is deleted by its locks, and with all that was kept of it unread.

    Django would load every event and slate of a profile to list them first.
    """

    delete_one: Callable[[int], None]
    """Deletes by id."""
    goes_along = ""
    """What is deleted with it, in words."""

    def get_deleted_objects(
        self, objs: Iterable[M], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        chosen = list(objs)
        name = str(self.model._meta.verbose_name_plural)
        return [*map(str, chosen), self.goes_along], {name: len(chosen)}, set(), []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        view = super().delete_view
        return retried(lambda: view(request, object_id, extra_context))

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        type(self).delete_one(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        for pk in list(queryset.order_by("pk").values_list("pk", flat=True)):
            type(self).delete_one(pk)


@admin.register(Profile)
class ProfileAdmin(CheckedAutocompleteMixin, DeletedWholeAdmin[Profile]):
    list_display = ["name", "account", "external_id", "created_at"]
    search_fields = ["name", "external_id", "account__username"]
    autocomplete_fields = ["account"]
    delete_one = staticmethod(delete_profile)
    goes_along = "All ratings, lists, visits, events and slates of it"


admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(DeletedWholeAdmin[User], UserAdmin[User]):
    delete_one = staticmethod(delete_account)
    goes_along = "All profiles of it, with all that was kept of them"
