"""Train what reads visits: sessions in, the models learned from them and their metrics out.

Visit counts and the session encoder learn from the visits before a moment of those viewers that
iALS has not held out; the weights of the mixture and the fusion gate from the held-out viewers'
visits before it. On the held-out viewers' later visits all sides are compared
(`recommender.training.visit_sides`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.data.interactions import Interactions
from recommender.data.sessions import (
    POSITIVE_KINDS,
    Requests,
    Sessions,
    next_in_visit,
)
from recommender.data.splits import uniform_hash
from recommender.evaluation.protocols import means, next_item
from recommender.models.early_stopping import EpochReport
from recommender.models.fusion import (
    ENCODER,
    FusionConfig,
    FusionGate,
    FusionInputs,
    fusion_inputs,
    joint_space,
)
from recommender.models.ials import Ials
from recommender.models.learned_visits import LearnedVisits
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from recommender.models.visit_counts import VisitCounts
from recommender.models.visit_mixture import MIXTURE
from recommender.training.served_visits import ServedCatalogue, ServedVisits, SideOutcomes
from recommender.training.visit_sides import (
    LONG_TERM,
    PRIOR,
    Score,
    compare_sides,
    histories_before,
    without_history,
)
from recommender.vocabulary import UNKNOWN

MIN_TARGETS = 2000
"""With fewer events that follow another no encoder is trained."""
MIN_REQUESTS = 50
"""With fewer requests of held-out viewers the gate stays at one half."""
MAX_REQUESTS = 10_000
MAX_COMPARED = 2000
"""Requests on which the sides are compared: the prior takes some milliseconds for each."""
MAX_WEIGHED = 1000
"""Requests that the mixture's weights learn from, at some milliseconds each."""
LATER_SHARE = 0.2
"""The share of visits, the newest, on which the sides are compared."""
ANONYMOUS_SHARE = 0.1
"""The share of anonymous visits held out."""
SYSTEMS = {LONG_TERM: 0.0, "session only": 1.0, "half and half": 0.5, "gate": None}


@dataclass(frozen=True)
class VisitModels:
    """What was learned from visits.

    Attributes:
        encoder: None with too few visits.
        gate: likewise.
        learned: counts and weights over the catalogue; None without a catalogue.
        metrics: plain JSON: the encoder's `curve`, by system `hr@20` and `mrr@20`, and the number
            of requests.
        sides: plain JSON of `compare_sides`, and `weights`, the mixture's by stage and expert.
    """

    encoder: SessionEncoder | None
    gate: FusionGate | None
    learned: LearnedVisits | None
    metrics: dict[str, Any]
    sides: dict[str, Any]


@dataclass(frozen=True)
class VisitKnowledge:
    """What a release knows beside the visits.

    Attributes:
        ials: fitted.
        liked: over its items, what every profile liked and when; None takes the positive events of
            earlier visits for the history.
        served: what the release scores titles by; None leaves the prior and the mixture out.
    """

    ials: Ials
    liked: Interactions | None = None
    served: ServedCatalogue | None = None

    def inputs(self, requests: Requests, encoder: SessionEncoder) -> FusionInputs:
        """Return both vectors of all requests, which are over iALS's items."""
        every = slice(None)
        histories = histories_before(requests, every, len(self.ials.items), self.liked)
        return fusion_inputs(requests, every, self.ials, encoder, histories)

    def of_ials(self, sessions: Sessions) -> Sessions:
        """Return sessions in the numbers of iALS's items."""
        if self.served is None:
            return sessions
        return sessions.over(self.served.catalogue.titles, self.ials.items)


def train_visits(
    knowledge: VisitKnowledge,
    sessions: Sessions,
    held_out: Int64,
    encoder_config: SessionEncoderConfig,
    fusion_config: FusionConfig,
    seed: int = 0,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> VisitModels | None:
    """Train what reads visits, and compare the sides.

    Args:
        knowledge: what the release knows beside the visits.
        sessions: everyone's, over the served catalogue's titles; without one, over iALS's items.
        held_out: (B,) ids of the viewers that iALS has not learned from. Of anonymous visits,
            whose ids are below 0, `ANONYMOUS_SHARE` are held out here.
        encoder_config: of the encoder.
        fusion_config: of the gate.
        seed: draws the anonymous visits and the requests.
        on_epoch: called with the report of every epoch of the encoder.

    Returns:
        None where no event follows another, or too few for an encoder without a catalogue.
    """
    is_held_out = _is_held_out(sessions, held_out, seed)
    until = _newest_visits_start(sessions)
    parts = _Parts(
        sessions.of(np.flatnonzero(~is_held_out)).before(until),
        sessions.of(np.flatnonzero(is_held_out)),
        until,
        seed,
    )
    if not len(next_in_visit(parts.train)):
        return None
    began = time.perf_counter()
    encoded = _train_encoder(parts, knowledge, encoder_config, fusion_config, on_epoch)
    if knowledge.served is None:
        if encoded is None:
            return None
        reason = "No catalogue to compare likenesses by: the encoder reads the visits."
        sides: dict[str, Any] = {"visit_side": ENCODER, "reason": reason}
        return VisitModels(encoded.encoder, encoded.gate, None, encoded.metrics, sides)
    reader = ServedVisits(knowledge.served, encoded.encoder if encoded else None)
    learned, sides = _learn_mixture(parts, knowledge.served, reader, encoded, knowledge)
    if encoded is None:
        return VisitModels(None, None, learned, {}, sides)
    encoded.metrics["seconds"] = time.perf_counter() - began
    return VisitModels(encoded.encoder, encoded.gate, learned, encoded.metrics, sides)


@dataclass(frozen=True)
class _Parts:
    """Sessions that train, those of held-out viewers, and the moment that parts the latter."""

    train: Sessions
    held_out: Sessions
    until: float
    seed: int

    def requests(
        self, held_out: Sessions, liked: Interactions | None, num_items: int
    ) -> tuple[Requests, Requests]:
        """Return the held-out viewers' requests for new titles before the moment, and after."""
        asked = new_title_requests(held_out, liked, num_items)
        return _earlier_and_later(asked, self.until, self.seed)


@dataclass(frozen=True)
class _Encoded:
    """A trained encoder with its gate and their metrics."""

    encoder: SessionEncoder
    gate: FusionGate
    metrics: dict[str, Any]


def _train_encoder(
    parts: _Parts,
    knowledge: VisitKnowledge,
    encoder_config: SessionEncoderConfig,
    fusion_config: FusionConfig,
    on_epoch: Callable[[EpochReport], None] | None,
) -> _Encoded | None:
    """Train the encoder and the gate; None where fewer than `MIN_TARGETS` events teach."""
    ials, train = knowledge.ials, knowledge.of_ials(parts.train)
    num_items = len(ials.items)
    if len(next_in_visit(train)) < MIN_TARGETS:
        return None
    held_out = knowledge.of_ials(parts.held_out)
    for_gate, later = parts.requests(held_out, knowledge.liked, num_items)
    can_evaluate = min(len(for_gate), len(later)) >= MIN_REQUESTS
    curve: list[dict[str, Any]] = []

    def note(report: EpochReport) -> None:
        point = {"epoch": report.epoch, "loss": report.loss, "mrr@20": report.validation}
        curve.append({**point, "seconds": report.seconds})
        if on_epoch is not None:
            on_epoch(report)

    def validate(encoder: SessionEncoder) -> float:
        values = next_item(encoder.score, for_gate, num_items, without_past=True)
        return means(values)["mrr@20"]

    encoder = SessionEncoder(encoder_config).fit(
        train, ials.items, ials.item_factors, note, validate if can_evaluate else None
    )
    gate = FusionGate(fusion_config)
    metrics: dict[str, Any] = {"curve": curve, "requests": len(later)}
    if can_evaluate:
        _fit_gate(gate, for_gate, knowledge, encoder)
        metrics["systems"] = evaluate_fusion(later, knowledge, encoder, gate)
    return _Encoded(encoder, gate, metrics)


def _learn_mixture(
    parts: _Parts,
    served: ServedCatalogue,
    reader: ServedVisits,
    encoded: _Encoded | None,
    knowledge: VisitKnowledge,
) -> tuple[LearnedVisits, dict[str, Any]]:
    """Count the visits, learn the weights, and compare the sides over the catalogue."""
    titles = served.catalogue.titles
    earlier, later = parts.requests(parts.held_out, served.liked, len(titles))
    counts = VisitCounts().fit(parts.train, titles)
    learned = reader.learn(_sample(earlier, MAX_WEIGHED, parts.seed), counts)
    later = _sample(later, MAX_COMPARED, parts.seed)
    scores: dict[str, Score] = {
        LONG_TERM: reader.long_term,
        PRIOR: reader.prior,
        MIXTURE: reader.by(learned),
    }
    if encoded is not None:
        scores[ENCODER] = _by_gate(later, served, encoded, knowledge)
    outcomes = SideOutcomes.of(scores, later, served)
    compared = compare_sides(outcomes.of_metric("hr@20"), outcomes.events_before, outcomes.viewers)
    weights = {str(least): learned.mixture.of(least) for least in learned.mixture.config.stages}
    return learned, {**compared, "weights": weights}


def _by_gate(
    requests: Requests, served: ServedCatalogue, encoded: _Encoded, knowledge: VisitKnowledge
) -> Score:
    """Return the scores of the encoder through its gate, as a release serves them."""
    own = Requests(knowledge.of_ials(requests.sessions), requests.events)
    tastes = encoded.gate.fuse(knowledge.inputs(own, encoded.encoder))
    items = encoded.encoder.items.items_of(served.catalogue.titles.ids)
    vectors = np.where((items != UNKNOWN)[:, None], encoded.encoder.item_vectors[items], 0)
    space = joint_space(served.vectors, vectors.astype(np.float32))
    return partial(_products, tastes, space)


def _is_held_out(sessions: Sessions, held_out: Int64, seed: int) -> Bool:
    """Return (S,) True at the held-out profiles, and at a share of the anonymous visits."""
    is_drawn = uniform_hash(sessions.viewers, seed) < ANONYMOUS_SHARE
    return np.isin(sessions.viewers, held_out) | ((sessions.viewers < 0) & is_drawn)


def _fit_gate(
    gate: FusionGate, requests: Requests, knowledge: VisitKnowledge, encoder: SessionEncoder
) -> None:
    """Fit the gate; what was met, or liked before the visit, does not compete."""
    num_items = len(knowledge.ials.items)
    met = requests.sessions.met_before(requests.events, num_items)
    liked = histories_before(requests, slice(None), num_items, knowledge.liked)
    gate.fit(
        knowledge.inputs(requests, encoder),
        knowledge.ials.item_factors,
        encoder.item_vectors,
        requests.targets,
        met.maximum(liked),
    )


def evaluate_fusion(
    requests: Requests, knowledge: VisitKnowledge, encoder: SessionEncoder, gate: FusionGate
) -> dict[str, dict[str, float]]:
    """Return `hr@20` and `mrr@20` of each of `SYSTEMS`, among items the viewer has not met yet."""
    evaluated = {}
    for name, share in SYSTEMS.items():
        values = _values_of_share(requests, knowledge, encoder, gate, share)
        evaluated[name] = means({metric: values[metric] for metric in ("hr@20", "mrr@20")})
    return evaluated


def new_title_requests(sessions: Sessions, liked: Interactions | None, num_items: int) -> Requests:
    """Return a request for every positive event after another in its visit, of a title that is new.

    New is what the viewer neither met in an earlier event nor liked before the visit: nothing else
    is ranked.

    Args:
        sessions: over I items.
        liked: over the same; None takes recorded events alone.
        num_items: I.
    """
    requests = next_in_visit(sessions)
    is_positive = np.isin(sessions.kinds[requests.events], list(POSITIVE_KINDS))
    requests = Requests(sessions, requests.events[is_positive])
    met = sessions.met_before(requests.events, num_items)
    before = histories_before(requests, slice(None), num_items, liked)
    cells = sparse.coo_array(met.maximum(before))
    is_new = np.ones(len(requests), dtype=bool)
    is_new[cells.row[cells.col == requests.targets[cells.row]]] = False
    return Requests(sessions, requests.events[is_new])


def _values_of_share(
    requests: Requests,
    knowledge: VisitKnowledge,
    encoder: SessionEncoder,
    gate: FusionGate,
    share: float | None,
) -> dict[str, Float64]:
    """Return the metrics of each request where the visit has this share; None lets the gate say."""
    space = joint_space(knowledge.ials.item_factors, encoder.item_vectors)
    inputs = knowledge.inputs(requests, encoder)
    fixed = None if share is None else np.full(len(requests), share, np.float32)
    score = partial(_products, gate.fuse(inputs, fixed), space)
    masked = without_history(score, len(space), knowledge.liked)
    return next_item(masked, requests, len(space), without_past=True)


def _newest_visits_start(sessions: Sessions) -> float:
    """Return the moment from which on the newest `LATER_SHARE` of the visits began."""
    starts = sessions.at[sessions.opens_visit]
    return float(np.quantile(starts, 1 - LATER_SHARE, method="higher")) if len(starts) else 0.0


def _earlier_and_later(requests: Requests, until: float, seed: int) -> tuple[Requests, Requests]:
    """Return the requests before a moment, and those of the visits from it on."""
    is_later = requests.sessions.at[requests.visit_starts()] >= until
    is_before = requests.sessions.at[requests.events] < until
    earlier, later = (
        _sample(Requests(requests.sessions, requests.events[part]), MAX_REQUESTS, seed)
        for part in (is_before, is_later)
    )
    return earlier, later


def _products(tastes: Float32, space: Float32, requests: Requests, rows: slice) -> Float32:
    return np.asarray(tastes[rows] @ space.T)


def _sample(requests: Requests, count: int, seed: int) -> Requests:
    if len(requests) <= count:
        return requests
    drawn = np.random.default_rng(seed).choice(requests.events, count, replace=False)
    return Requests(requests.sessions, np.sort(drawn))
