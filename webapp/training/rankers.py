"""Rankers: train a teacher daily on 30 days and an increment hourly on the newest, and publish.

Slates shown within the last `VISIT_GAP_SECONDS` are left to the next run: the outcome of their
visits is not known yet.

Where `RANKER_LEARNS_FROM_SIMULATED` allows it, a ranker learns from simulated visits while those of
people are too few. A ranker trained on one of the two has no live ranker, parent or teacher trained
on the other, and a ranker trained on people's visits is never replaced by one trained on simulated
visits.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from recommender.artifacts import Provenance
from recommender.errors import InvalidInputError
from recommender.models.early_stopping import EpochReport
from recommender.ranking.features import FIELDS
from recommender.ranking.ranker import Ranker
from recommender.training.gates import RankerGate
from recommender.training.incremental import Cycle, IncrementalConfig, Window, run_cycle
from webapp.artifacts.store import StoreError, artifact_store
from webapp.engine.live import load_ranker
from webapp.releases.models import RankerVersion, TrainingRun
from webapp.releases.publishing import live_id, publish_over
from webapp.slates.labels import export_exposures, sampled_exposures
from webapp.slates.readiness import (
    TEACHER_DAYS,
    Readiness,
    outcome_known_before,
    readiness,
    seen_slates,
)

logger = logging.getLogger(__name__)

Kind = TrainingRun.Kind
OnProgress = Callable[[str, float, dict[str, Any]], None]
"""Called with the stage, the done share of the run, and the curve so far."""

CONFIG = IncrementalConfig(gate=RankerGate(baseline_field="fused"))
INCREMENT_DAYS = 1
"""An increment's window begins where the live ranker stopped, and at most this long ago."""
MIN_WINDOW_SLATES = 50
"""An increment waits until so many slates were seen."""
REPLAY_SLATES = 500
"""Slates of the teacher's window, drawn anew for each increment, for its replay sample."""


@dataclass(frozen=True)
class _Plan:
    """What a run learns from, and on top of what.

    Attributes:
        since: the first moment of its window.
        live: the version it goes on from; None learns from scratch.
        live_ranker: the same, loaded.
        teacher: of an increment, the newest that passed.
        is_simulated: whether it learns from simulated visits.
        may_publish: False for a teacher while a ranker is live: it only teaches.
    """

    since: datetime
    live: RankerVersion | None
    live_ranker: Ranker | None
    teacher: RankerVersion | None
    is_simulated: bool
    may_publish: bool


def is_due(kind: TrainingRun.Kind, now: datetime) -> bool:
    """Return True if a run of this kind has enough slates to learn from, and none is waiting."""
    unended = TrainingRun.objects.filter(
        kind=kind, status__in=[TrainingRun.Status.QUEUED, TrainingRun.Status.RUNNING]
    )
    ready = readiness(now)
    if unended.exists() or not ready.is_ready or _would_replace_real_with_simulated(ready):
        return False
    if kind == Kind.TEACHER:
        return True
    is_simulated = ready.only_simulated_ready
    live = _live(is_simulated)
    if live is None:
        return False
    between = _window_start(live, now), outcome_known_before(now)
    return seen_slates(*between, is_simulated=is_simulated).count() >= MIN_WINDOW_SLATES


def train_ranker(run: TrainingRun, on_progress: OnProgress) -> dict[str, Any]:
    """Train the ranker that a run asks for, store it, and publish it if it passes the gate.

    Args:
        run: of a ranker's kind.
        on_progress: called after every epoch.

    Returns:
        The run's metrics, plain JSON.

    Raises:
        InvalidInputError: too little was seen, or only by simulated viewers where the live ranker
            learned from people.
    """
    now = timezone.now()
    compared_with = live_id(RankerVersion)
    plan = _plan(run, now)
    window = export_exposures(plan.since, outcome_known_before(now), is_simulated=plan.is_simulated)
    if not len(window):
        raise InvalidInputError(
            "nothing was seen since the last ranker: slates need impressions to be learned from"
        )
    curve: list[dict[str, Any]] = []
    epochs = CONFIG.epochs if plan.live_ranker else CONFIG.teacher.fifa.epochs

    def on_epoch(report: EpochReport) -> None:
        curve.append({"epoch": report.epoch, "loss": report.loss, "auc": report.validation})
        on_progress("training ranker", report.epoch / epochs, {"ranker": {"curve": curve}})

    cycle = run_cycle(
        plan.live_ranker,
        window,
        CONFIG,
        fields=Ranker(FIELDS, CONFIG.teacher),
        teacher=_loaded(plan.teacher),
        on_epoch=on_epoch,
        earlier=_replay_slates(run, plan) if plan.teacher else None,
    )
    version = _store(run, cycle, window, plan)
    if cycle.verdict.passed and plan.may_publish:
        publish_over(compared_with, version, timezone.now())
    return {"ranker": version.metrics}


def latest_teacher(is_simulated: bool = False) -> RankerVersion | None:
    """Return the newest teacher that passed its gate, trained on people's or simulated visits."""
    return RankerVersion.objects.filter(
        run__kind=Kind.TEACHER, gate__passed=True, is_simulated=is_simulated
    ).first()


def _plan(run: TrainingRun, now: datetime) -> _Plan:
    """Decide what a run learns from.

    Raises:
        InvalidInputError: only simulated viewers saw enough, and the live ranker learned from
            people.
    """
    ready = readiness(now)
    if _would_replace_real_with_simulated(ready):
        raise InvalidInputError(
            f"the live ranker learned from people, who saw only {ready.slates} slates lately; it "
            "is not replaced by a simulated one. `manage.py rankers --off` makes room for one"
        )
    is_simulated = ready.only_simulated_ready
    live = _live(is_simulated)
    live_ranker = _loaded(live)
    if run.kind == Kind.INCREMENT and live is not None and live_ranker is not None:
        teacher = latest_teacher(is_simulated)
        return _Plan(_window_start(live, now), live, live_ranker, teacher, is_simulated, True)
    since = now - timedelta(days=TEACHER_DAYS)
    may_publish = run.kind == Kind.INCREMENT or live_ranker is None
    return _Plan(since, None, None, None, is_simulated, may_publish)


def _live(is_simulated: bool) -> RankerVersion | None:
    """Return the live ranker if it learned from people's or, if so asked, simulated visits."""
    return RankerVersion.objects.filter(is_live=True, is_simulated=is_simulated).first()


def _would_replace_real_with_simulated(ready: Readiness) -> bool:
    """Return True if a ranker trained on people's visits would give way to a simulated one."""
    return ready.only_simulated_ready and _live(is_simulated=False) is not None


def _replay_slates(run: TrainingRun, plan: _Plan) -> Window:
    """Return examples of the teacher's window, from which the replay sample is drawn."""
    since = plan.since - timedelta(days=TEACHER_DAYS)
    rng = np.random.default_rng([run.seed, run.pk])
    return sampled_exposures(since, plan.since, REPLAY_SLATES, rng, is_simulated=plan.is_simulated)


def _store(run: TrainingRun, cycle: Cycle, window: Window, plan: _Plan) -> RankerVersion:
    """Write the artifact and its row."""
    positives = int(window.examples.labels.sum())
    metrics = {
        "curve": cycle.curve,
        "seconds": cycle.seconds,
        "examples": len(window),
        "taken": positives,
        "known": cycle.ranker.num_known(),
        "parameters": cycle.ranker.fifa.num_parameters,
        "start": cycle.start,
        "reached": dict(cycle.verdict.candidate),
        "live": dict(cycle.verdict.live),
        "judged_on": cycle.verdict.examples,
        "regimes": cycle.ranker.regimes(window.examples),
    }
    cycle.ranker.save(
        settings.MARQUEE_HOME / run.folder,
        Provenance(
            data={"examples": len(window), "taken": positives, "since": window.at[0],
                  "until": window.at[-1], "is_simulated": plan.is_simulated},
            metrics=metrics, created_at=timezone.now().isoformat(),
        ),
    )  # fmt: skip
    artifact_store().put(run.folder)
    parents = {"live": plan.live, "teacher": plan.teacher}
    return RankerVersion.objects.create(
        run=run,
        folder=run.folder,
        start=cycle.start,
        parent=parents.get(cycle.start),
        teacher=plan.teacher if cycle.start != "scratch" else None,
        is_simulated=plan.is_simulated,
        learned_until=datetime.fromtimestamp(cycle.learned_until, UTC),
        metrics=metrics,
        gate=cycle.verdict.as_json(),
    )


def _window_start(live: RankerVersion, now: datetime) -> datetime:
    """Return where an increment's window begins: slates of `learned_until` itself were learned."""
    after = live.learned_until + timedelta(milliseconds=1)
    return max(after, now - timedelta(days=INCREMENT_DAYS))


def _loaded(version: RankerVersion | None) -> Ranker | None:
    """Return the ranker; None where there is none, or it cannot be read."""
    if version is None:
        return None
    try:
        return load_ranker(version)
    except StoreError:
        raise
    except Exception:  # whatever its artifacts raise
        logger.warning("%s cannot be read, training does without it", version, exc_info=True)
        return None
