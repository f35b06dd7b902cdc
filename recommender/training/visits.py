"""Train the session encoder and the fusion gate: sessions in, both models and their metrics out.

The profiles that iALS holds out are split by their ids: one half trains the gate, the other
evaluates it. The encoder learns from everyone else.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from recommender.arrays import Bool, Float32, Int64
from recommender.data.sessions import POSITIVE_KINDS, Requests, Sessions, next_in_visit
from recommender.data.splits import uniform_hash
from recommender.evaluation.protocols import means, next_item
from recommender.models.early_stopping import EpochReport
from recommender.models.fusion import FusionConfig, FusionGate, fusion_inputs, joint_space
from recommender.models.ials import Ials
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder

MIN_TARGETS = 2000
"""With fewer events that follow another, a visit is served by folding it into the history."""
MIN_REQUESTS = 50
"""With fewer requests of held-out viewers the gate stays at one half."""
MAX_REQUESTS = 10_000
SYSTEMS = {"long-term only": 0.0, "session only": 1.0, "half and half": 0.5, "gate": None}


@dataclass(frozen=True)
class VisitModels:
    encoder: SessionEncoder
    gate: FusionGate
    metrics: dict[str, Any]
    """Plain JSON: `curve`, and by system `hr@20` and `mrr@20`, with the number of requests."""


def train_visits(
    ials: Ials,
    sessions: Sessions,
    held_out: Int64,
    encoder_config: SessionEncoderConfig,
    fusion_config: FusionConfig,
    seed: int = 0,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> VisitModels | None:
    """Train the encoder and the gate.

    Args:
        ials: fitted; its items are what the sessions' numbers mean.
        sessions: everyone's.
        held_out: (B,) ids of the viewers that iALS has not learned from.
        encoder_config: of the encoder.
        fusion_config: of the gate.
        seed: splits the held-out viewers.
        on_epoch: called with the report of every epoch of the encoder.

    Returns:
        None where there are fewer than `MIN_TARGETS` events to learn from.
    """
    is_held_out = np.isin(sessions.viewers, held_out)
    train = sessions.of(np.flatnonzero(~is_held_out))
    if len(next_in_visit(train)) < MIN_TARGETS:
        return None
    for_gate, for_evaluation = _held_out_requests(sessions, is_held_out, seed)
    can_evaluate = min(len(for_gate), len(for_evaluation)) >= MIN_REQUESTS
    curve: list[dict[str, Any]] = []

    def note(report: EpochReport) -> None:
        point = {"epoch": report.epoch, "loss": report.loss, "mrr@20": report.validation}
        curve.append({**point, "seconds": report.seconds})
        if on_epoch is not None:
            on_epoch(report)

    def validate(encoder: SessionEncoder) -> float:
        values = next_item(encoder.score, for_gate, len(ials.items), without_past=True)
        return means(values)["mrr@20"]

    began = time.perf_counter()
    encoder = SessionEncoder(encoder_config).fit(
        train, ials.items, ials.item_factors, note, validate if can_evaluate else None
    )
    gate = FusionGate(fusion_config)
    metrics: dict[str, Any] = {"curve": curve, "requests": len(for_evaluation)}
    if can_evaluate:
        inputs = fusion_inputs(for_gate, slice(None), ials, encoder)
        past = for_gate.sessions.met_before(for_gate.events, len(ials.items))
        gate.fit(inputs, ials.item_factors, encoder.item_vectors, for_gate.targets, past)
        metrics["systems"] = evaluate_fusion(for_evaluation, ials, encoder, gate)
    metrics["seconds"] = time.perf_counter() - began
    return VisitModels(encoder, gate, metrics)


def evaluate_fusion(
    requests: Requests, ials: Ials, encoder: SessionEncoder, gate: FusionGate
) -> dict[str, dict[str, float]]:
    """Return `hr@20` and `mrr@20` of each of `SYSTEMS`, among items the viewer has not met yet."""
    space = joint_space(ials.item_factors, encoder.item_vectors)
    inputs = fusion_inputs(requests, slice(None), ials, encoder)
    evaluated = {}
    for name, share in SYSTEMS.items():
        fixed = None if share is None else np.full(len(requests), share, np.float32)
        score = partial(_products, gate.fuse(inputs, fixed), space)
        values = next_item(score, requests, len(space), without_past=True)
        evaluated[name] = means({metric: values[metric] for metric in ("hr@20", "mrr@20")})
    return evaluated


def _held_out_requests(
    sessions: Sessions, is_held_out: Bool, seed: int
) -> tuple[Requests, Requests]:
    """Return requests of held-out viewers: those that train the gate, those that test it."""
    trains_gate = uniform_hash(sessions.viewers, seed + 1) < 0.5
    rng = np.random.default_rng(seed)
    for_gate, for_evaluation = (
        _sample(_positive_requests(sessions.of(np.flatnonzero(is_held_out & half))), rng)
        for half in (trains_gate, ~trains_gate)
    )
    return for_gate, for_evaluation


def _products(tastes: Float32, space: Float32, requests: Requests, rows: slice) -> Float32:
    return np.asarray(tastes[rows] @ space.T)


def _positive_requests(sessions: Sessions) -> Requests:
    """Return a request for every positive event that follows another in its visit."""
    requests = next_in_visit(sessions)
    is_positive = np.isin(sessions.kinds[requests.events], list(POSITIVE_KINDS))
    return Requests(sessions, requests.events[is_positive])


def _sample(requests: Requests, rng: np.random.Generator) -> Requests:
    if len(requests) <= MAX_REQUESTS:
        return requests
    drawn = rng.choice(requests.events, MAX_REQUESTS, replace=False)
    return Requests(requests.sessions, np.sort(drawn))
