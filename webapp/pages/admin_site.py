"""The admin, with the second factor where the setting asks operators for one."""

from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.http import Http404, HttpRequest

from webapp.pages.second_factor import is_verified


class VerifiedAdminSite(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        """Return True for operators, verified as the setting asks."""
        return super().has_permission(request) and is_verified(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Let what an address names and no row or field can be called end as a 404.

        Django raises errors of forms and fields there, which nobody catches.
        """

        @wraps(view)
        def or_404(*args: Any, **kwargs: Any) -> Any:
            try:
                return view(*args, **kwargs)
            except (FieldDoesNotExist, ValidationError) as error:
                raise Http404(str(error)) from error

        return super().admin_view(or_404, cacheable)
