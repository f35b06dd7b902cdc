"""Trials of iALS's settings: settings in, their values on held-out validation profiles out.

Each trial is evaluated after each epoch, and its best epoch counts. Where few profiles can be held
out there are several folds, and a trial is evaluated on all of them: otherwise chance would choose.
A trial is written to a journal as it ends, so that an interrupted search continues from it. A time
limit ends the search between epochs; a trial that it cuts short counts with the epochs it had, and
stays out of the journal.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from recommender.data.interactions import Interactions
from recommender.data.splits import HeldOut
from recommender.errors import InvalidInputError
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.models.early_stopping import EpochReport
from recommender.models.ials import Ials, IalsConfig


@dataclass(frozen=True)
class Trial:
    """One setting and its result.

    Attributes:
        config: the setting, its epochs those of the best one.
        value: validation NDCG@100 at the best epoch.
        curve: a point for each epoch.
    """

    config: IalsConfig
    value: float
    curve: list[dict[str, Any]]


@dataclass(frozen=True)
class Fold:
    """What a trial learns from, and profiles that it does not learn from."""

    train: Interactions
    validation: HeldOut


@dataclass(frozen=True)
class Limits:
    """How long a search may take."""

    max_seconds: float = math.inf
    max_trials: float = math.inf
    clock: Callable[[], float] = time.monotonic
    """What counts the seconds."""


def grid(
    start: IalsConfig, unobserved_weights: Iterable[float], regularizations: Iterable[float]
) -> Iterator[IalsConfig]:
    """Yield the start with each α₀ and each λ*."""
    for weight, regularization in product(unobserved_weights, regularizations):
        yield replace(start, unobserved_weight=weight, regularization=regularization)


def scaled(config: IalsConfig, weight_factor: float, regularization_factor: float) -> IalsConfig:
    """Return a setting with α₀ and λ* multiplied, to three digits: to be read, and found again."""
    weight = config.unobserved_weight * weight_factor
    regularization = config.regularization * regularization_factor
    return replace(
        config,
        unobserved_weight=float(f"{weight:.3g}"),
        regularization=float(f"{regularization:.3g}"),
    )


class Trials:
    """The trials of a search so far, in memory and in the journal."""

    def __init__(
        self,
        folds: Sequence[Fold],
        journal: Path | None = None,
        on_trial: Callable[[Trial], None] | None = None,
        show_progress: bool = False,
        limits: Limits = Limits(),
    ) -> None:
        """Read the journal's trials, and start the clock.

        Args:
            folds: one at least; a trial learns from each, and its value is the mean over all their
                validation profiles. Few profiles need several.
            journal: one JSON a line; its trials are not run again. It belongs to these data.
            on_trial: called with each trial that ran, not with those in the journal.
            show_progress: draw a progress bar.
            limits: how long it may take.

        Raises:
            InvalidInputError: the journal belongs to other data, or no profile is held out.
        """
        if not all(len(fold.validation.rows) for fold in folds):
            raise InvalidInputError("no profile is held out, so no trial can be evaluated")
        self.is_cut_off = False
        """Whether the time limit has kept a trial from starting or from its last epoch."""
        self._limits = limits
        self._began = limits.clock()
        self._seconds_per_epoch = 0.0
        """Of the last trial, validation included."""
        self._folds = folds
        self._journal, self._on_trial = journal, on_trial
        self._bar = tqdm(disable=not show_progress, unit="trial", total=0)
        self._data = "-".join(fold.train.fingerprint() for fold in folds)
        self._trials: dict[IalsConfig, Trial] = {}
        """By the setting that was requested."""
        self._written = {} if journal is None else _read(journal, self._data)
        """What the journal held. It counts only once the search comes to it, so that a search
        that continues takes every turn as one that was never cut off."""

    @property
    def best(self) -> Trial:
        return self.ranked()[0]

    @property
    def seconds(self) -> float:
        """Since the search began."""
        return self._limits.clock() - self._began

    def ranked(self) -> list[Trial]:
        """Return all trials, best first; ties go to the earlier one."""
        return sorted(self._trials.values(), key=lambda trial: -trial.value)

    def run(self, configs: Iterable[IalsConfig], epoch_growth: float = 1.0) -> None:
        """Try settings, in turn, while there is time. The first of all has an epoch at least.

        Args:
            configs: those tried before are not tried again.
            epoch_growth: how many times longer their epochs are expected to be than the last
                trial's; a trial whose first epoch would end after the limit does not begin.
        """
        settings = list(configs)
        self._bar.total = (self._bar.total or 0) + len(settings)
        for config in settings:
            if config not in self._trials:
                trial = self._written.get(config) or self._run_one(config, epoch_growth)
                if trial is None:
                    return
                self._trials[config] = trial
            self._bar.set_postfix({"best": f"{self.best.value:.4f}"}, refresh=False)
            self._bar.update()

    def close(self) -> None:
        """End the progress bar."""
        self._bar.close()

    def _run_one(self, config: IalsConfig, epoch_growth: float) -> Trial | None:
        """Run a trial; None where there is no time for it."""
        self.is_cut_off |= bool(self._trials) and (
            len(self._trials) >= self._limits.max_trials
            or self.seconds + self._seconds_per_epoch * epoch_growth >= self._limits.max_seconds
        )
        if self.is_cut_off:
            return None
        trial = self._evaluated(config)
        if not self.is_cut_off:
            self._write(config, trial)
        if self._on_trial is not None:
            self._on_trial(trial)
        return trial

    def _evaluated(self, config: IalsConfig) -> Trial:
        began, epochs = self.seconds, 0
        curves = []
        for fold in self._folds:
            curves.append(self._curve(config, fold))
            epochs += len(curves[-1])
        self._seconds_per_epoch = (self.seconds - began) / epochs
        weights = [len(fold.validation.rows) for fold in self._folds]
        curve = [_mean(points, weights) for points in zip(*curves, strict=False)]
        best = max(curve, key=lambda point: point["validation"])
        return Trial(replace(config, epochs=best["epoch"]), best["validation"], curve)

    def _curve(self, config: IalsConfig, fold: Fold) -> list[dict[str, Any]]:
        """Train on a fold, and return its epochs."""
        reports: list[EpochReport] = []

        def validate(model: Ials) -> float:
            return means(strong_generalisation(model.score, fold.validation))["ndcg@100"]

        Ials(config).fit(fold.train, reports.append, validate, should_stop=self._is_over)
        return [asdict(report) for report in reports]

    def _is_over(self) -> bool:
        self.is_cut_off = self.seconds >= self._limits.max_seconds
        return self.is_cut_off

    def _write(self, requested: IalsConfig, trial: Trial) -> None:
        if self._journal is None:
            return
        line = {"data": self._data, "asked": asdict(requested), **asdict(trial)}
        with self._journal.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _mean(points: tuple[dict[str, Any], ...], weights: list[int]) -> dict[str, Any]:
    """Return the weighted mean of an epoch's points, one of each fold."""
    return {
        name: value
        if name == "epoch"
        else float(np.average([point[name] for point in points], weights=weights))
        for name, value in points[0].items()
    }


def _read(journal: Path, data: str) -> dict[IalsConfig, Trial]:
    """Read a journal's trials by requested setting, and cut off a last line without its end.

    Args:
        journal: may be missing.
        data: the fingerprint of the search's interactions.
    """
    if not journal.exists():
        return {}
    text = journal.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        journal.write_text(whole)
    trials = {}
    for line in whole.splitlines():
        try:
            entry = json.loads(line)
            requested, config = IalsConfig(**entry["asked"]), IalsConfig(**entry["config"])
            trial = Trial(config, entry["value"], entry["curve"])
            is_of_data = entry["data"] == data
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"{journal} is no journal of a search: name another file ({error})"
            ) from error
        if not is_of_data:
            raise InvalidInputError(
                f"{journal} is the journal of other data: name another file, or remove it"
            )
        trials[requested] = trial
    return trials
