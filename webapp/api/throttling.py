"""Rate limits of the API, from the settings. Simulated viewers are exempt."""

from typing import Any

from rest_framework.throttling import UserRateThrottle

from webapp.events.clock import is_simulated
from webapp.limits import WindowThrottle


class ViewerThrottle(WindowThrottle, UserRateThrottle):
    """Counts by account, and by address where nobody is logged in."""

    def allow_request(self, request: Any, view: Any = None) -> bool:
        """Count the request, and return whether it is within the rate."""
        return is_simulated(request._request) or super().allow_request(request, view)


class EventsThrottle(ViewerThrottle):
    scope = "events"


class EventsADayThrottle(ViewerThrottle):
    """Counts events, by the batch."""

    scope = "events_a_day"

    def __init__(self, events: int) -> None:
        super().__init__()
        self.amount = events


class SearchThrottle(ViewerThrottle):
    scope = "search"


class SuggestThrottle(ViewerThrottle):
    scope = "suggest"
