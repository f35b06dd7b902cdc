"""Django's admin with our own site; apart from the site, which needs models to be imported."""

from django.contrib.admin.apps import AdminConfig


class VerifiedAdminConfig(AdminConfig):
    default_site = "webapp.pages.admin_site.VerifiedAdminSite"
