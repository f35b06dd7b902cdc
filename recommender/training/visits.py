"""What a visit is served by: the session encoder, then the gate, judged on people neither knows.

The profiles that iALS holds out are parted by their ids: one half teaches the gate, the other
judges it. The encoder learns from everyone else.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from recommender.arrays import Float32, Int64
from recommender.data.sessions import POSITIVE_KINDS, Requests, Sessions, next_in_visit
from recommender.data.splits import uniform_hash
from recommender.evaluation.protocols import means, next_item
from recommender.models.early_stopping import EpochReport
from recommender.models.fusion import FusionConfig, FusionGate, fusion_inputs, joint_space
from recommender.models.ials import Ials
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder

MIN_FORETOLD = 2000
"""With fewer events that follow another, a visit is served by folding it into the history."""
MIN_JUDGED = 50
"""With fewer requests of held-out people the gate stays at one half."""
MAX_REQUESTS = 10_000
SYSTEMS = {"long-term only": 0.0, "session only": 1.0, "half and half": 0.5, "gate": None}


@dataclass(frozen=True)
class VisitModels:
    encoder: SessionEncoder
    gate: FusionGate
    metrics: dict[str, Any]
    """Plain JSON: `curve`, and by system `hr@20` and `mrr@20`, with how many requests judged."""


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
        seed: parts the held-out viewers.
        on_epoch: told of every epoch of the encoder.

    Returns:
        None where there are fewer than `MIN_FORETOLD` events to learn from.
    """
    is_held_out = np.isin(sessions.viewers, held_out)
    teaches_gate = uniform_hash(sessions.viewers, seed + 1) < 0.5
    rng = np.random.default_rng(seed)
    learned_from = sessions.of(np.flatnonzero(~is_held_out))
    if len(next_in_visit(learned_from)) < MIN_FORETOLD:
        return None
    for_gate, for_judging = (
        _some(_wanted(sessions.of(np.flatnonzero(is_held_out & part))), rng)
        for part in (teaches_gate, ~teaches_gate)
    )
    curve: list[dict[str, Any]] = []

    def note(report: EpochReport) -> None:
        curve.append(
            {
                "epoch": report.epoch,
                "loss": report.loss,
                "mrr@20": report.validation,
                "seconds": report.seconds,
            }
        )
        if on_epoch is not None:
            on_epoch(report)

    def validate(encoder: SessionEncoder) -> float:
        found = next_item(encoder.score, for_gate, len(ials.items), without_past=True)
        return means(found)["mrr@20"]

    began = time.perf_counter()
    encoder = SessionEncoder(encoder_config)
    is_judged = min(len(for_gate), len(for_judging)) >= MIN_JUDGED
    encoder.fit(learned_from, ials.items, ials.item_factors, note, validate if is_judged else None)
    gate = FusionGate(fusion_config)
    metrics: dict[str, Any] = {"curve": curve, "requests": len(for_judging)}
    if is_judged:
        sides = fusion_inputs(for_gate, slice(None), ials, encoder)
        met = for_gate.sessions.met_before(for_gate.events, len(ials.items))
        gate.fit(sides, ials.item_factors, encoder.item_vectors, for_gate.targets, met)
        metrics["systems"] = judge_fusion(for_judging, ials, encoder, gate)
    metrics["seconds"] = time.perf_counter() - began
    return VisitModels(encoder, gate, metrics)


def judge_fusion(
    requests: Requests, ials: Ials, encoder: SessionEncoder, gate: FusionGate
) -> dict[str, dict[str, float]]:
    """Return `hr@20` and `mrr@20` of each of `SYSTEMS`, among items the viewer has not met yet."""
    space = joint_space(ials.item_factors, encoder.item_vectors)
    sides = fusion_inputs(requests, slice(None), ials, encoder)
    judged = {}
    for name, share in SYSTEMS.items():
        fixed = None if share is None else np.full(len(requests), share, np.float32)
        tastes = gate.fuse(sides, fixed)
        score = partial(_products, tastes, space)
        found = next_item(score, requests, len(space), without_past=True)
        judged[name] = means({metric: found[metric] for metric in ("hr@20", "mrr@20")})
    return judged


def _products(tastes: Float32, space: Float32, requests: Requests, rows: slice) -> Float32:
    return np.asarray(tastes[rows] @ space.T)


def _wanted(sessions: Sessions) -> Requests:
    """Every positive event that follows another in its visit."""
    requests = next_in_visit(sessions)
    positive = np.isin(sessions.kinds[requests.events], list(POSITIVE_KINDS))
    return Requests(sessions, requests.events[positive])


def _some(requests: Requests, rng: np.random.Generator) -> Requests:
    if len(requests) <= MAX_REQUESTS:
        return requests
    drawn = rng.choice(requests.events, MAX_REQUESTS, replace=False)
    return Requests(requests.sessions, np.sort(drawn))
