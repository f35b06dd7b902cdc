"""Tuning of iALS, as its authors recommend: data in, trials with validation values out.

Rendle et al., arXiv:2110.14037, section 4: at a small D, try α₀ × λ* on a logarithmic grid;
refine around the best; then double D and refine again until it no longer helps. Every trial
is evaluated on held-out validation profiles, after each epoch, and the best epoch counts.

The first training of a catalogue makes a shorter search of its own (`first_search`).
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recommender import checks
from recommender.errors import InvalidInputError
from recommender.models.ials import IalsConfig
from recommender.training.trials import Fold, Trial, Trials, grid, scaled

WEIGHTS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
REGULARIZATIONS = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)


@dataclass(frozen=True)
class SearchConfig:
    """How far to search."""

    start: IalsConfig = IalsConfig(embedding_size=64, epochs=8)
    """What the grid varies; its epochs are those of a broad search."""
    unobserved_weights: tuple[float, ...] = WEIGHTS
    """The grid of α₀."""
    regularizations: tuple[float, ...] = REGULARIZATIONS
    """The grid of λ*."""
    refinements: int = 2
    """Rounds around the best, each with half the step of the round before."""
    max_embedding_size: int = 128
    """D is doubled up to this while it helps."""
    min_gain: float = 0.002
    """A doubling must gain so much of the metric, relatively, for another to be tried."""
    final_epochs: int = 16
    """Of the trials at each doubled D."""

    def __post_init__(self) -> None:
        if not self.unobserved_weights or not self.regularizations:
            raise InvalidInputError("the grid needs a weight and a regularization at least")
        checks.whole(0, refinements=self.refinements)
        if self.max_embedding_size < self.start.embedding_size:
            raise InvalidInputError(
                f"max_embedding_size must be at least the start's {self.start.embedding_size}, "
                f"got {self.max_embedding_size}"
            )


def tune(
    folds: Sequence[Fold],
    config: SearchConfig = SearchConfig(),
    journal: Path | None = None,
    on_trial: Callable[[Trial], None] | None = None,
    show_progress: bool = False,
) -> list[Trial]:
    """Search, and return all trials, best first; ties go to the earlier one.

    Args:
        folds: what each trial learns from and is evaluated on (`first_search.folds_of`).
        config: how far to search.
        journal: where trials are written down, one JSON a line; those in it are not run again.
            It belongs to these data: another data set's journal is refused.
        on_trial: called with each trial that ran, not with those in the journal.
        show_progress: draw a progress bar.

    Raises:
        InvalidInputError: the journal belongs to other data, or no profile is held out.
    """
    trials = Trials(folds, journal, on_trial, show_progress)
    try:
        return _searched(trials, config)
    finally:
        trials.close()


def table(trials: list[Trial]) -> str:
    """Return the trials as text, best first."""
    lines = [f"{'D':>5}  {'α₀':>8}  {'λ*':>8}  {'ν':>5}  {'epochs':>6}  {'NDCG@100':>8}"]
    lines += [
        f"{c.embedding_size:>5}  {c.unobserved_weight:>8.4g}  {c.regularization:>8.4g}  "
        f"{c.regularization_exponent:>5.3g}  {c.epochs:>6}  {trial.value:>8.4f}"
        for trial in trials
        for c in [trial.config]
    ]
    return "\n".join(lines)


def _searched(search: Trials, config: SearchConfig) -> list[Trial]:
    search.run(grid(config.start, config.unobserved_weights, config.regularizations))
    for step in _steps(config.refinements):
        search.run(_around(replace(search.best.config, epochs=config.start.epochs), step))
    size = config.start.embedding_size * 2
    while size <= config.max_embedding_size:
        before = search.best
        larger = replace(before.config, embedding_size=size, epochs=config.final_epochs)
        search.run([larger, *_around(larger, 2**0.5)])
        if search.best.value < before.value * (1 + config.min_gain):
            break
        size *= 2
    return search.ranked()


def _steps(refinements: int) -> Iterator[float]:
    """Yield the factors between neighbours: √ of the grid's about 3.2, √ of that, and so on."""
    step = 10**0.5
    for _ in range(refinements):
        step **= 0.5
        yield step


def _around(config: IalsConfig, step: float) -> Iterator[IalsConfig]:
    """Yield the eight neighbours of a setting."""
    for weight, regularization in itertools.product((1 / step, 1.0, step), repeat=2):
        if weight != 1.0 or regularization != 1.0:
            yield scaled(config, weight, regularization)
