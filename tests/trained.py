"""A training is done once a run of the tests: each further test gets a copy of its files.

What a training depends on is in its key, so a test that has other ratings trains for itself.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import Sessions
from recommender.training.config import ReleaseConfig
from recommender.training.train import Metrics, train_release


@dataclass(frozen=True)
class Copied:
    """What is asked of a trained release after its training."""

    metrics: Metrics


class TrainedOnce:
    """Trainings by their key, in a folder that all workers share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def copy(self, key: str, folder: Path, train: Callable[[Path], None]) -> None:
        """Copy what `train` leaves in the folder it gets; call it at the key's first use alone."""
        kept = self.folder / key
        with open(self.folder / f"{key}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                made = self.folder / f"{key}.new"
                shutil.rmtree(made, ignore_errors=True)
                made.mkdir()
                train(made)
                made.rename(kept)
        shutil.copytree(kept, folder, dirs_exist_ok=True)

    def train_release(
        self,
        interactions: Interactions,
        config: ReleaseConfig,
        folder: Path,
        *,
        seed: int,
        sessions: Sessions,
        catalogue: Catalogue,
        on_progress: object,
        ials_solver: object,
    ) -> Copied:
        """Stand in for `recommender.training.train.train_release`, without its progress."""

        def train(made: Path) -> None:
            trained = train_release(
                interactions, config, made, seed=seed, sessions=sessions, catalogue=catalogue
            )
            (made / "metrics.json").write_text(json.dumps(trained.metrics))

        self.copy(_key(interactions, sessions, catalogue, config, seed), folder, train)
        metrics = folder / "metrics.json"
        copied = Copied(json.loads(metrics.read_text()))
        metrics.unlink()
        return copied


def _key(
    interactions: Interactions,
    sessions: Sessions,
    catalogue: Catalogue,
    config: ReleaseConfig,
    seed: int,
) -> str:
    """Return a digest of all that a release is trained on."""
    digest = hashlib.sha256(f"{interactions.fingerprint()} {config} {seed}".encode())
    assert interactions.last_at is not None
    arrays: list[Any] = [interactions.last_at.data]
    arrays += [sessions.bounds, sessions.items, sessions.kinds, sessions.at]
    arrays += [sessions.opens_visit, sessions.viewers]
    arrays += [catalogue.titles.ids, catalogue.genre_ids, catalogue.person_ids, catalogue.years]
    for matrix in (catalogue.genres, catalogue.people, catalogue.facts):
        arrays += [matrix.indptr, matrix.indices, matrix.data]
    for array in arrays:
        digest.update(array.tobytes())
    digest.update(repr(sorted(sessions.queries.items())).encode())
    digest.update(repr(catalogue.fact_names).encode())
    return digest.hexdigest()
