"""Search iALS's settings on this site's interactions, and read the best ones back for training.

MARQUEE_HOME/tuning/ials-DATA.jsonl  all trials: an interrupted search continues from them
MARQUEE_HOME/tuning/ials.json        the best settings; every later training run uses them
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from django.conf import settings

from recommender.data.interactions import Interactions
from recommender.data.splits import stable_holdout
from recommender.errors import InvalidInputError
from recommender.models.ials import IalsConfig
from recommender.training.config import ReleaseConfig
from recommender.training.tuning import SearchConfig, Trial, tune


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
    _store(trials[0].config)
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


def _store(config: IalsConfig) -> None:
    """Replace the stored settings atomically; the number of epochs is the best trial's."""
    stored = replace(config, num_threads=None, patience=None)
    draft = _folder() / ".ials.json"
    draft.write_text(json.dumps(asdict(stored), indent=2) + "\n")
    os.replace(draft, _folder() / "ials.json")


def _folder() -> Path:
    return Path(settings.MARQUEE_HOME) / "tuning"
