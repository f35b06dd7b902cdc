"""The ranker's runs: a teacher each day from the long window, an increment each hour from the new.

A visit's outcome is waited for: what was shown within the last `VISIT_GAP_SECONDS` is left to the
next run.

Where `RANKER_LEARNS_FROM_SIMULATED` allows it, simulated visits teach while those of people are too
few. What learned from one sort has no live ranker, no parent and no teacher of the other, and once
a ranker learned from people it is not given up for a simulated one.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from recommender.artifacts import Provenance
from recommender.errors import InvalidInputError, RecommenderError
from recommender.models.early_stopping import EpochReport
from recommender.ranking.features import FIELDS
from recommender.ranking.ranker import Ranker
from recommender.training.gates import RankerGate
from recommender.training.incremental import Cycle, IncrementalConfig, Window, run_cycle
from webapp.engine.live import load_ranker
from webapp.releases.models import RankerVersion, TrainingRun
from webapp.releases.publishing import publish
from webapp.slates.labels import export_exposures, sampled_exposures
from webapp.slates.seen import LEARNED_DAYS, Readiness, readiness, seen_slates, settled

Kind = TrainingRun.Kind

INCREMENT_DAYS = 1
"""The newest window reaches back to what the live ranker learned last, and no further than this."""
MIN_WINDOW_SLATES = 50
"""An hour with fewer slates seen is left to the next."""
RECALLED_FROM_SLATES = 500
"""Earlier slates, drawn anew each hour, from which the teacher's word is recalled."""


def is_due(kind: TrainingRun.Kind, now: datetime) -> bool:
    """Whether a run of this kind has enough to learn from, and none is waiting already."""
    unended = TrainingRun.objects.filter(
        kind=kind, status__in=[TrainingRun.Status.QUEUED, TrainingRun.Status.RUNNING]
    )
    ready = readiness(now)
    if unended.exists() or not ready.is_there or _would_give_up_people(ready):
        return False
    if kind == Kind.TEACHER:
        return True
    live = _live(ready.is_of_simulated)
    if live is None:
        return False
    newest = seen_slates(_window_start(live, now), settled(now), is_simulated=ready.is_of_simulated)
    return newest.count() >= MIN_WINDOW_SLATES


def train_ranker(
    run: TrainingRun, tell: Callable[[str, float, dict[str, Any]], None]
) -> dict[str, Any]:
    """Train what the run asks for, write it, and publish it if the gate lets it pass.

    Args:
        run: of a ranker's kind.
        tell: told of the stage, its progress and the curve so far.

    Returns:
        The run's metrics, plain JSON.

    Raises:
        InvalidInputError: too little was seen, or only by simulated viewers where the live ranker
            learned from people.
    """
    now = timezone.now()
    ready = readiness(now)
    if _would_give_up_people(ready):
        raise InvalidInputError(
            f"the live ranker learned from people, of whose slates only {ready.slates} were seen "
            f"lately; it is not given up for a simulated one. `manage.py rankers --off` would do"
        )
    is_simulated = ready.is_of_simulated
    live = _live(is_simulated)
    live_ranker = _loaded(live)
    teacher = None
    if run.kind == Kind.TEACHER or live is None or live_ranker is None:
        since = now - timedelta(days=LEARNED_DAYS)
        cycle_live = None
    else:
        since = _window_start(live, now)
        teacher = latest_teacher(is_simulated)
        cycle_live = live_ranker
    window = export_exposures(since, settled(now), is_simulated=is_simulated)
    if not len(window):
        raise InvalidInputError(
            "nothing was seen since the last ranker: slates need impressions to be learned from"
        )
    earlier = _earlier(run, since, is_simulated) if teacher else None
    curve: list[dict[str, Any]] = []
    config = IncrementalConfig(gate=RankerGate(baseline_field="fused"))

    def note(report: EpochReport) -> None:
        curve.append({"epoch": report.epoch, "loss": report.loss, "auc": report.validation})
        total = config.teacher.fifa.epochs if cycle_live is None else config.epochs
        tell("training ranker", report.epoch / total, {"ranker": {"curve": curve}})

    cycle = run_cycle(
        cycle_live,
        window,
        config,
        fields=Ranker(FIELDS, config.teacher),
        teacher=_loaded(teacher),
        on_epoch=note,
        earlier=earlier,
    )
    parents = {"live": live if cycle_live else None, "teacher": teacher}
    version = _write(run, cycle, window, parents, is_simulated)
    is_first = run.kind == Kind.INCREMENT or live_ranker is None
    if cycle.verdict.passed and is_first:
        publish(version, timezone.now())
    return {"ranker": version.metrics}


def latest_teacher(is_simulated: bool = False) -> RankerVersion | None:
    """Return the newest teacher, of people's visits or of simulated ones, that passed its test."""
    return RankerVersion.objects.filter(
        run__kind=Kind.TEACHER, gate__passed=True, is_simulated=is_simulated
    ).first()


def _live(is_simulated: bool) -> RankerVersion | None:
    """Return the live ranker if it learned from this sort of visits."""
    return RankerVersion.objects.filter(is_live=True, is_simulated=is_simulated).first()


def _would_give_up_people(ready: Readiness) -> bool:
    """Whether only simulated visits could teach while what people taught is live."""
    return ready.is_of_simulated and _live(is_simulated=False) is not None


def _earlier(run: TrainingRun, before: datetime, is_simulated: bool) -> Window:
    """Return what was seen on some slates of the teacher's window, from which to recall."""
    since = before - timedelta(days=LEARNED_DAYS)
    rng = np.random.default_rng([run.seed, run.pk])
    return sampled_exposures(since, before, RECALLED_FROM_SLATES, rng, is_simulated=is_simulated)


def _write(
    run: TrainingRun,
    cycle: Cycle,
    window: Window,
    parents: dict[str, RankerVersion | None],
    is_simulated: bool,
) -> RankerVersion:
    relative = Path("artifacts") / f"run-{run.pk}"
    taken = int(window.examples.labels.sum())
    metrics = {
        "curve": cycle.curve,
        "seconds": cycle.seconds,
        "examples": len(window),
        "taken": taken,
        "known": cycle.ranker.num_known(),
        "parameters": cycle.ranker.fifa.num_parameters,
        "start": cycle.start,
        "reached": cycle.verdict.candidate,
        "live": cycle.verdict.live,
        "judged_on": cycle.verdict.examples,
        "regimes": cycle.ranker.regimes(window.examples),
    }
    cycle.ranker.save(
        Path(settings.MARQUEE_HOME) / relative,
        Provenance(
            data={"examples": len(window), "taken": taken, "since": window.at[0],
                  "until": window.at[-1], "is_simulated": is_simulated},
            metrics=metrics, created_at=timezone.now().isoformat(),
        ),
    )  # fmt: skip
    return RankerVersion.objects.create(
        run=run,
        folder=str(relative),
        start=cycle.start,
        parent=parents.get(cycle.start),
        teacher=parents["teacher"] if cycle.start != "scratch" else None,
        is_simulated=is_simulated,
        learned_until=datetime.fromtimestamp(cycle.learned_until, UTC),
        metrics=metrics,
        gate=cycle.verdict.as_json(),
    )


def _window_start(live: RankerVersion, now: datetime) -> datetime:
    """What was shown at the very moment the live ranker learned last stays with it."""
    after = live.learned_until + timedelta(milliseconds=1)
    return max(after, now - timedelta(days=INCREMENT_DAYS))


def _loaded(version: RankerVersion | None) -> Ranker | None:
    """Return the ranker; None where there is none, or none that can be read."""
    if version is None:
        return None
    try:
        return load_ranker(version)
    except RecommenderError:
        return None
