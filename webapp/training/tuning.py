"""The search for better settings, and where its result is kept.

MARQUEE_HOME/tuning/ials-DATA.jsonl  each trial, so that a search may be cut off and go on
MARQUEE_HOME/tuning/ials.json        the best setting found; training uses it from then on
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
    """Search, keep the best setting, and return all trials, best first.

    The profiles that judge a release are left out, so that the gate stays honest: others are held
    out for the search.
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
    _keep(trials[0].config)
    return trials


def tuned_ials() -> IalsConfig:
    """Return the setting of the last search, or the one we ship."""
    path = _folder() / "ials.json"
    try:
        return IalsConfig(**json.loads(path.read_text()))
    except FileNotFoundError:
        return ReleaseConfig().ials
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"{path} holds no setting of iALS: remove it ({error})") from error


def _keep(config: IalsConfig) -> None:
    """Replace the kept setting whole."""
    kept = replace(config, num_threads=None, patience=None)
    draft = _folder() / ".ials.json"
    draft.write_text(json.dumps(asdict(kept), indent=2) + "\n")
    os.replace(draft, _folder() / "ials.json")


def _folder() -> Path:
    return Path(settings.MARQUEE_HOME) / "tuning"
