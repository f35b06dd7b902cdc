"""Incremental training of the ranker: the live ranker and new examples in, a cycle's ranker out.

Katsileros et al., "An Incremental Learning framework for large-scale CTR prediction", RecSys 2022:
start from the deployed model, learn from fresh data only, and distill from a teacher to prevent
forgetting,

    L = (1 - α) BCE(y, p) + α BCE(p_teacher, p) = BCE((1 - α) y + α p_teacher, p)

where α is 0 for an example whose item the teacher does not know, `distillation` for one of the
newest window, and 1 for the replay sample: earlier examples of items that the window does not
show. So the teacher preserves what would be forgotten and does not slow down what is new. What the
paper leaves open is ours: the windows, α, the replay sample, the gate and the guard
(docs/models/ranker.md).

N examples.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recommender import checks
from recommender.arrays import Float32, Float64
from recommender.data.examples import Examples
from recommender.errors import InvalidInputError
from recommender.evaluation.clicks import auc
from recommender.models.early_stopping import EpochReport
from recommender.models.fifa import FifaConfig
from recommender.ranking.ranker import Ranker, RankerConfig
from recommender.training.gates import RankerGate
from recommender.verdict import Verdict

logger = logging.getLogger(__name__)

DAY = 86_400.0

OnEpoch = Callable[[EpochReport], None]


@dataclass(frozen=True)
class IncrementalConfig:
    teacher: RankerConfig = RankerConfig(
        FifaConfig(embedding_size=8, normalise=True, unit_dropout=0.1, epochs=20,
                   batch_examples=1024, embedding_penalty=1e-4)
    )  # fmt: skip
    """How a model learns from scratch on the long window."""
    learning_rate: float = 2e-3
    """Of an increment, whose optimiser starts anew."""
    epochs: int = 2
    """Passes over the newest window."""
    batch_examples: int = 1024
    distillation: float = 0.0
    """α, the weight of the teacher's predictions on the newest window."""
    replay_share: float = 0.25
    """Size of the replay sample, as a share of the newest window."""
    item_field: str = "item"
    """The growing field whose ids the teacher must know for its predictions to count."""
    evaluation_share: float = 0.2
    """The newest share of a window, held out for calibration and the gate."""
    forget_days: float = 30.0
    """Ids not seen for so long lose their rows."""
    gate: RankerGate = RankerGate()
    """What a model must reach to be published."""

    def __post_init__(self) -> None:
        checks.share(
            distillation=self.distillation,
            replay_share=self.replay_share,
            evaluation_share=self.evaluation_share,
        )
        checks.positive(
            learning_rate=self.learning_rate,
            forget_days=self.forget_days,
        )
        checks.whole(epochs=self.epochs, batch_examples=self.batch_examples)


@dataclass(frozen=True)
class Window:
    """Examples in time order, and when each was."""

    examples: Examples
    at: Float64

    def __post_init__(self) -> None:
        if self.at.shape != (len(self.examples),):
            raise InvalidInputError(
                f"{len(self.examples)} examples came with times of shape {self.at.shape}"
            )
        if len(self.at) and (np.diff(self.at) < 0).any():
            raise InvalidInputError("a window's examples must be in time order")

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, rows: slice) -> "Window":
        return Window(self.examples[rows], self.at[rows])

    def cut(self, share: float) -> tuple["Window", "Window"]:
        """Return the older part and the newest share; what happened at once stays together."""
        index = len(self) - round(len(self) * share)
        if 0 < index < len(self):
            index = int(np.searchsorted(self.at, self.at[index], side="left"))
        return self[:index], self[index:]


@dataclass(frozen=True)
class Cycle:
    """What one cycle trained, and whether the gate lets it replace the live ranker.

    Attributes:
        ranker: calibrated.
        verdict: of the gate.
        start: what it started from: scratch, live or teacher.
        learned_until: seconds since 1970; later examples evaluated it, and are in the next window.
        curve: points of the learning curve, plain JSON.
        seconds: of training.
    """

    ranker: Ranker
    verdict: Verdict
    start: str
    learned_until: float
    curve: list[dict[str, Any]]
    seconds: float


def learn_from_scratch(
    fields: Ranker, window: Window, config: IncrementalConfig, on_epoch: OnEpoch | None = None
) -> Ranker:
    """Return a ranker learned from a long window; its newest share decides when to stop.

    Args:
        fields: a ranker of the fields, learned or not; only its fields are used.
        window: what to learn from.
        config: `teacher` holds the settings.
        on_epoch: called with the report of every epoch.

    Raises:
        InvalidInputError: there is nothing to learn from.
    """
    older, newest = window.cut(config.evaluation_share)
    if not len(older):
        older, newest = window, window
    fresh = Ranker(fields.fields, config.teacher)

    def validate(ranker: Ranker) -> float:
        value = auc(newest.examples.labels, ranker.logits(newest.examples))
        return value if math.isfinite(value) else 0.5

    validation = validate if len(newest) else None
    ranker = fresh.learned(older.examples, older.at, validation=validation, on_epoch=on_epoch)
    return ranker.calibrated(newest.examples) if len(newest) else ranker


def learn_increment(
    start: Ranker,
    window: Window,
    config: IncrementalConfig,
    teacher: Ranker | None = None,
    on_epoch: OnEpoch | None = None,
    earlier: Window | None = None,
) -> Ranker:
    """Return a ranker that continued from another with a window.

    New ids get rows; ids not seen for `forget_days` lose theirs.

    Args:
        start: the deployed model.
        window: the newest examples.
        config: the settings.
        teacher: predicts the distillation targets; None learns from the labels alone.
        on_epoch: called with the report of every epoch.
        earlier: what `replay_sample` draws from.
    """
    settings = replace(
        start.config.fifa,
        learning_rate=config.learning_rate,
        epochs=config.epochs,
        batch_examples=config.batch_examples,
        normalise=False,
        embedding_penalty=0.0,
    )
    newest = float(window.at[-1]) if len(window) else 0.0
    examples, at, targets = window.examples, window.at, None
    if teacher is not None:
        targets = distillation_targets(examples, teacher, config)
        if earlier is not None and len(window):
            old = replay_sample(earlier, window, teacher, config)
            targets = np.concatenate([teacher.click_probabilities(old.examples), targets])
            examples = Examples.joined([old.examples, examples])
            at = np.concatenate([old.at, at])
    return start.configured(replace(start.config, fifa=settings)).learned(
        examples,
        at,
        forget_before=newest - config.forget_days * DAY,
        targets=targets,
        on_epoch=on_epoch,
    )


def replay_sample(
    earlier: Window, newest: Window, teacher: Ranker, config: IncrementalConfig
) -> Window:
    """Return earlier examples of items that the teacher knows and the newest window does not show.

    As many as `replay_share` of the newest, drawn by the teacher's seed and the newest moment.
    """
    column = teacher.place_of(config.item_field)
    shown = newest.examples.categories[:, column]
    candidates = np.flatnonzero(~np.isin(earlier.examples.categories[:, column], shown))
    rng = np.random.default_rng([teacher.config.fifa.seed, int(newest.at[-1])])
    count = min(round(config.replay_share * len(newest)), len(candidates))
    chosen = np.sort(rng.choice(candidates, count, replace=False))
    is_known = teacher.knows(config.item_field, earlier.examples[chosen])
    return Window(earlier.examples[chosen[is_known]], earlier.at[chosen[is_known]])


def distillation_targets(examples: Examples, teacher: Ranker, config: IncrementalConfig) -> Float32:
    """Return (N,) (1 - α) y + α p_teacher; y alone where the teacher does not know the item."""
    share = np.where(teacher.knows(config.item_field, examples), config.distillation, 0.0)
    targets = (1 - share) * examples.labels + share * teacher.click_probabilities(examples)
    return targets.astype(np.float32)


def run_cycle(
    live: Ranker | None,
    window: Window,
    config: IncrementalConfig,
    *,
    fields: Ranker,
    teacher: Ranker | None = None,
    on_epoch: OnEpoch | None = None,
    earlier: Window | None = None,
) -> Cycle:
    """Train on a window and compare with the live model on examples that neither learned from.

    Without a live model the cycle trains from scratch, and the gate compares with its baseline. A
    model that diverged or did not pass is trained once more from the teacher: the live model itself
    may be what is wrong.

    Args:
        live: the deployed model.
        window: all since the live model's `learned_until`.
        config: the settings.
        fields: a ranker of the fields.
        teacher: the newest one learned from the long window.
        on_epoch: called with the report of every epoch.
        earlier: what `replay_sample` draws from.

    Raises:
        InvalidInputError: the window is too small to learn from and to evaluate with.
    """
    older, newest = window.cut(config.evaluation_share)
    if not len(older) or len(np.unique(newest.examples.labels)) < 2:
        raise InvalidInputError(
            f"{len(window)} examples are too few to learn from and to evaluate with: the newest "
            f"{config.evaluation_share:.0%} must hold both labels"
        )
    starts: list[tuple[str, Ranker | None]] = [("scratch", None)]
    if live is not None:
        starts = [("live", live)]
        if teacher is not None:
            starts.append(("teacher", teacher))
    cycle: Cycle | None = None
    for name, start in starts:
        curve: list[dict[str, Any]] = []
        began = time.perf_counter()
        if start is None:
            ranker = learn_from_scratch(fields, older, config, _noting(curve, on_epoch))
        else:
            note = _noting(curve, on_epoch)
            ranker = learn_increment(start, older, config, teacher, note, earlier)
        ranker = ranker.calibrated(newest.examples[0::2])
        seconds = time.perf_counter() - began
        verdict = config.gate.verdict(ranker, live, newest.examples[1::2])
        cycle = Cycle(ranker, verdict, name, float(older.at[-1]), curve, seconds)
        logger.info("ranker from %s, %.1f s: %s", name, seconds, verdict.reason)
        if verdict.passed:
            break
    assert cycle is not None  # noqa: S101 - there is a start
    return cycle


def _noting(curve: list[dict[str, Any]], on_epoch: OnEpoch | None) -> OnEpoch:
    """Return a callback that appends each epoch to the curve, then calls `on_epoch`."""

    def note(report: EpochReport) -> None:
        curve.append({"epoch": report.epoch, "loss": report.loss, "auc": report.validation})
        if on_epoch is not None:
            on_epoch(report)

    return note
