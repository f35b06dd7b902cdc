"""Train a release: interactions and sessions in, trained and evaluated artifacts on disk out.

    FOLDER/popularity  FOLDER/ials
    FOLDER/content_vectors  FOLDER/visit_intents  (with a catalogue)
    FOLDER/visit_counts  FOLDER/visit_mixture (with a catalogue and recorded visits)
    FOLDER/session_encoder  FOLDER/fusion     (with enough visits)
    FOLDER/larm                               (where it fits)

The profiles that evaluate a release are held out of its training by a rule that depends on their
ids and the seed alone (`stable_holdout`), so any two releases are evaluated on profiles that
neither has seen. Held-out profiles are served like everyone else: their vectors are folded in.
"""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from scipy import sparse

from recommender.arrays import AnyArray, Float32
from recommender.artifacts import Provenance
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import Sessions
from recommender.data.splits import HeldOut, stable_holdout
from recommender.errors import TooLargeError
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.models.content_vectors import ContentVectors
from recommender.models.early_stopping import EpochReport
from recommender.models.ials import Ials, IalsEpochReport, Solver
from recommender.models.item_to_item import Neighbours
from recommender.models.larm import Larm
from recommender.models.popularity import Popularity
from recommender.models.visit_intents import VisitIntents
from recommender.solvers.block_newton import improve_rows
from recommender.solvers.block_newton_torch import TorchSolver
from recommender.training.config import ReleaseConfig
from recommender.training.neighbours import train_neighbours
from recommender.training.served_visits import ServedCatalogue
from recommender.training.visit_sides import PRIOR
from recommender.training.visits import (
    MIN_TARGETS,
    VisitKnowledge,
    VisitModels,
    train_visits,
)
from recommender.vocabulary import UNKNOWN, Vocabulary

MODELS = ("popularity", "ials", "larm", "session_encoder")

TOO_FEW_VISITS = f"fewer than {MIN_TARGETS} events follow another in their visit"

NOTHING_IN_CATALOGUE = "the catalogue has none of the titles that were liked"

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
    """Result of `train_release`.

    Attributes:
        folder: where the artifacts are, one folder a model.
        metrics: plain JSON by model: `ndcg@100`, `recall@20`, `recall@50`, `seconds`, and for iALS
            its `curve`, a list of points; for R-LARM those of `neighbours.NeighbourModel` and for
            the session encoder those of `visits.VisitModels`; under `visits` which side reads
            them and why (`visit_sides.compare_sides`); `{"skipped": why}` for a model that
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
    catalogue: Catalogue | None = None,
    ials_solver: Solver | None = None,
) -> TrainedRelease:
    """Train, evaluate and write every model of a release.

    Args:
        interactions: all positive interactions.
        config: the models' settings; `seed` replaces the one in `config.ials`.
        folder: created; must hold none of the artifacts yet.
        seed: of the initial vectors and of the split.
        now: what recency is measured from, aware; None takes the latest interaction.
        on_progress: called after every epoch and every model.
        warm_start: an earlier release's iALS to start from.
        sessions: everyone's events, over the catalogue's titles or without a catalogue over the
            interactions' items; None learns nothing from visits.
        catalogue: what titles are; None trains no content vectors.
        ials_solver: where iALS's vectors are computed, on a cluster for one; None takes this
            machine's GPU if it has one, or its cores.

    Raises:
        InvalidInputError: there is nothing to learn from.
        ArtifactError: the folder holds an artifact already.
    """
    interactions.learnable()
    train, held_out = stable_holdout(interactions, seed, config.held_out_share, config.max_held_out)
    origin = Provenance(
        data=_data_summary(interactions),
        versions=_versions(),
        created_at=now.isoformat() if now else "",
    )
    report = on_progress or (lambda progress: None)
    solver = ials_solver or _own_solver()
    run = _Run(interactions, train, held_out, config, folder, seed, origin, report, solver)
    popularity = run.popularity(now)
    ials = run.ials(warm_start)
    content = None
    if catalogue is not None:
        content = run.content_vectors(ials, popularity, catalogue)
    neighbours = run.neighbours()
    visits = None
    if sessions is not None:
        served = None
        if catalogue is not None:
            served = run.served(ials, popularity, content, neighbours, catalogue)
        visits = run.visits(ials, served, sessions)
    return TrainedRelease(folder, run.metrics, popularity, ials, visits, neighbours)


def evaluate_release(
    folder: Path,
    interactions: Interactions,
    *,
    seed: int = 0,
    config: ReleaseConfig,
) -> Metrics:
    """Evaluate a release's iALS and R-LARM on today's held-out profiles, as `train_release` does.

    Items that a model does not know score below all it knows. Popularity is left out: what is
    served counts the held-out profiles too.

    Args:
        folder: a release's.
        interactions: today's.
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


def _own_solver() -> Solver:
    return TorchSolver(torch.device("cuda")) if torch.cuda.is_available() else improve_rows


@dataclass(frozen=True)
class _Run:
    """One training run: each method trains a model, evaluates it and writes its artifact."""

    interactions: Interactions
    train: Interactions
    held_out: HeldOut
    config: ReleaseConfig
    folder: Path
    seed: int
    origin: Provenance
    report: Callable[[Progress], None]
    ials_solver: Solver
    metrics: Metrics = field(default_factory=dict)

    def popularity(self, now: datetime | None) -> Popularity:
        began = time.perf_counter()
        evaluated = Popularity(self.config.popularity).fit(self.train, now)
        self._evaluate("popularity", evaluated, began)
        popularity = Popularity(self.config.popularity).fit(self.interactions, now)
        popularity.save(self.folder / "popularity", self._provenance("popularity"))
        self.report(Progress("popularity", 1, 1))
        return popularity

    def ials(self, warm_start: Ials | None) -> Ials:
        began = time.perf_counter()
        ials = Ials(replace(self.config.ials, seed=self.seed))
        curve: list[dict[str, Any]] = []

        def note(epoch: IalsEpochReport) -> None:
            point = {
                "epoch": epoch.epoch,
                "observed_loss": epoch.observed_loss,
                "unobserved_loss": epoch.unobserved_loss,
                "regularization": epoch.regularization,
                "ndcg@100": epoch.validation,
                "seconds": epoch.seconds,
            }
            curve.append(point)
            self.report(Progress("ials", epoch.epoch, ials.config.epochs, point))

        validation = self._ndcg if len(self.held_out.rows) else None
        ials.fit(self.train, note, validation, warm_start, self.ials_solver)
        self.metrics["ials"] = {"curve": curve}
        self._evaluate("ials", ials, began)
        ials.place_profiles(self.interactions)
        ials.save(self.folder / "ials", self._provenance("ials"))
        return ials

    def content_vectors(
        self, ials: Ials, popularity: Popularity, catalogue: Catalogue
    ) -> ContentVectors | None:
        """Learn where titles lie by their content; nothing where the catalogue has none of them."""
        began = time.perf_counter()
        known = catalogue.items_of(ials.items.ids) != UNKNOWN
        if not known.any():
            self.metrics["content_vectors"] = {"skipped": NOTHING_IN_CATALOGUE}
            return None
        model = ContentVectors(self.config.content_vectors.scaled_to(int(known.sum())))
        model.fit(catalogue, ials.items, ials.item_factors, popularity.counts)
        self.metrics["content_vectors"] = {
            "features": len(model.weights),
            "titles": int(known.sum()),
            "seconds": time.perf_counter() - began,
        }
        model.save(self.folder / "content_vectors", self._provenance("content_vectors"))
        VisitIntents().save(self.folder / "visit_intents", self.origin)
        return model

    def neighbours(self) -> Neighbours | None:
        """Train R-LARM and write its neighbour lists; None where it is off or too large."""
        if self.config.larm is None:
            return None
        larm = replace(self.config.larm, seed=self.seed)

        def note(point: Mapping[str, Any]) -> None:
            self.report(Progress("larm", point["epoch"], larm.rounds, point))

        try:
            trained = train_neighbours(
                self.train, self.held_out, larm, self.config.neighbours, note
            )
        except TooLargeError as error:
            self.metrics["larm"] = {"skipped": str(error)}
            self.report(Progress("larm", 1, 1))
            return None
        self.metrics["larm"] = trained.metrics
        trained.neighbours.save(self.folder / "larm", Larm.kind, larm, self._provenance("larm"))
        return trained.neighbours

    def served(
        self,
        ials: Ials,
        popularity: Popularity,
        content: ContentVectors | None,
        neighbours: Neighbours | None,
        catalogue: Catalogue,
    ) -> ServedCatalogue | None:
        """Return what the release will score titles by; None without content vectors."""
        if content is None:
            return None
        return ServedCatalogue.of(ials, popularity, content, neighbours, catalogue, self._liked)

    @property
    def _liked(self) -> Interactions | None:
        """What everyone liked and when; None where the times are not known."""
        return None if self.interactions.last_at is None else self.interactions

    def visits(
        self, ials: Ials, served: ServedCatalogue | None, sessions: Sessions
    ) -> VisitModels | None:
        """Train what reads visits; None where there is nothing to learn from.

        The manifests and the run's metrics say which side reads the visits.
        """
        encoder_config = replace(self.config.session_encoder, seed=self.seed)

        def note(epoch: EpochReport) -> None:
            point = {"epoch": epoch.epoch, "loss": epoch.loss, "mrr@20": epoch.validation}
            self.report(Progress("session_encoder", epoch.epoch, encoder_config.epochs, point))

        visits = train_visits(
            VisitKnowledge(ials, self._liked, served),
            sessions,
            self.interactions.profiles.ids[self.held_out.rows],
            encoder_config,
            replace(self.config.fusion, seed=self.seed),
            self.seed,
            note,
        )
        self.metrics["session_encoder"] = {"skipped": TOO_FEW_VISITS}
        if visits is None:
            reason = "There are no recorded visits to learn from: the prior reads them."
            self.metrics["visits"] = {"visit_side": PRIOR, "reason": reason}
            return None
        self.metrics["visits"] = visits.sides
        self._save_visits(visits)
        return visits

    def _save_visits(self, visits: VisitModels) -> None:
        """Write what was learned from visits, and which side reads them."""
        side = {"visit_side": visits.sides["visit_side"]}
        if visits.learned is not None:
            weighed = replace(self.origin, metrics={**side, "weights": visits.sides["weights"]})
            visits.learned.counts.save(self.folder / "visit_counts", self.origin)
            visits.learned.mixture.save(self.folder / "visit_mixture", weighed)
        if visits.encoder is not None and visits.gate is not None:
            self.metrics["session_encoder"] = visits.metrics
            provenance = self._provenance("session_encoder")
            visits.encoder.save(self.folder / "session_encoder", provenance)
            of_gate = replace(self.origin, metrics={**visits.metrics.get("systems", {}), **side})
            visits.gate.save(self.folder / "fusion", of_gate)

    def _ndcg(self, model: Scorer) -> float:
        return means(strong_generalisation(model.score, self.held_out))["ndcg@100"]

    def _evaluate(self, name: str, model: Scorer, began: float) -> None:
        values = means(strong_generalisation(model.score, self.held_out))
        self.metrics.setdefault(name, {}).update(
            values,
            seconds=time.perf_counter() - began,
            held_out_profiles=len(self.held_out.rows),
        )

    def _provenance(self, name: str) -> Provenance:
        return replace(self.origin, metrics=self.metrics[name])


def _in_terms_of(items: Vocabulary, model: Scorer) -> Callable[[sparse.csr_array], Float32]:
    """Let a model score histories over other items than it was trained on."""
    own_item = model.items.items_of(items.ids)
    shared = np.flatnonzero(own_item != UNKNOWN)

    def score(histories: sparse.csr_array) -> Float32:
        width = (histories.shape[0], len(model.items))
        cells = sparse.coo_array(histories[:, shared])
        own = sparse.csr_array((cells.data, (cells.row, own_item[shared][cells.col])), shape=width)
        scores = np.full(histories.shape, -np.inf, dtype=np.float32)
        scores[:, shared] = model.score(own)[:, own_item[shared]]
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
