"""Rate limits of the API, from the settings. Simulated viewers are exempt."""

from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from webapp.events.clock import is_simulated


class ViewerThrottle(UserRateThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        return is_simulated(request._request) or super().allow_request(request, view)


class EventsThrottle(ViewerThrottle):
    scope = "events"


class SearchThrottle(ViewerThrottle):
    scope = "search"


class SuggestThrottle(ViewerThrottle):
    scope = "suggest"
