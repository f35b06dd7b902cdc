"""The gate between who the viewer is and what this visit is about."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.data.sessions import Requests, Sessions, next_in_visit
from recommender.errors import InvalidInputError
from recommender.models.fusion import (
    SURFACES,
    FusionConfig,
    FusionGate,
    FusionInputs,
    GateFeatures,
    fusion_inputs,
    joint_space,
)
from recommender.models.ials import Ials, IalsConfig
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder

RNG = np.random.default_rng(0)
ITEMS, D, WIDTH, REQUESTS = 30, 4, 6, 600
FACTORS = RNG.standard_normal((ITEMS, D)).astype(np.float32)
VECTORS = RNG.standard_normal((ITEMS, WIDTH)).astype(np.float32)


def sides(number=REQUESTS, **changes):
    rng = np.random.default_rng(1)
    features = GateFeatures(
        rng.integers(1, 50, number),
        rng.integers(1, 9, number),
        rng.uniform(0, 600, number),
        rng.uniform(-1, 1, number).astype(np.float32),
        np.zeros(number, dtype=np.int64),
    )
    made = FusionInputs(
        FACTORS[rng.integers(0, ITEMS, number)],
        VECTORS[rng.integers(0, ITEMS, number)],
        features,
    )
    return replace(made, **changes)


def best(scores):
    return scores.argmax(axis=1)


def test_it_learns_whom_to_trust_when():
    """Long events in the visit: the visit is right; short ones: the history."""
    given = sides()
    is_long_visit = given.features.visit_events > 4
    targets = np.where(is_long_visit, best(given.short @ VECTORS.T), best(given.long @ FACTORS.T))
    gate = FusionGate(FusionConfig(epochs=60, batch_requests=64)).fit(
        given, FACTORS, VECTORS, targets
    )
    learned = gate.gate(given)
    assert learned[is_long_visit].mean() > learned[~is_long_visit].mean() + 0.3
    fused = gate.fuse(given) @ joint_space(FACTORS, VECTORS).T
    half = gate.fuse(given, np.full(REQUESTS, 0.5, np.float32)) @ joint_space(FACTORS, VECTORS).T
    assert (best(fused) == targets).mean() > (best(half) == targets).mean()
    assert (best(fused) == targets).mean() > 0.9


def test_a_fused_taste_is_one_inner_product():
    given, gate = sides(5), FusionGate()
    g = gate.gate(given)[:, None]
    by_hand = (1 - g) * gate.long_scale * (given.long @ FACTORS.T)
    by_hand = by_hand + g * gate.short_scale * (given.short @ VECTORS.T)
    fused = gate.fuse(given) @ joint_space(FACTORS, VECTORS).T
    assert np.allclose(fused, by_hand, rtol=1e-5, atol=1e-5)


def test_a_newcomer_has_the_visit_alone_and_a_fresh_visit_the_history_alone():
    gate = FusionGate()
    none_long = replace(sides(3), long=np.zeros((3, D), np.float32))
    none_short = replace(sides(3), short=np.zeros((3, WIDTH), np.float32))
    assert gate.gate(none_long).tolist() == [1, 1, 1]
    assert gate.gate(none_short).tolist() == [0, 0, 0]
    neither = replace(none_long, short=none_short.short)
    assert not gate.fuse(neither).any()


def test_a_surface_never_trained_on_is_treated_like_the_others():
    given = sides()
    gate = FusionGate(FusionConfig(epochs=2))
    gate.fit(given, FACTORS, VECTORS, best(given.short @ VECTORS.T))
    elsewhere = replace(given.features, surfaces=np.full(REQUESTS, SURFACES.index("search")))
    moved = gate.gate(replace(given, features=elsewhere)) - gate.gate(given)
    assert np.abs(moved).max() < 0.2


def test_a_saved_gate_answers_as_before(tmp_path):
    given = sides()
    gate = FusionGate(FusionConfig(epochs=2, hidden=5))
    gate.fit(given, FACTORS, VECTORS, best(given.long @ FACTORS.T))
    gate.save(tmp_path / "fusion")
    assert np.array_equal(FusionGate.load(tmp_path / "fusion").fuse(given), gate.fuse(given))


def test_the_same_seed_gives_the_same_bits():
    given = sides()
    targets = best(given.long @ FACTORS.T)
    one, other = (
        FusionGate(FusionConfig(epochs=2)).fit(given, FACTORS, VECTORS, targets) for _ in range(2)
    )
    assert np.array_equal(one.gate(given), other.gate(given))


def test_sides_take_the_history_before_the_visit_and_the_visit_apart():
    # viewer 1: a visit with 0, 1, 2; a day later one with 3, 4, 5
    at = [0.0, 60, 120, 90_000, 90_060, 90_120]
    sessions = Sessions.from_events([1] * 6 + [2] * 3, [0, 1, 2, 3, 4, 5, 0, 3, 4], at + at[:3])
    requests = next_in_visit(sessions)
    ids = np.arange(6)
    pairs = (sessions.viewers[sessions.viewer_of], ids[sessions.items])
    ials = Ials(IalsConfig(2, 4)).fit(Interactions.from_pairs(*pairs))
    encoder = SessionEncoder(SessionEncoderConfig(width=4, epochs=1, num_blocks=1))
    encoder.fit(sessions, ials.items, ials.item_factors)
    made = fusion_inputs(requests, slice(None), ials, encoder)
    assert made.features.history_size.tolist() == [0, 0, 3, 3, 0, 0]
    assert made.features.visit_events.tolist() == [1, 2, 1, 2, 1, 2]
    assert made.features.idle_seconds.tolist() == [60.0] * 6
    assert not made.long[[0, 1, 4, 5]].any()
    assert np.array_equal(made.long[2], made.long[3])
    opening = Requests(sessions, np.array([3]))
    assert not fusion_inputs(opening, slice(None), ials, encoder).short.any()


def test_bad_input_is_named():
    with pytest.raises(InvalidInputError, match="hidden must be"):
        FusionConfig(hidden=0)
    with pytest.raises(InvalidInputError, match="learning_rate"):
        FusionConfig(learning_rate=float("nan"))
    with pytest.raises(InvalidInputError, match="target is known"):
        FusionGate().fit(sides(2), FACTORS, VECTORS, np.array([-1, -1]))
