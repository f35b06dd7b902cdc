"""The dashboards' addresses, below /staff/."""

from django.urls import path

from webapp.pages.dashboards import overview

urlpatterns = [
    path("", overview.overview, name="staff-overview"),
]
