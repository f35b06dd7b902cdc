"""URLs below /api/v1/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from webapp.api.events import EventsView
from webapp.api.search import RecentSearchView, SearchView, SuggestView

urlpatterns = [
    path("events", EventsView.as_view(), name="api-events"),
    path("search", SearchView.as_view(), name="api-search"),
    path("suggest", SuggestView.as_view(), name="api-suggest"),
    path("searches", RecentSearchView.as_view(), name="api-searches"),
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
]
