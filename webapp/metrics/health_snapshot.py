"""Health snapshot of the last hour: the worker measures it each minute, web processes read it.

It is one row, so that every web process answers Prometheus with the same values.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import connection, models
from django.db.models import Count

from webapp.metrics.models import HealthSnapshot
from webapp.releases.models import Release, TrainingRun

SQL = {
    name: (Path(__file__).parent / "sql" / f"{name}.sql").read_text() for name in ("health", "lag")
}
WINDOW = timedelta(hours=1)
MOST_SLATES = 20_000
QUEUES = ("celery", "train")
LONGEST_SILENCE = timedelta(minutes=3)
"""After it a worker that measures every minute is dead or too busy."""
LONGEST_QUEUED = timedelta(minutes=15)
"""After it nobody takes up what is to be trained."""
BROKER_SECONDS = 1.0


@dataclass(frozen=True)
class Stage:
    """Responses of the last hour on one surface, and the engine's milliseconds for them."""

    responses: int
    fallbacks: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Health:
    """The last hour of real viewers, the live release, and the queues.

    Attributes:
        at: when it was measured; None if it never was.
        stages: by surface; "typing" are answers to keystrokes.
        events: that came.
        event_lag_seconds: 95 % of them came within it; None without events.
        release: the live release's number; None if none is live.
        model_age_hours: how long ago the live release was made.
        queue: messages waiting at the broker; None if it does not answer.
        runs: training runs queued and running.
    """

    at: datetime | None = None
    stages: dict[str, Stage] = field(default_factory=dict)
    events: int = 0
    event_lag_seconds: float | None = None
    release: int | None = None
    model_age_hours: float | None = None
    queue: int | None = None
    runs: dict[str, int] = field(default_factory=dict)

    @property
    def responses(self) -> int:
        return sum(stage.responses for stage in self.stages.values())

    @property
    def fallback_share(self) -> float | None:
        """Of the responses; None without any."""
        if not self.responses:
            return None
        return sum(stage.fallbacks for stage in self.stages.values()) / self.responses


def take_snapshot(now: datetime) -> Health:
    """Measure the health and store it. Five queries, and one request to the broker."""
    parameters: dict[str, Any] = {"since": now - WINDOW, "most": MOST_SLATES}
    with connection.cursor() as cursor:
        cursor.execute(SQL["health"], parameters)
        stages = {
            surface: Stage(responses, fallbacks, *took)
            for surface, responses, fallbacks, took in cursor.fetchall()
        }
        cursor.execute(SQL["lag"], parameters)
        events, lag = cursor.fetchone()
    live = Release.objects.filter(is_live=True).first()
    waiting = TrainingRun.objects.filter(status__in=["queued", "running"]).order_by()
    health = Health(
        now,
        stages,
        events,
        lag,
        live.pk if live else None,
        (now - live.created_at) / timedelta(hours=1) if live else None,
        _queue(),
        dict(waiting.values_list("status").annotate(runs=Count("pk"))),
    )
    values = asdict(health)
    del values["at"]
    HealthSnapshot.objects.update_or_create(pk=1, defaults={"at": now, "values": values})
    return health


def latest_health() -> Health:
    """Return the last snapshot. One query."""
    snapshot = HealthSnapshot.objects.filter(pk=1).first()
    if snapshot is None:
        return Health()
    stages = {surface: Stage(**stage) for surface, stage in snapshot.values["stages"].items()}
    return Health(**{**snapshot.values, "at": snapshot.at, "stages": stages})


def worker_trouble(now: datetime) -> str:
    """Return in words that a worker is dead or busy; empty where all is well. Two queries."""
    at = HealthSnapshot.objects.filter(pk=1).values_list("at", flat=True).first()
    if at is None or now - at > LONGEST_SILENCE:
        since = "yet" if at is None else f"since {at:%Y-%m-%d %H:%M} UTC"
        return f"The worker has not reported {since}. Start it, or read its log."
    queued = TrainingRun.objects.filter(status="queued", queued_at__lt=now - LONGEST_QUEUED)
    is_training = TrainingRun.objects.filter(status="running")
    if queued.exclude(models.Exists(is_training)).exists():
        return "A training is waiting, and no worker takes it. Start one for the queue `train`."
    return ""


def _queue() -> int | None:
    """Count the messages waiting at the broker; None if it is no Redis or does not answer."""
    address = settings.CELERY_BROKER_URL
    if not address.startswith(("redis://", "rediss://", "unix://")):
        return None
    try:
        broker = redis.Redis.from_url(
            address, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS
        )
        with broker:
            return sum(int(broker.llen(queue)) for queue in QUEUES)
    except redis.RedisError:
        return None
