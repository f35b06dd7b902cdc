"""Rate limits on what strangers can call; the rates stand in settings."""

from rest_framework.throttling import UserRateThrottle


class EventsThrottle(UserRateThrottle):
    scope = "events"


class SearchThrottle(UserRateThrottle):
    scope = "search"
