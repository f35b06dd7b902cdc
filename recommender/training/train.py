"""From interactions to a release on disk: every long-term model, trained and judged.

    FOLDER/popularity  FOLDER/ials
    FOLDER/session_encoder  FOLDER/fusion     (where enough visits are known)
    FOLDER/larm                               (where it fits)

The profiles that judge a release are held out of its training by a rule that depends on their ids
and the seed alone (`stable_holdout`), so any two releases are judged on profiles that neither has
seen. Held-out profiles are served like everyone else: their vectors are folded in.
"""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from scipy import sparse

from recommender.arrays import AnyArray, Float32
from recommender.artifacts import Provenance
from recommender.data.interactions import Interactions
from recommender.data.sessions import Sessions
from recommender.data.splits import HeldOut, stable_holdout
from recommender.errors import TooLargeError
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.models.early_stopping import EpochReport
from recommender.models.ials import Ials, IalsEpochReport
from recommender.models.item_to_item import Neighbours
from recommender.models.larm import Larm
from recommender.models.popularity import Popularity
from recommender.solvers.block_newton import improve_rows
from recommender.solvers.block_newton_torch import TorchSolver
from recommender.training.config import ReleaseConfig
from recommender.training.neighbours import train_neighbours
from recommender.training.visits import MIN_FORETOLD, VisitModels, train_visits
from recommender.vocabulary import UNKNOWN, Vocabulary

MODELS = ("popularity", "ials", "larm", "session_encoder")

TOO_FEW_VISITS = f"fewer than {MIN_FORETOLD} events follow another in their visit"

Metrics = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Progress:
    """How far a training run is.

    Attributes:
        model: which model is being trained.
        done: steps of it that are done.
        total: of so many.
        point: the newest point of its curve, plain JSON; None for models without one.
    """

    model: str
    done: int
    total: int
    point: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class TrainedRelease:
    """What `train_release` leaves.

    Attributes:
        folder: where the artifacts are, one folder a model.
        metrics: plain JSON by model: `ndcg@100`, `recall@20`, `recall@50`, `seconds`, and for iALS
            its `curve`, a list of points; for R-LARM what `neighbours.NeighbourModel` says and for
            the session encoder what `visits.VisitModels` says; `{"skipped": why}` for a model that
            could not be trained.
        ials: the trained models themselves.
    """

    folder: Path
    metrics: Metrics
    popularity: Popularity
    ials: Ials
    visits: VisitModels | None
    neighbours: Neighbours | None


class Scorer(Protocol):
    items: Vocabulary

    def score(self, histories: sparse.csr_array) -> AnyArray: ...


def train_release(
    interactions: Interactions,
    config: ReleaseConfig,
    folder: Path,
    *,
    seed: int = 0,
    now: datetime | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    warm_start: Ials | None = None,
    sessions: Sessions | None = None,
) -> TrainedRelease:
    """Train, judge and write every long-term model.

    Args:
        interactions: everything known.
        config: the models' settings; `seed` replaces the one in `config.ials`.
        folder: created; must hold none of the artifacts yet.
        seed: of the initial vectors and of the split.
        now: what recency is measured from, aware; None takes the latest interaction.
        on_progress: told after every epoch and every model.
        warm_start: an earlier release's iALS to start from.
        sessions: everyone's events, over the interactions' items; None trains no session encoder.

    Raises:
        InvalidInputError: there is nothing to learn from.
        ArtifactError: the folder holds an artifact already.
    """
    interactions.learnable()
    tell = on_progress or (lambda progress: None)
    train, held_out = stable_holdout(interactions, seed, config.held_out_share, config.max_held_out)
    origin = Provenance(
        data=_data_summary(interactions),
        versions=_versions(),
        created_at=now.isoformat() if now else "",
    )
    metrics: Metrics = {}

    def judge(name: str, model: Scorer, began: float) -> dict[str, Any]:
        values = means(strong_generalisation(model.score, held_out))
        metrics.setdefault(name, {}).update(
            values, seconds=time.perf_counter() - began, held_out_profiles=len(held_out.rows)
        )
        return metrics[name]

    began = time.perf_counter()
    judged = judge("popularity", Popularity(config.popularity).fit(train, now), began)
    popularity = Popularity(config.popularity).fit(interactions, now)
    popularity.save(folder / "popularity", replace(origin, metrics=judged))
    tell(Progress("popularity", 1, 1))

    began = time.perf_counter()
    ials = Ials(replace(config.ials, seed=seed))
    metrics["ials"] = {"curve": _fit_ials(ials, train, held_out, tell, warm_start)}
    judged = judge("ials", ials, began)
    ials.place_profiles(interactions)
    ials.save(folder / "ials", replace(origin, metrics=judged))

    neighbours = _train_neighbours(train, held_out, config, folder, origin, seed, tell, metrics)

    visits: VisitModels | None = None
    if sessions is not None:
        visits = _train_visits(ials, sessions, interactions, held_out, config, seed, tell)
        metrics["session_encoder"] = {"skipped": TOO_FEW_VISITS} if not visits else visits.metrics
        if visits is not None:
            judged = visits.metrics
            visits.encoder.save(folder / "session_encoder", replace(origin, metrics=judged))
            visits.gate.save(folder / "fusion", replace(origin, metrics=judged.get("systems", {})))
    return TrainedRelease(folder, metrics, popularity, ials, visits, neighbours)


def evaluate_release(
    folder: Path,
    interactions: Interactions,
    *,
    seed: int = 0,
    config: ReleaseConfig,
) -> Metrics:
    """Judge a release's iALS and R-LARM on today's held-out profiles, as `train_release` does.

    Items that a model does not know score below all it knows. Popularity is left out: what is
    served counts the held-out profiles too.

    Args:
        folder: a release's.
        interactions: everything known today.
        seed: the one the release was trained with.
        config: today's, for the split.

    Raises:
        ArtifactError: an artifact other than larm, which may be missing, cannot be read.
    """
    _, held_out = stable_holdout(interactions, seed, config.held_out_share, config.max_held_out)
    models: dict[str, Scorer] = {"ials": Ials.load(folder / "ials")}
    if (folder / "larm").exists():
        models["larm"] = Neighbours.load(folder / "larm", Larm.kind)
    return {
        name: {
            **means(strong_generalisation(_in_terms_of(interactions.items, model), held_out)),
            "held_out_profiles": len(held_out.rows),
        }
        for name, model in models.items()
    }


def _fit_ials(
    ials: Ials,
    train: Interactions,
    held_out: HeldOut,
    tell: Callable[[Progress], None],
    warm_start: Ials | None,
) -> list[dict[str, Any]]:
    """Fit and return the curve."""
    curve: list[dict[str, Any]] = []

    def validate(model: Ials) -> float:
        return means(strong_generalisation(model.score, held_out))["ndcg@100"]

    def note(report: IalsEpochReport) -> None:
        point = {
            "epoch": report.epoch,
            "observed_loss": report.observed_loss,
            "unobserved_loss": report.unobserved_loss,
            "regularization": report.regularization,
            "ndcg@100": report.validation,
            "seconds": report.seconds,
        }
        curve.append(point)
        tell(Progress("ials", report.epoch, ials.config.epochs, point))

    solver = TorchSolver(torch.device("cuda")) if torch.cuda.is_available() else improve_rows
    ials.fit(train, note, validate if len(held_out.rows) else None, warm_start, solver)
    return curve


def _train_neighbours(
    train: Interactions,
    held_out: HeldOut,
    config: ReleaseConfig,
    folder: Path,
    origin: Provenance,
    seed: int,
    tell: Callable[[Progress], None],
    metrics: Metrics,
) -> Neighbours | None:
    """Train R-LARM, write its neighbour lists and note what they reach; None if it does not fit."""
    if config.larm is None:
        return None
    larm = replace(config.larm, seed=seed)

    def note(point: Mapping[str, Any]) -> None:
        tell(Progress("larm", point["epoch"], larm.rounds, point))

    try:
        trained = train_neighbours(train, held_out, larm, config.neighbours, note)
    except TooLargeError as error:
        metrics["larm"] = {"skipped": str(error)}
        tell(Progress("larm", 1, 1))
        return None
    metrics["larm"] = trained.metrics
    judged = replace(origin, metrics=trained.metrics)
    trained.neighbours.save(folder / "larm", Larm.kind, larm, judged)
    return trained.neighbours


def _train_visits(
    ials: Ials,
    sessions: Sessions,
    interactions: Interactions,
    held_out: HeldOut,
    config: ReleaseConfig,
    seed: int,
    tell: Callable[[Progress], None],
) -> VisitModels | None:
    encoder_config = replace(config.session_encoder, seed=seed)

    def note(report: EpochReport) -> None:
        point = {"epoch": report.epoch, "loss": report.loss, "mrr@20": report.validation}
        tell(Progress("session_encoder", report.epoch, encoder_config.epochs, point))

    return train_visits(
        ials,
        sessions,
        interactions.profiles.ids[held_out.rows],
        encoder_config,
        replace(config.fusion, seed=seed),
        seed,
        note,
    )


def _in_terms_of(items: Vocabulary, model: Scorer) -> Callable[[sparse.csr_array], Float32]:
    """Let a model score histories over other items than it was trained on."""
    place = model.items.items_of(items.ids)
    known = np.flatnonzero(place != UNKNOWN)

    def score(histories: sparse.csr_array) -> Float32:
        width = (histories.shape[0], len(model.items))
        cells = sparse.coo_array(histories[:, known])
        own = sparse.csr_array((cells.data, (cells.row, place[known][cells.col])), shape=width)
        scores = np.full(histories.shape, -np.inf, dtype=np.float32)
        scores[:, known] = model.score(own)[:, place[known]]
        return scores

    return score


def _data_summary(interactions: Interactions) -> dict[str, Any]:
    times = interactions.last_at
    window = None
    if times is not None and times.nnz:
        window = [float(times.data.min()), float(times.data.max())]
    return {
        "profiles": interactions.num_profiles,
        "items": interactions.num_items,
        "interactions": int(interactions.matrix.nnz),
        "window_seconds": window,
        "sha256": interactions.fingerprint(),
    }


def _versions() -> dict[str, str]:
    packages = ("numpy", "scipy", "numba", "torch")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
