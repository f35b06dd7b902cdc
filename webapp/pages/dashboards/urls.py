"""The dashboards' addresses, below /staff/."""

from django.urls import path

from webapp.pages.dashboards import experiments, models, overview, people, rows, search, system

urlpatterns = [
    path("", overview.overview, name="staff-overview"),
    path("rows/", rows.rows, name="staff-rows"),
    path("search/", search.search, name="staff-search"),
    path("search/reviewed/", search.reviewed, name="staff-reviewed"),
    path("models/", models.models, name="staff-models"),
    path("models/roll-back/", models.roll_back, name="staff-roll-back"),
    path("experiments/", experiments.experiments, name="staff-experiments"),
    path("people/", people.people, name="staff-people"),
    path("people/<int:pk>/", people.person, name="staff-person"),
    path("people/<int:pk>/visits/<uuid:visit_id>/", people.visit, name="staff-visit"),
    path("system/", system.system, name="staff-system"),
    path("system/test-alert/", system.test_alert, name="staff-test-alert"),
]
