"""Search iALS's settings on this site's interactions, and read the best ones back for training.

MARQUEE_HOME/tuning/ials-DATA.jsonl  all trials: an interrupted search continues from them
MARQUEE_HOME/tuning/ials.json        the best settings; every later training run uses them
MARQUEE_HOME/tuning/shape.json       the shape of the interactions they were chosen on

The first training of a catalogue searches a small grid by itself, and so does one whose
interactions have changed their shape since: settings of another shape can be worse than popularity.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError
from recommender.models.ials import IalsConfig
from recommender.training.config import ReleaseConfig
from recommender.training.first_search import (
    FirstSearchConfig,
    FoundSettings,
    first_search,
    folds_of,
    is_large_enough,
)
from recommender.training.trials import Fold, Trial
from recommender.training.tuning import SearchConfig, tune

SHAPE_CHANGE = 1.5
"""The shape has changed where a number of it is so many times larger or smaller."""


@dataclass(frozen=True)
class Shape:
    """What settings depend on."""

    profiles: int
    titles: int
    interactions_per_profile: float

    @classmethod
    def of(cls, interactions: Interactions) -> "Shape":
        per_profile = interactions.matrix.nnz / max(interactions.num_profiles, 1)
        return cls(interactions.num_profiles, interactions.num_items, per_profile)

    def differs(self, other: "Shape") -> bool:
        """Return whether a number is `SHAPE_CHANGE` times the other's, or the other way round."""
        pairs = zip(asdict(self).values(), asdict(other).values(), strict=True)
        return any(max(a, b) >= SHAPE_CHANGE * min(a, b) for a, b in pairs)


def is_search_due(interactions: Interactions) -> bool:
    """Return whether a training run should search settings first.

    Settings that an operator stored without a shape stay.
    """
    if not is_large_enough(interactions):
        return False
    stored = _stored_shape()
    if stored is None:
        return not (_folder() / "ials.json").exists()
    return Shape.of(interactions).differs(stored)


def tune_ials(
    interactions: Interactions,
    search: SearchConfig,
    seed: int = 0,
    on_trial: Callable[[Trial], None] | None = None,
    show_progress: bool = False,
) -> list[Trial]:
    """Search as an operator asks, store the best settings, and return all trials, best first."""
    folds = folds_of(interactions, seed)
    trials = tune(folds, search, _journal(folds), on_trial, show_progress)
    _store(trials[0].config, Shape.of(interactions))
    return trials


def search_first(
    interactions: Interactions, seed: int, on_trial: Callable[[Trial], None]
) -> FoundSettings:
    """Search as a first training does, and store the best settings."""
    folds = folds_of(interactions, seed)
    found = first_search(folds, FirstSearchConfig(), _journal(folds), on_trial)
    _store(found.best.config, Shape.of(interactions))
    return found


def tuned_config() -> ReleaseConfig:
    """Return the settings of a training run: the shipped ones, with iALS's as last tuned.

    Raises:
        InvalidInputError: the stored settings cannot be read.
    """
    return replace(ReleaseConfig(), ials=tuned_ials())


def tuned_ials() -> IalsConfig:
    """Return the settings of the last search, or the shipped ones where none was made.

    Raises:
        InvalidInputError: the stored settings cannot be read.
    """
    path = _folder() / "ials.json"
    try:
        return IalsConfig(**json.loads(path.read_text()))
    except FileNotFoundError:
        return ReleaseConfig().ials
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"{path} holds no settings of iALS ({error}). Run `manage.py tune ials` again, or "
            "delete the file to train with the shipped settings"
        ) from error


def _stored_shape() -> Shape | None:
    """Return the shape that the stored settings were chosen on, None where it is not known."""
    try:
        return Shape(**json.loads((_folder() / "shape.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _store(config: IalsConfig, shape: Shape) -> None:
    """Replace the stored settings; the number of epochs is the best trial's."""
    _write("ials.json", asdict(replace(config, num_threads=None, patience=None)))
    _write("shape.json", asdict(shape))


def _write(name: str, values: dict[str, Any]) -> None:
    """Write a file atomically."""
    draft = _folder() / f".{name}"
    draft.write_text(json.dumps(values, indent=2) + "\n")
    os.replace(draft, _folder() / name)


def _journal(folds: list[Fold]) -> Path:
    """Return where the trials on these folds are written."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"ials-{folds[0].train.fingerprint()[:12]}.jsonl"


def _folder() -> Path:
    return Path(settings.MARQUEE_HOME) / "tuning"
