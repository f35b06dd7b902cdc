"""Rate limits: a fixed window from a viewer's first request, counted in one call."""

import os
import time
import uuid
from typing import Any

import pytest
from django.core.cache import caches

from webapp import limits
from webapp.api.throttling import SuggestThrottle
from webapp.limits import counted

CACHES = [
    "django.core.cache.backends.locmem.LocMemCache",
    "django.core.cache.backends.redis.RedisCache",
]


@pytest.fixture(params=CACHES)
def key(request, settings):
    """A key of its own in each kind of cache; the broker's Redis, where there is one."""
    if request.param.endswith("RedisCache"):
        address = os.environ.get("MARQUEE_CACHE_URL") or os.environ.get("CELERY_BROKER_URL", "")
        settings.CACHES = {"default": {"BACKEND": request.param, "LOCATION": address}}
        try:
            caches["default"].get("anything")
        except Exception as error:
            pytest.skip(f"no Redis answers: {error}")
    return f"throttle-{uuid.uuid4()}"


def test_a_window_counts_from_one_and_begins_anew(key):
    assert [counted(key, 1)[0] for _ in range(3)] == [1, 2, 3]
    assert 0 < counted(key, 1)[1] <= 1
    time.sleep(1.1)
    assert counted(key, 1)[0] == 1


def test_redis_is_called_once(settings, monkeypatch):
    sent = []

    class Pipeline(list[Any]):
        def __getattr__(self, name):
            return lambda *values, **options: self.append((name, values[1:], options))

        def execute(self):
            sent.append([name for name, _, _ in self])
            return [True, 7, 500]

    settings.CACHES = {"default": {"BACKEND": CACHES[1], "LOCATION": "redis://nowhere"}}
    client = type("Client", (), {"pipeline": lambda self, transaction: Pipeline()})()
    monkeypatch.setattr(
        type(caches["default"]._cache),  # type: ignore[attr-defined]
        "get_client",
        lambda *_, **__: client,
    )
    assert counted("a-key", 60) == (7, 0.5)
    assert sent == [["set", "incr", "pttl"]]


@pytest.mark.django_db
def test_each_viewer_has_a_window_of_its_own(owner_client, client, release, monkeypatch, cast):
    monkeypatch.setattr(SuggestThrottle, "rate", "2/min", raising=False)
    codes = [owner_client.get("/api/v1/suggest?q=a").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = owner_client.get("/api/v1/suggest?q=a")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    owner_client.logout()
    assert owner_client.get("/api/v1/suggest?q=a").status_code == 200


def test_a_redis_that_is_gone_costs_a_try_and_no_answer(settings, monkeypatch):
    settings.CACHES = {"default": {"BACKEND": CACHES[1], "LOCATION": "redis://127.0.0.1:1"}}
    monkeypatch.setattr(limits._pause, "until", 0.0)
    key, tries, by_redis = f"throttle-{uuid.uuid4()}", [], limits._counted_by_redis

    def tried(*args):
        tries.append(args)
        return by_redis(*args)

    monkeypatch.setattr(limits, "_counted_by_redis", tried)
    assert [counted(key, 60)[0] for _ in range(5)] == [1, 2, 3, 4, 5]
    assert len(tries) == 1, "it is left alone for a while"


def test_other_callers_do_not_push_out_a_count():
    key = f"throttle-{uuid.uuid4()}"
    counted(key, 60)
    for other in range(2000):
        counted(f"{key}-{other}", 60)
    assert counted(key, 60)[0] == 2
