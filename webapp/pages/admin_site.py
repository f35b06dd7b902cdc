"""The admin, with the second factor where the setting asks operators for one."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from webapp.pages.second_factor import is_verified


class VerifiedAdminSite(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        """Return True for operators, verified as the setting asks."""
        return super().has_permission(request) and is_verified(request)
