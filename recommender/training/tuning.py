"""Tuning of iALS, as its authors recommend: data in, trials with validation values out.

Rendle et al., arXiv:2110.14037, section 4: at a small D, try α₀ × λ* on a logarithmic grid;
refine around the best; then double D and refine again until it no longer helps. Every trial
is evaluated on held-out validation profiles, after each epoch, and the best epoch counts.

A search may be bounded in time. It writes each trial down as it ends, so one that was cut off goes
on where it stopped.
"""

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from recommender import checks
from recommender.data.interactions import Interactions
from recommender.data.splits import HeldOut
from recommender.errors import InvalidInputError
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.models.early_stopping import EpochReport
from recommender.models.ials import Ials, IalsConfig

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
    refines_doubled: bool = True
    """Whether the neighbours of the best setting are tried at each doubled D too."""
    max_seconds: float | None = None
    """After so long no further trial begins."""

    def __post_init__(self) -> None:
        if not self.unobserved_weights or not self.regularizations:
            raise InvalidInputError("the grid needs a weight and a regularization at least")
        checks.whole(0, refinements=self.refinements)
        if self.max_seconds is not None:
            checks.positive(max_seconds=self.max_seconds)
        if self.max_embedding_size < self.start.embedding_size:
            raise InvalidInputError(
                f"max_embedding_size must be at least the start's {self.start.embedding_size}, "
                f"got {self.max_embedding_size}"
            )


@dataclass(frozen=True)
class Trial:
    """One setting and what came of it.

    Attributes:
        config: the setting, its epochs those of the best one.
        value: validation NDCG@100 at the best epoch.
        curve: a point for each epoch.
    """

    config: IalsConfig
    value: float
    curve: list[dict[str, Any]]


def tune(
    train: Interactions,
    validation: HeldOut,
    config: SearchConfig = SearchConfig(),
    journal: Path | None = None,
    on_trial: Callable[[Trial], None] | None = None,
    show_progress: bool = False,
) -> list[Trial]:
    """Search, and return all trials, best first; ties go to the earlier one.

    Args:
        train: what each trial learns from.
        validation: profiles that none has learned from.
        config: how far to search.
        journal: where trials are written down, one JSON a line; those in it are not run again.
            It belongs to these data: another data set's journal is refused.
        on_trial: called with each trial that ran, not with those in the journal.
        show_progress: draw a progress bar.

    Raises:
        InvalidInputError: the journal belongs to other data, or no profile is held out.
    """
    if not len(validation.rows):
        raise InvalidInputError("no profile is held out, so no trial can be evaluated")
    search = _Search(train, validation, journal, on_trial, show_progress, config.max_seconds)
    try:
        return _searched(search, config)
    finally:
        search.bar.close()


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


def _searched(search: "_Search", config: SearchConfig) -> list[Trial]:
    grid = itertools.product(config.unobserved_weights, config.regularizations)
    search.run(
        replace(config.start, unobserved_weight=weight, regularization=regularization)
        for weight, regularization in grid
    )
    for step in _steps(config.refinements):
        search.run(_around(replace(search.best.config, epochs=config.start.epochs), step))
    size = config.start.embedding_size * 2
    while size <= config.max_embedding_size:
        before = search.best
        larger = replace(before.config, embedding_size=size, epochs=config.final_epochs)
        search.run([larger, *(_around(larger, 2**0.5) if config.refines_doubled else ())])
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
            yield replace(
                config,
                unobserved_weight=_rounded(config.unobserved_weight * weight),
                regularization=_rounded(config.regularization * regularization),
            )


def _rounded(value: float) -> float:
    """Keep three digits, so that a setting can be read, and found again."""
    return float(f"{value:.3g}")


class _Search:
    """The trials so far, in memory and in the journal."""

    def __init__(
        self,
        train: Interactions,
        validation: HeldOut,
        journal: Path | None,
        on_trial: Callable[[Trial], None] | None,
        show_progress: bool,
        max_seconds: float | None,
    ) -> None:
        self.until = None if max_seconds is None else time.monotonic() + max_seconds
        self.train, self.validation = train, validation
        self.journal, self.on_trial = journal, on_trial
        self.bar = tqdm(disable=not show_progress, unit="trial", total=0)
        self.data = train.fingerprint()
        self.trials: dict[IalsConfig, Trial] = {}
        """By the setting that was requested."""
        self.written: dict[IalsConfig, Trial] = {}
        """What the journal held. It counts only once the search comes to it, so that a search
        that goes on takes every turn as one that was never cut off."""
        if journal is not None and journal.exists():
            text = journal.read_text()
            whole = text[: text.rfind("\n") + 1]
            if whole != text:  # the last line was cut off
                journal.write_text(whole)
            for line in whole.splitlines():
                self._remember(line)

    @property
    def best(self) -> Trial:
        return self.ranked()[0]

    def ranked(self) -> list[Trial]:
        return sorted(self.trials.values(), key=lambda trial: -trial.value)

    def run(self, configs: Iterator[IalsConfig] | list[IalsConfig]) -> None:
        settings = list(configs)
        self.bar.total = (self.bar.total or 0) + len(settings)
        for config in settings:
            if self.trials and self.until is not None and time.monotonic() >= self.until:
                return
            if config not in self.trials:
                self.trials[config] = self.written.get(config) or self._try_and_tell(config)
            self.bar.set_postfix({"best": f"{self.best.value:.4f}"}, refresh=False)
            self.bar.update()

    def _try_and_tell(self, config: IalsConfig) -> Trial:
        trial = self._try(config)
        self._write_down(config, trial)
        if self.on_trial is not None:
            self.on_trial(trial)
        return trial

    def _try(self, config: IalsConfig) -> Trial:
        reports: list[EpochReport] = []

        def validate(model: Ials) -> float:
            return means(strong_generalisation(model.score, self.validation))["ndcg@100"]

        Ials(config).fit(self.train, reports.append, validate)
        best = max(reports, key=lambda report: report.validation or 0.0)
        return Trial(
            replace(config, epochs=best.epoch),
            best.validation or 0.0,
            [asdict(report) for report in reports],
        )

    def _write_down(self, requested: IalsConfig, trial: Trial) -> None:
        if self.journal is None:
            return
        line = {"data": self.data, "asked": asdict(requested), **asdict(trial)}
        with self.journal.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _remember(self, line: str) -> None:
        """Take in one line of the journal."""
        try:
            entry = json.loads(line)
            requested, config = IalsConfig(**entry["asked"]), IalsConfig(**entry["config"])
            data, trial = entry["data"], Trial(config, entry["value"], entry["curve"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"{self.journal} is no journal of a search: name another file ({error})"
            ) from error
        if data != self.data:
            raise InvalidInputError(
                f"{self.journal} is the journal of other data: name another file, or remove it"
            )
        self.written[requested] = trial
