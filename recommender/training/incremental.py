"""Keep a ranker fresh: an increment each hour from the newest window, a teacher each day.

Katsileros et al., "An Incremental Learning framework for large-scale CTR prediction", RecSys 2022:
start from the deployed model, learn from fresh data only, and hold on to what was known by a
teacher's word,

    L = (1 - α) BCE(y, p) + α BCE(p_teacher, p) = BCE((1 - α) y + α p_teacher, p)

where α is 0 for an example whose item the teacher does not know, `distillation` for one of the
newest window, and 1 for earlier ones that are recalled: of items that the window does not show, so
that the teacher speaks of what would be forgotten, and does not hold up what is new. What the paper
leaves open is ours: the windows, α, what is recalled, the gate and the guard
(docs/models/ranker.md).

N examples.
"""

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
    """α, how much the teacher's word counts on the newest window."""
    recalled_share: float = 0.25
    """Earlier examples that the teacher speaks of, as a share of the window's."""
    item_field: str = "item"
    """The growing field whose ids the teacher must know to have a word."""
    judged_share: float = 0.2
    """The newest share of a window judges instead of training."""
    forget_days: float = 30.0
    """Ids not met for so long give up their rows."""
    gate: RankerGate = RankerGate()
    """What a model must reach to be published."""

    def __post_init__(self) -> None:
        checks.share(
            distillation=self.distillation,
            recalled_share=self.recalled_share,
            judged_share=self.judged_share,
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
        place = len(self) - round(len(self) * share)
        if 0 < place < len(self):
            place = int(np.searchsorted(self.at, self.at[place], side="left"))
        return self[:place], self[place:]


@dataclass(frozen=True)
class Cycle:
    """A model learned from a window, held against the live one.

    Attributes:
        ranker: what was learned, calibrated.
        verdict: of the gate.
        start: what it started from: scratch, live or teacher.
        learned_until: seconds since 1970; what came later judged it, and the next window has it.
        curve: points of the learning curve, plain JSON.
        seconds: it took to learn.
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
    """Return a ranker learned from a long window, its newest share watching when to stop.

    Args:
        fields: a ranker of the wanted fields, learned or not; nothing of it but those is used.
        window: what to learn from.
        config: `teacher` holds the settings.
        on_epoch: told of every epoch.

    Raises:
        InvalidInputError: there is nothing to learn from.
    """
    learned, watched = window.cut(config.judged_share)
    if not len(learned):
        learned, watched = window, window
    fresh = Ranker(fields.fields, config.teacher)

    def watch(ranker: Ranker) -> float:
        value = auc(watched.examples.labels, ranker.logits(watched.examples))
        return value if math.isfinite(value) else 0.5

    judge = watch if len(watched) else None
    ranker = fresh.learned(learned.examples, learned.at, validation=judge, on_epoch=on_epoch)
    return ranker.calibrated(watched.examples) if len(watched) else ranker


def learn_increment(
    start: Ranker,
    window: Window,
    config: IncrementalConfig,
    teacher: Ranker | None = None,
    on_epoch: OnEpoch | None = None,
    earlier: Window | None = None,
) -> Ranker:
    """Return a ranker that went on from another with a window.

    New ids get rows, those not met for `forget_days` lose theirs.

    Args:
        start: the deployed model.
        window: the newest examples.
        config: the settings.
        teacher: whose word counts; None learns by the window's labels alone.
        on_epoch: told of every epoch.
        earlier: what may be recalled with the teacher's word, see `recalled`.
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
        targets = taught(examples, teacher, config)
        if earlier is not None and len(window):
            old = recalled(earlier, window, teacher, config)
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


def recalled(earlier: Window, newest: Window, teacher: Ranker, config: IncrementalConfig) -> Window:
    """Return earlier examples of items that the teacher knows and the newest window does not show.

    As many as `recalled_share` of the newest, drawn by the teacher's seed and the newest moment.
    """
    place = teacher.place_of(config.item_field)
    shown = newest.examples.categories[:, place]
    away = np.flatnonzero(~np.isin(earlier.examples.categories[:, place], shown))
    rng = np.random.default_rng([teacher.config.fifa.seed, int(newest.at[-1])])
    count = min(round(config.recalled_share * len(newest)), len(away))
    chosen = np.sort(rng.choice(away, count, replace=False))
    known = teacher.knows(config.item_field, earlier.examples[chosen])
    return Window(earlier.examples[chosen[known]], earlier.at[chosen[known]])


def taught(examples: Examples, teacher: Ranker, config: IncrementalConfig) -> Float32:
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
    """Learn from a window and test before deploying, the live model on the same examples.

    Without a live model everything is learned from scratch, and held against the field that orders
    until then, if the settings name one. A model that diverged or is kept back
    is learned once more from the teacher: what the live model became may be what is wrong.

    Args:
        live: the deployed model.
        window: all since the live model's `learned_until`.
        config: the settings.
        fields: a ranker of the wanted fields.
        teacher: of the day.
        on_epoch: told of every epoch.
        earlier: what may be recalled with the teacher's word.

    Raises:
        InvalidInputError: the window is too small to learn and to judge from.
    """
    older, newest = window.cut(config.judged_share)
    if not len(older) or len(np.unique(newest.examples.labels)) < 2:
        raise InvalidInputError(
            f"{len(window)} examples are too few to learn from and to judge by: in the newest "
            f"{config.judged_share:.0%} something must be taken, and something left"
        )
    calibrating, judging = newest.examples[0::2], newest.examples[1::2]
    starts = {"scratch": None} if live is None else {"live": live, "teacher": teacher}
    found: Cycle | None = None
    for name, start in starts.items():
        if start is None and name != "scratch":
            continue
        curve: list[dict[str, Any]] = []

        def note(report: EpochReport, curve: list[dict[str, Any]] = curve) -> None:
            curve.append({"epoch": report.epoch, "loss": report.loss, "auc": report.validation})
            if on_epoch is not None:
                on_epoch(report)

        began = time.perf_counter()
        if start is None:
            ranker = learn_from_scratch(fields, older, config, note)
        else:
            ranker = learn_increment(start, older, config, teacher, note, earlier)
        ranker = ranker.calibrated(calibrating)
        seconds = time.perf_counter() - began
        verdict = config.gate.verdict(ranker, live, judging)
        found = Cycle(ranker, verdict, name, float(older.at[-1]), curve, seconds)
        if verdict.passed:
            break
    assert found is not None  # noqa: S101 - one of the starts is there
    return found
