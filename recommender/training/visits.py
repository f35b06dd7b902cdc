"""Train the session encoder and the fusion gate: sessions in, both models and their metrics out.

The encoder learns from the visits before a moment of those viewers that iALS has not held out, the
gate from the held-out viewers' visits before it. On the held-out viewers' later visits all sides
are compared (`recommender.training.visit_sides`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import (
    POSITIVE_KINDS,
    Requests,
    Sessions,
    is_positive_in_visit,
    next_in_visit,
)
from recommender.data.splits import uniform_hash
from recommender.evaluation.protocols import means, next_item
from recommender.models.early_stopping import EpochReport
from recommender.models.fusion import (
    FusionConfig,
    FusionGate,
    FusionInputs,
    fusion_inputs,
    joint_space,
)
from recommender.models.ials import Ials
from recommender.models.item_to_item import Neighbours
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from recommender.training.visit_sides import (
    ENCODER,
    LONG_TERM,
    PRIOR,
    PriorScores,
    compare_sides,
    histories_before,
    without_history,
)

MIN_TARGETS = 2000
"""With fewer events that follow another no encoder is trained, and the prior reads the visits."""
MIN_REQUESTS = 50
"""With fewer requests of held-out viewers the gate stays at one half."""
MAX_REQUESTS = 10_000
MAX_COMPARED = 2000
"""Requests on which the sides are compared: the prior takes some milliseconds for each."""
LATER_SHARE = 0.2
"""The share of visits, the newest, on which the sides are compared."""
ANONYMOUS_SHARE = 0.1
"""The share of anonymous visits held out."""
SYSTEMS = {LONG_TERM: 0.0, "session only": 1.0, "half and half": 0.5, "gate": None}


@dataclass(frozen=True)
class VisitModels:
    encoder: SessionEncoder
    gate: FusionGate
    metrics: dict[str, Any]
    """Plain JSON: `curve`, by system `hr@20` and `mrr@20`, and the number of requests."""
    sides: dict[str, Any]
    """Plain JSON of `compare_sides`."""


@dataclass(frozen=True)
class VisitKnowledge:
    """What a release knows beside the visits.

    Attributes:
        ials: fitted; its items are what the sessions' numbers mean.
        liked: over the same items, what every profile liked and when; None takes the positive
            events of earlier visits for the history.
        catalogue: what titles are; None leaves the prior out.
        neighbours: R-LARM's; None leaves that likeness out.
    """

    ials: Ials
    liked: Interactions | None = None
    catalogue: Catalogue | None = None
    neighbours: Neighbours | None = None

    def inputs(self, requests: Requests, encoder: SessionEncoder) -> FusionInputs:
        """Return both vectors of all requests."""
        every = slice(None)
        histories = histories_before(requests, every, len(self.ials.items), self.liked)
        return fusion_inputs(requests, every, self.ials, encoder, histories)


def train_visits(
    knowledge: VisitKnowledge,
    sessions: Sessions,
    held_out: Int64,
    encoder_config: SessionEncoderConfig,
    fusion_config: FusionConfig,
    seed: int = 0,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> VisitModels | None:
    """Train the encoder and the gate, and compare the sides.

    Args:
        knowledge: what the release knows beside the visits.
        sessions: everyone's.
        held_out: (B,) ids of the viewers that iALS has not learned from. Of anonymous visits,
            whose ids are below 0, `ANONYMOUS_SHARE` are held out here.
        encoder_config: of the encoder.
        fusion_config: of the gate.
        seed: draws the anonymous visits and the requests.
        on_epoch: called with the report of every epoch of the encoder.

    Returns:
        None where there are fewer than `MIN_TARGETS` events to learn from.
    """
    ials = knowledge.ials
    num_items = len(ials.items)
    is_held_out = _is_held_out(sessions, held_out, seed)
    until = _newest_visits_start(sessions)
    train = sessions.of(np.flatnonzero(~is_held_out)).before(until)
    if len(next_in_visit(train)) < MIN_TARGETS:
        return None
    asked = new_title_requests(sessions.of(np.flatnonzero(is_held_out)), knowledge)
    for_gate, later = _earlier_and_later(asked, until, seed)
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

    began = time.perf_counter()
    encoder = SessionEncoder(encoder_config).fit(
        train, ials.items, ials.item_factors, note, validate if can_evaluate else None
    )
    gate = FusionGate(fusion_config)
    metrics: dict[str, Any] = {"curve": curve, "requests": len(later)}
    if can_evaluate:
        _fit_gate(gate, for_gate, knowledge, encoder)
        metrics["systems"] = evaluate_fusion(later, knowledge, encoder, gate)
    sides = _compared_sides(_sample(later, MAX_COMPARED, seed), knowledge, encoder, gate)
    metrics["seconds"] = time.perf_counter() - began
    return VisitModels(encoder, gate, metrics, sides)


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


def new_title_requests(sessions: Sessions, knowledge: VisitKnowledge) -> Requests:
    """Return a request for every positive event after another in its visit, of a title that is new.

    New is what the viewer neither met in an earlier event nor liked before the visit: nothing else
    is ranked.
    """
    requests = next_in_visit(sessions)
    is_positive = np.isin(sessions.kinds[requests.events], list(POSITIVE_KINDS))
    requests = Requests(sessions, requests.events[is_positive])
    num_items = len(knowledge.ials.items)
    met = sessions.met_before(requests.events, num_items)
    liked = histories_before(requests, slice(None), num_items, knowledge.liked)
    cells = sparse.coo_array(met.maximum(liked))
    is_new = np.ones(len(requests), dtype=bool)
    is_new[cells.row[cells.col == requests.targets[cells.row]]] = False
    return Requests(sessions, requests.events[is_new])


def _compared_sides(
    requests: Requests, knowledge: VisitKnowledge, encoder: SessionEncoder, gate: FusionGate
) -> dict[str, Any]:
    """Compare the sides; without a catalogue nothing but the encoder can read the visits."""
    if knowledge.catalogue is None:
        reason = "No catalogue to compare likenesses by: the encoder reads the visits."
        return {"visit_side": ENCODER, "reason": reason}
    prior = PriorScores(knowledge.ials, knowledge.catalogue, knowledge.neighbours, knowledge.liked)
    num_items = len(knowledge.ials.items)
    score = without_history(prior, num_items, knowledge.liked)
    hits = {
        LONG_TERM: _values_of_share(requests, knowledge, encoder, gate, 0.0)["hr@20"],
        PRIOR: next_item(score, requests, num_items, without_past=True)["hr@20"],
        ENCODER: _values_of_share(requests, knowledge, encoder, gate, None)["hr@20"],
    }
    recent = requests.recent(slice(None), encoder.config.max_events)
    events_before = is_positive_in_visit(recent).sum(axis=1)
    viewers = requests.sessions.viewers[requests.sessions.viewer_of[requests.events]]
    return compare_sides(hits, events_before, viewers)


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
