"""The settings search of a catalogue's first training: interactions in, iALS's settings out.

At D = 32, a coarse grid of α₀ × λ*; then steps from the best setting as long as one is better, also
beyond the grid: λ* alone, α₀ against λ*, and α₀ alone. A row's penalty grows with λ* α₀, so the
good settings lie along a diagonal, which steps along one axis at a time would miss. Then D is
doubled while that helps, with such steps, because the best settings change with D. Power iterations
start each trial near its solution, so that it needs few epochs, and blocks keep a large D
affordable.

It is bounded: by a number of seconds, which end a trial between two epochs, and by a number of
trials. It chooses on profiles that are held out for it alone: those that evaluate a release take
no part.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recommender import checks
from recommender.data.interactions import Interactions
from recommender.data.splits import stable_holdout
from recommender.errors import InvalidInputError
from recommender.models.ials import IalsConfig
from recommender.training.config import ReleaseConfig
from recommender.training.trials import Fold, Limits, Trial, Trials, grid, scaled

MIN_PROFILES = 700
"""With fewer profiles the shipped settings stay: a full search chose them on 671."""
ENOUGH_VALIDATION, MAX_FOLDS = 1000, 5
"""Folds are added until they hold out so many profiles, up to so many folds."""
GROWTH = 4.0
"""How many times longer an epoch of twice the D takes at most, in blocks."""


@dataclass(frozen=True)
class FirstSearchConfig:
    """Where the search starts, and how far it goes."""

    start: IalsConfig = IalsConfig(embedding_size=32, epochs=10, power_iterations=4, patience=2)
    """What the grid varies."""
    unobserved_weights: tuple[float, ...] = (0.3, 0.05, 0.01)
    """The grid of α₀."""
    regularizations: tuple[float, ...] = (0.01, 0.002, 0.0004)
    """The grid of λ*."""
    step: float = 2.0
    """The factor of a step of α₀ or λ*."""
    max_embedding_size: int = 512
    """D is doubled up to this while it helps."""
    rows_per_dimension: int = 4
    """D is at most the number of profiles, and of titles, through this."""
    cheap_embedding_size: int = 128
    """Each D up to this has steps; a larger one where doubling does not help, and the last."""
    block_size: int = 64
    """b of each larger D."""
    min_gain: float = 0.002
    """A step or a doubling must gain so much of the metric, relatively, to be followed."""
    max_trials: int = 60
    max_seconds: float = 600.0

    def __post_init__(self) -> None:
        if not self.unobserved_weights or not self.regularizations:
            raise InvalidInputError("the grid needs a weight and a regularization at least")
        if self.step <= 1:
            raise InvalidInputError(f"step must be above 1, got {self.step}")
        checks.positive(max_seconds=self.max_seconds)
        checks.whole(
            max_trials=self.max_trials,
            block_size=self.block_size,
            rows_per_dimension=self.rows_per_dimension,
        )


@dataclass(frozen=True)
class FoundSettings:
    """Result of the search.

    Attributes:
        best: the best trial.
        trials: how many settings were tried.
        seconds: how long it took.
        is_cut_off: whether the time or the number of trials was over before the search was.
    """

    best: Trial
    trials: int
    seconds: float
    is_cut_off: bool

    @property
    def summary(self) -> str:
        """What staff read of it."""
        c = self.best.config
        limit = "It ended at its limit: `manage.py tune ials` has none." if self.is_cut_off else ""
        return (
            f"iALS's settings were searched: {self.trials} in {self.seconds:.0f} s. Best are "
            f"D {c.embedding_size}, α₀ {c.unobserved_weight:g}, λ* {c.regularization:g}, "
            f"{c.epochs} epochs, with NDCG@100 "
            f"{self.best.value:.4f} on their validation profiles. {limit}"
        ).strip()

    def as_json(self) -> dict[str, Any]:
        """Return it without the trial's curve."""
        return {
            "summary": self.summary,
            "config": asdict(self.best.config),
            "validation": self.best.value,
            "trials": self.trials,
            "seconds": self.seconds,
            "is_cut_off": self.is_cut_off,
        }


def is_large_enough(interactions: Interactions) -> bool:
    """Return whether a catalogue has enough profiles for settings of its own."""
    return interactions.num_profiles >= MIN_PROFILES


def folds_of(interactions: Interactions, seed: int) -> list[Fold]:
    """Split what a search learns from and the profiles it chooses on, `MAX_FOLDS` times at most.

    Those that evaluate a release are in neither, so the gate compares on profiles that chose no
    setting.

    Args:
        interactions: everything.
        seed: of the release.
    """
    config = ReleaseConfig()
    learned, _ = stable_holdout(interactions, seed, config.held_out_share, config.max_held_out)
    folds: list[Fold] = []
    while len(folds) < MAX_FOLDS and sum(len(f.validation.rows) for f in folds) < ENOUGH_VALIDATION:
        split_seed = seed + 1 + len(folds)
        share = 2 * config.held_out_share
        folds.append(Fold(*stable_holdout(learned, split_seed, share, config.max_held_out)))
    return folds


def first_search(
    folds: Sequence[Fold],
    config: FirstSearchConfig = FirstSearchConfig(),
    journal: Path | None = None,
    on_trial: Callable[[Trial], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> FoundSettings:
    """Search, and return the best settings; their epochs are the best trial's.

    Args:
        folds: what each trial learns from and is evaluated on (`folds_of`).
        config: how far to search.
        journal: where trials are written; those in it are not run again (`Trials`).
        on_trial: called with each trial that ran.
        clock: counts the seconds.

    Raises:
        InvalidInputError: the journal belongs to other data, or no profile is held out.
    """
    limits = Limits(config.max_seconds, config.max_trials, clock)
    trials = Trials(folds, journal, on_trial, limits=limits)
    trials.run(grid(config.start, config.unobserved_weights, config.regularizations))
    largest = min(folds[0].train.matrix.shape) // config.rows_per_dimension
    largest = min(config.max_embedding_size, largest)
    size = config.start.embedding_size
    while _take_steps(trials, config, size):
        pass
    while 2 * size <= largest and _grows(trials, config, size):
        size *= 2
    if size > config.start.embedding_size:
        _take_steps(trials, config, size)
    best = trials.best
    return FoundSettings(
        replace(best, config=replace(best.config, patience=None)),
        len(trials.ranked()),
        trials.seconds,
        trials.is_cut_off,
    )


def _grows(trials: Trials, config: FirstSearchConfig, size: int) -> bool:
    """Try twice the D, with steps where they are cheap or needed; return whether it helps."""
    before = _best_of(trials, size)
    needed = before.value * (1 + config.min_gain)
    larger = replace(
        before.config,
        embedding_size=2 * size,
        block_size=config.block_size if 2 * size > config.block_size else None,
        epochs=config.start.epochs,
    )
    trials.run([larger], GROWTH)
    if trials.is_cut_off:
        return False
    if 2 * size <= config.cheap_embedding_size or _best_of(trials, 2 * size).value < needed:
        _take_steps(trials, config, 2 * size)
    return _best_of(trials, 2 * size).value >= needed


def _take_steps(trials: Trials, config: FirstSearchConfig, size: int) -> bool:
    """Go each way at this D, in one direction or else the other; return whether one was better."""
    before = _best_of(trials, size)
    for regularization, weight in ((1, 0), (-1, 1), (0, 1)):
        for sign in (1, -1):
            factors = config.step ** (sign * weight), config.step ** (sign * regularization)
            if _follow(trials, config, size, *factors):
                break
    return _best_of(trials, size) is not before


def _follow(
    trials: Trials,
    config: FirstSearchConfig,
    size: int,
    weight_factor: float,
    regularization_factor: float,
) -> bool:
    """Step from the best setting of this D while that is better; return whether it was at all."""
    followed = False
    while not trials.is_cut_off:
        before = _best_of(trials, size)
        moved = scaled(before.config, weight_factor, regularization_factor)
        trials.run([replace(moved, epochs=config.start.epochs)])
        if _best_of(trials, size).value < before.value * (1 + config.min_gain):
            break
        followed = True
    return followed


def _best_of(trials: Trials, size: int) -> Trial:
    """Return the best trial with this D."""
    return next(trial for trial in trials.ranked() if trial.config.embedding_size == size)
