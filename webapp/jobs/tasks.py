"""Celery's entry points: each takes ids, calls one function, and may safely run twice."""

import logging

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from webapp.events.forgetting import erase_forgotten
from webapp.experiments.report import refresh_reports
from webapp.jobs import index_process
from webapp.metrics import alerts, daily, health_snapshot, notifications
from webapp.profiles.session_store import SessionStore
from webapp.releases import retention as releases_retention
from webapp.releases.models import RankerVersion, TrainingRun
from webapp.slates import retention
from webapp.training import rankers, runs

logger = logging.getLogger(__name__)


HOUR = 3600


@shared_task(soft_time_limit=5 * HOUR, time_limit=5 * HOUR + 600)
def train(run_id: int) -> None:
    """Train a run; one that takes too long fails in words."""
    runs.run_training(run_id)


@shared_task
def queue_training() -> None:
    """Ask for the day's release."""
    runs.queue_training(train.delay)


@shared_task
def queue_ranker_teacher() -> None:
    """Ask for the day's teacher, if enough was seen."""
    _queue_ranker(TrainingRun.Kind.TEACHER)


@shared_task
def queue_ranker_increment() -> None:
    """Ask for the hour's increment if it brought enough; where no ranker is yet, for the first."""
    is_first = not RankerVersion.objects.exists()
    _queue_ranker(TrainingRun.Kind.TEACHER if is_first else TrainingRun.Kind.INCREMENT)


def _queue_ranker(kind: TrainingRun.Kind) -> None:
    if rankers.is_due(kind, timezone.now()):
        runs.queue_training(train.delay, kind=kind)


@shared_task
def look_after_runs() -> None:
    """End runs whose worker is gone and send lost messages again."""
    now = timezone.now()
    runs.end_lost_runs(now)
    for run_id in runs.overdue_runs(now):
        train.delay(run_id)


@shared_task(soft_time_limit=HOUR, time_limit=HOUR + 60)
def build_catalogue_index() -> None:
    """Build what every web process maps, unless there is one of this catalogue and release."""
    index_process.build_in_process()


@shared_task(soft_time_limit=2 * HOUR, time_limit=2 * HOUR + 60)
def prune_slates() -> None:
    """Delete slates older than `SLATE_DAYS`; their events stay."""
    retention.prune_slates(timezone.now())


@shared_task(soft_time_limit=2 * HOUR, time_limit=2 * HOUR + 60)
def prune_events() -> None:
    """Erase what viewers had forgotten, then old events, and visits of which nothing is left."""
    now = timezone.now()
    erase_forgotten(now)
    retention.prune_visits(now)


@shared_task
def prune_sessions() -> None:
    """Delete sessions that have expired."""
    SessionStore.clear_expired()


@shared_task
def prune_artifacts() -> None:
    """Delete artifacts that nothing goes back to."""
    releases_retention.prune_artifacts()


@shared_task
def refresh_metrics() -> None:
    """Count the days that something came for."""
    daily.refresh(timezone.now())


@shared_task
def report_experiments() -> None:
    """Work out anew what running experiments show."""
    refresh_reports(timezone.now())


@shared_task
def check_alerts() -> None:
    """Take the health snapshot, and notify operators of values above their thresholds."""
    now = timezone.now()
    alerts.check_alerts(health_snapshot.take_snapshot(now), now)


@shared_task
def send_test_alert(operator: str) -> None:
    """Send every destination a test; the log says which refused it."""
    alerts.send_test(operator)


@worker_ready.connect
def look_after_runs_at_start(**_: object) -> None:
    """A worker that comes back finds what its predecessor left."""
    look_after_runs.delay()


@worker_ready.connect
def log_unsupported_alert_urls(**_: object) -> None:
    """Log a wrong alert URL when the worker starts, and not only at the first alert."""
    for number in notifications.unsupported_urls():
        logger.error(
            "URL %d of MARQUEE_ALERT_URLS is none that Apprise supports; "
            "https://github.com/caronc/apprise/wiki lists them",
            number,
        )
