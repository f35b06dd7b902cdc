"""Rate limits of the API, from the settings. Simulated viewers are exempt.

A fixed window: it begins with a viewer's first request and lasts as long as the rate says. Counting
costs one call to the cache, whatever the rate; the window of REST framework's own throttles is a
list of times that is read and written whole.
"""

from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from webapp.events.clock import is_simulated


class ViewerThrottle(UserRateThrottle):
    duration: float
    num_requests: int

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request, and return whether it is within the rate."""
        if self.rate is None or is_simulated(request._request):
            return True
        key = self.get_cache_key(request, view)
        count, self._left = counted(str(key), int(self.duration))
        return bool(count <= self.num_requests)

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return self._left


def counted(key: str, seconds: int) -> tuple[int, float]:
    """Add one to a window's count; return the count, and the seconds until the window ends.

    Redis does both in one call. Another cache does not say when a window ends: it may be now.
    """
    cache = caches["default"]
    if not isinstance(cache, RedisCache):
        cache.add(key, 0, seconds)
        return int(cache.incr(key)), float(seconds)
    name = cache.make_and_validate_key(key)
    calls = cache._cache.get_client(name, write=True).pipeline(transaction=True)
    calls.set(name, 0, ex=seconds, nx=True)
    calls.incr(name)
    calls.pttl(name)
    _, count, left = calls.execute()
    return count, max(left, 0) / 1000


class EventsThrottle(ViewerThrottle):
    scope = "events"


class SearchThrottle(ViewerThrottle):
    scope = "search"


class SuggestThrottle(ViewerThrottle):
    scope = "suggest"
