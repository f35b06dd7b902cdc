"""The dashboards' addresses, below /staff/."""

from django.urls import path

from webapp.pages.dashboards import overview, rows, search, system

urlpatterns = [
    path("", overview.overview, name="staff-overview"),
    path("rows/", rows.rows, name="staff-rows"),
    path("search/", search.search, name="staff-search"),
    path("system/", system.system, name="staff-system"),
]
