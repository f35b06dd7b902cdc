"""The life of a training run: queued, running under a lock, succeeded or failed.

While a run trains, its process holds a PostgreSQL advisory lock. PostgreSQL frees it with the
connection, so a run that says "running" and holds no lock has lost its worker.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from recommender.errors import InvalidInputError, RecommenderError
from recommender.training.gates import ReleaseGate
from recommender.training.train import Progress, evaluate_release, train_release
from webapp.releases.models import Release, TrainingRun
from webapp.releases.publishing import publish
from webapp.training.export import export_interactions, export_sessions
from webapp.training.rankers import train_ranker
from webapp.training.tuning import tuned_config

logger = logging.getLogger(__name__)

LOCK_SPACE = 20_220
"""The first key of our advisory locks; the second is the run's number."""
QUEUED_TOO_LONG = timedelta(minutes=10)

Status = TrainingRun.Status


def queue_training(
    send: Callable[[int], object], seed: int = 0, kind: TrainingRun.Kind = TrainingRun.Kind.RELEASE
) -> TrainingRun:
    """Write down what should be trained, and tell the worker once that is committed."""
    with transaction.atomic():
        run = TrainingRun.objects.create(seed=seed, kind=kind)
        transaction.on_commit(lambda: send(run.pk))
    return run


def run_training(run_id: int) -> TrainingRun | None:
    """Train, judge and publish what a queued run asks for; a run is trained once.

    Returns:
        The ended run, or None if it was not queued any more (a repeated delivery).
    """
    with _lock(run_id) as is_ours:
        if not is_ours or not TrainingRun.objects.filter(pk=run_id, status=Status.QUEUED).update(
            status=Status.RUNNING, started_at=timezone.now(), stage="reading the history"
        ):
            logger.info("run %s is not queued any more", run_id)
            return None
        run = TrainingRun.objects.get(pk=run_id)
        try:
            metrics = _train(run) if run.kind == TrainingRun.Kind.RELEASE else _train_ranker(run)
        except Exception as error:
            logger.exception("training run %s failed", run_id)
            _end(run_id, Status.FAILED, error=f"{type(error).__name__}: {error}")
        else:
            _end(run_id, Status.SUCCEEDED, metrics=metrics)
        run.refresh_from_db()
        return run


def end_lost_runs(now: datetime) -> int:
    """Mark the runs whose worker is gone as failed, and return how many those were."""
    lost = 0
    for run_id in TrainingRun.objects.filter(status=Status.RUNNING).values_list("pk", flat=True):
        with _lock(run_id) as was_free:
            if was_free:
                error = "The worker was lost while it trained. The live release goes on serving."
                lost += _end(run_id, Status.FAILED, error=error, now=now)
    if lost:
        logger.warning("%s training runs had lost their worker", lost)
    return lost


def overdue_runs(now: datetime) -> list[int]:
    """Runs queued so long that their message may be lost; sending it again does no harm."""
    overdue = TrainingRun.objects.filter(status=Status.QUEUED, queued_at__lt=now - QUEUED_TOO_LONG)
    return list(overdue.values_list("pk", flat=True))


def _train(run: TrainingRun) -> dict[str, Any]:
    """Train the release, hold it against the live one, publish it if it is good enough."""
    config = tuned_config()
    interactions = export_interactions()
    if not interactions.matrix.nnz:
        raise InvalidInputError(
            "there is nothing to learn from: nobody has rated a title 4 stars or more, put one on "
            "a list or watched one for 2 minutes. `manage.py load_history` loads histories"
        )
    relative = Path("artifacts") / f"run-{run.pk}"
    folder = Path(settings.MARQUEE_HOME) / relative
    curves: dict[str, list[Any]] = {}

    def note(progress: Progress) -> None:
        if progress.point is not None:
            curves.setdefault(progress.model, []).append(dict(progress.point))
        TrainingRun.objects.filter(pk=run.pk).update(
            stage=f"training {progress.model}",
            progress=progress.done / progress.total,
            metrics={name: {"curve": curve} for name, curve in curves.items()},
        )

    trained = train_release(
        interactions,
        config,
        folder,
        seed=run.seed,
        on_progress=note,
        sessions=export_sessions(interactions.items),
    )
    release = Release.objects.create(run=run, folder=str(relative), metrics=trained.metrics)
    live = Release.objects.filter(is_live=True).select_related("run").first()
    live_metrics = None
    if live is not None:
        try:
            live_metrics = evaluate_release(
                Path(settings.MARQUEE_HOME) / live.folder,
                interactions,
                seed=live.run.seed,
                config=config,
            )
        except RecommenderError as error:
            logger.warning(
                "the live release cannot be judged, so the new one replaces it: %s", error
            )
    verdict = ReleaseGate(settings.GATE_TOLERANCE).verdict(trained.metrics, live_metrics)
    release.gate = verdict.as_json()
    release.save(update_fields=["gate"])
    if verdict.passed:
        publish(release, timezone.now())
    return trained.metrics


def _train_ranker(run: TrainingRun) -> dict[str, Any]:
    def tell(stage: str, progress: float, metrics: dict[str, Any]) -> None:
        TrainingRun.objects.filter(pk=run.pk).update(
            stage=stage, progress=min(progress, 1.0), metrics=metrics
        )

    return train_ranker(run, tell)


def _end(
    run_id: int,
    status: TrainingRun.Status,
    *,
    error: str = "",
    metrics: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> int:
    """End a running run, once; return 1 if this call ended it."""
    ended: dict[str, Any] = {"status": status, "finished_at": now or timezone.now(), "error": error}
    if metrics is not None:
        ended |= {"metrics": metrics, "stage": "", "progress": 1.0}
    return TrainingRun.objects.filter(pk=run_id, status=Status.RUNNING).update(**ended)


@contextmanager
def _lock(run_id: int) -> Iterator[bool]:
    """Hold the run's advisory lock for a block; the value says whether we got it."""
    keys = [LOCK_SPACE, run_id]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", keys)
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)
