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
from recommender.data.splits import stable_holdout
from recommender.errors import InvalidInputError
from recommender.models.ials import IalsConfig
from recommender.training.config import ReleaseConfig
from recommender.training.tuning import SearchConfig, Trial, tune

MIN_PROFILES = 1000
"""With fewer profiles the shipped settings stay: they were chosen on 671 people, and of so few
hardly a hundred are held out, on which settings differ by chance."""
SHAPE_CHANGE = 1.5
"""The shape has changed where a number of it is so many times larger or smaller."""
FIRST_SEARCH = SearchConfig(
    start=IalsConfig(embedding_size=32, epochs=6),
    unobserved_weights=(0.3, 0.1, 0.03, 0.01),
    regularizations=(0.003, 0.001, 0.01, 0.0003),
    refinements=0,
    max_embedding_size=512,
    final_epochs=16,
    refines_doubled=False,
    max_seconds=600.0,
)
"""What a training run searches by itself: 16 settings at D = 32, then D doubled while it helps."""
MOST_TRIALS = 20
"""Of `FIRST_SEARCH`: the grid, and D = 64, 128, 256, 512."""


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
    shape = Shape.of(interactions)
    if shape.profiles < MIN_PROFILES:
        return False
    stored = _stored_shape()
    if stored is None:
        return not (_folder() / "ials.json").exists()
    return shape.differs(stored)


def tune_ials(
    interactions: Interactions,
    search: SearchConfig,
    seed: int = 0,
    on_trial: Callable[[Trial], None] | None = None,
    show_progress: bool = False,
) -> list[Trial]:
    """Search, store the best settings, and return all trials, best first.

    The profiles on which a release is evaluated take no part: others are held out for the search,
    so the gate compares on profiles that chose no setting.
    """
    config = ReleaseConfig()
    learned, _ = stable_holdout(interactions, seed, config.held_out_share, config.max_held_out)
    train, validation = stable_holdout(
        learned, seed + 1, 2 * config.held_out_share, config.max_held_out
    )
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / f"ials-{train.fingerprint()[:12]}.jsonl"
    trials = tune(train, validation, search, journal, on_trial, show_progress)
    _store(trials[0].config, Shape.of(interactions))
    return trials


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


def _folder() -> Path:
    return Path(settings.MARQUEE_HOME) / "tuning"
