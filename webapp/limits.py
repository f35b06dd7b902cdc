"""Rate limits: a caller and a rate in, whether it may go on out.

A fixed window: it begins with a caller's first request and lasts as long as the rate says. Counting
costs one call to the cache, whatever the rate; the window of REST framework's own throttles is a
list of times that is read and written whole. Where Redis does not answer, each process counts for
itself until it does.

A caller's address is the connection's, or the one that the last of `MARQUEE_PROXIES` saw
(`rest_framework.throttling.BaseThrottle.get_ident`).
"""

import logging
import threading
import time
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

logger = logging.getLogger(__name__)

REDIS_PAUSE_SECONDS = 5.0
"""How long Redis is left alone after it did not answer, so that not every request waits for it."""
OWN_ENTRIES = 100_000
"""Windows that one process counts; where there are more, a third of them at random begin anew."""


class WindowThrottle(SimpleRateThrottle):
    """A throttle of REST framework with a fixed window, for views of either framework."""

    duration: float
    num_requests: int
    amount = 1
    """As how many a request counts."""

    def allow_request(self, request: Any, view: Any = None) -> bool:
        """Count the request, and return whether it is within the rate."""
        if self.rate is None:
            return True
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        count, self._left = counted(str(key), int(self.duration), self.amount)
        return bool(count <= self.num_requests)

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return self._left


def address_of(request: HttpRequest) -> str:
    """Return the address of who asks, as far as our own proxies vouch for it."""
    return str(BaseThrottle().get_ident(request))  # type: ignore[arg-type]


def counted(key: str, seconds: int, amount: int = 1) -> tuple[int, float]:
    """Add to a window's count; return the count, and the seconds until the window ends.

    Redis does both in one call. Another cache does not say when a window ends: it may be now.
    """
    cache = caches["default"]
    if not isinstance(cache, RedisCache):
        return _counted_by(cache, key, seconds, amount)
    if time.monotonic() < _pause.until:
        return _counted_by(_own_cache, key, seconds, amount)
    try:
        return _counted_by_redis(cache, key, seconds, amount)
    except (RedisError, OSError) as error:
        _pause.until = time.monotonic() + REDIS_PAUSE_SECONDS
        logger.warning("Redis does not answer, this process counts for itself: %s", error)
        return _counted_by(_own_cache, key, seconds, amount)


def _counted_by(cache: BaseCache, key: str, seconds: int, amount: int) -> tuple[int, float]:
    with _counting:
        cache.add(key, 0, seconds)
        try:
            return int(cache.incr(key, amount)), float(seconds)
        except ValueError:  # the window ended between the two
            cache.set(key, amount, seconds)
            return amount, float(seconds)


def _counted_by_redis(cache: RedisCache, key: str, seconds: int, amount: int) -> tuple[int, float]:
    name = cache.make_and_validate_key(key)
    calls = cache._cache.get_client(name, write=True).pipeline(transaction=True)
    calls.set(name, 0, ex=seconds, nx=True)
    calls.incr(name, amount)
    calls.pttl(name)
    _, count, left = calls.execute()
    return count, max(left, 0) / 1000


class _Pause:
    until = 0.0


_pause = _Pause()
_counting = threading.Lock()
_own_cache = LocMemCache("rate-limits", {"OPTIONS": {"MAX_ENTRIES": OWN_ENTRIES}})
