"""Training runs: queue one, train it under a lock, and end those whose worker is lost.

While a run trains, its process holds a PostgreSQL advisory lock. PostgreSQL frees it with the
connection, so a run in the status "running" without a lock has lost its worker.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError
from recommender.models.ials import Solver
from recommender.training.config import ReleaseConfig
from recommender.training.first_search import FirstSearchConfig, FoundSettings
from recommender.training.gates import ReleaseGate
from recommender.training.train import Metrics, Progress, evaluate_release, train_release
from recommender.training.trials import Trial
from webapp.artifacts.store import StoreError, artifact_store
from webapp.engine.catalogue import export_catalogue
from webapp.postgresql.session_locks import session_lock
from webapp.releases.models import Release, TrainingRun
from webapp.releases.publishing import live_id, publish_over
from webapp.training.export import export_interactions, export_visits
from webapp.training.rankers import train_ranker
from webapp.training.tuning import is_search_due, search_first, tuned_config

logger = logging.getLogger(__name__)

LOCK_SPACE = 20_220
"""The first key of our advisory locks; the second is the run's number."""
QUEUED_TOO_LONG = timedelta(minutes=10)
GATE_ATTEMPTS = 5
"""How often a release is compared anew because another one went live meanwhile."""

Status = TrainingRun.Status


def queue_training(
    send: Callable[[int], object], seed: int = 0, kind: TrainingRun.Kind = TrainingRun.Kind.RELEASE
) -> TrainingRun:
    """Create a run, and send its number to the worker once it is committed.

    Args:
        send: called with the run's number.
        seed: of the models and the split.
        kind: a release, or a ranker's teacher or increment.
    """
    with transaction.atomic():
        run = TrainingRun.objects.create(seed=seed, kind=kind)
        transaction.on_commit(lambda: send(run.pk))
    return run


def run_training(run_id: int) -> TrainingRun | None:
    """Train, evaluate and publish what a queued run asks for; a run is trained once.

    Returns:
        The ended run, or None if it was not queued any more (a repeated delivery).
    """
    with session_lock(LOCK_SPACE, run_id) as is_locked:
        if not is_locked or not TrainingRun.objects.filter(pk=run_id, status=Status.QUEUED).update(
            status=Status.RUNNING, started_at=timezone.now(), stage="reading the history"
        ):
            logger.info("run %s is not queued any more", run_id)
            return None
        run = TrainingRun.objects.get(pk=run_id)
        try:
            is_release = run.kind == TrainingRun.Kind.RELEASE
            metrics = _train_release(run) if is_release else _train_ranker(run)
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
        with session_lock(LOCK_SPACE, run_id) as was_free:
            if was_free:
                error = "The worker was lost while it trained. The live release goes on serving."
                lost += _end(run_id, Status.FAILED, error=error, now=now)
    if lost:
        logger.warning("%s training runs had lost their worker", lost)
    return lost


def overdue_runs(now: datetime) -> list[int]:
    """Return runs queued so long that their message may be lost; sending it again is harmless."""
    overdue = TrainingRun.objects.filter(status=Status.QUEUED, queued_at__lt=now - QUEUED_TOO_LONG)
    return list(overdue.values_list("pk", flat=True))


def _train_release(run: TrainingRun) -> dict[str, Any]:
    """Train a release, compare it with the live one, and publish it if it passes the gate."""
    interactions = export_interactions()
    if not interactions.matrix.nnz:
        raise InvalidInputError(
            "there is nothing to learn from: nobody has rated a title 4 stars or more, put one on "
            "a list or watched one for 2 minutes. `manage.py load_history` loads histories"
        )
    found = _search_settings(run, interactions) if is_search_due(interactions) else None
    config = tuned_config()
    catalogue = export_catalogue()
    visits = export_visits(catalogue.titles)
    with _ials_solver() as solver:
        trained = train_release(
            interactions,
            config,
            settings.MARQUEE_HOME / run.folder,
            seed=run.seed,
            on_progress=_recorder(run),
            sessions=visits.sessions,
            catalogue=catalogue,
            ials_solver=solver,
        )
    trained.metrics["visits"]["is_simulated"] = visits.is_simulated
    if found is not None:
        trained.metrics["ials"]["search"] = found.as_json()
    artifact_store().put(run.folder)
    release = Release.objects.create(run=run, folder=run.folder, metrics=trained.metrics)
    gate = ReleaseGate(settings.GATE_TOLERANCE)
    for _ in range(GATE_ATTEMPTS):
        compared_with = live_id(Release)
        verdict = gate.verdict(trained.metrics, _live_metrics(interactions, config))
        release.gate = verdict.as_json()
        release.save(update_fields=["gate"])
        if not verdict.passed or publish_over(compared_with, release, timezone.now()):
            break
        logger.info("another release went live meanwhile, the gate is asked again")
    return trained.metrics


def _ials_solver() -> AbstractContextManager[Solver | None]:
    """Return the solver of the Ray cluster that the settings name, while a block lasts.

    Raises:
        ClusterError: it does not answer.
        ImportError: Ray is not installed.
    """
    if not settings.RAY_ADDRESS:
        return nullcontext()
    connect = import_string("recommender.solvers.block_newton_ray.ray_solver")
    solver: AbstractContextManager[Solver] = connect(settings.RAY_ADDRESS)
    return solver


def _search_settings(run: TrainingRun, interactions: Interactions) -> FoundSettings:
    """Search iALS's settings as a stage of the run, and store them for this run and later ones."""
    limits = FirstSearchConfig()
    began, trials = timezone.now(), 0

    def record(trial: Trial | None) -> None:
        nonlocal trials
        trials += trial is not None
        seconds = (timezone.now() - began).total_seconds()
        share = max(trials / limits.max_trials, seconds / limits.max_seconds)
        TrainingRun.objects.filter(pk=run.pk).update(
            stage="searching settings of ials", progress=min(share, 1.0)
        )

    record(None)
    found = search_first(interactions, run.seed, record)
    logger.info("run %s searched iALS's settings: %s", run.pk, found)
    return found


def _recorder(run: TrainingRun) -> Callable[[Progress], None]:
    """Return a callback that writes a release's progress and curves to its run."""
    curves: dict[str, list[Any]] = {}

    def record(progress: Progress) -> None:
        if progress.point is not None:
            curves.setdefault(progress.model, []).append(dict(progress.point))
        TrainingRun.objects.filter(pk=run.pk).update(
            stage=f"training {progress.model}",
            progress=progress.done / progress.total,
            metrics={name: {"curve": curve} for name, curve in curves.items()},
        )

    return record


def _live_metrics(interactions: Interactions, config: ReleaseConfig) -> Metrics | None:
    """Evaluate the live release on today's held-out profiles; None where there is none to read."""
    live = Release.objects.filter(is_live=True).select_related("run").first()
    if live is None:
        return None
    try:
        return evaluate_release(
            live.fetch(),
            interactions,
            seed=live.run.seed,
            config=config,
        )
    except StoreError:
        raise
    except Exception:  # whatever its artifacts raise
        logger.warning(
            "the live release cannot be evaluated, the new one replaces it", exc_info=True
        )
        return None


def _train_ranker(run: TrainingRun) -> dict[str, Any]:
    def on_progress(stage: str, progress: float, metrics: dict[str, Any]) -> None:
        TrainingRun.objects.filter(pk=run.pk).update(
            stage=stage, progress=min(progress, 1.0), metrics=metrics
        )

    return train_ranker(run, on_progress)


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
