"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from webapp.pages.account import admin_login

urlpatterns = [
    path("admin/login/", admin_login),
    path("admin/password_change/", RedirectView.as_view(pattern_name="change-password")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("webapp.api.urls")),
    path("", include("webapp.pages.urls")),
]
handler400 = "webapp.pages.errors.bad_request"
handler403 = "webapp.pages.errors.permission_denied"
handler404 = "webapp.pages.errors.page_not_found"
handler500 = "webapp.pages.errors.server_error"
