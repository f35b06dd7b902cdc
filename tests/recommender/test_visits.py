"""Training of the session encoder and the gate: nobody evaluates who was trained on."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind, Sessions
from recommender.data.splits import stable_holdout
from recommender.models.fusion import FusionConfig
from recommender.models.ials import Ials, IalsConfig
from recommender.models.session_config import SessionEncoderConfig
from recommender.training import visits
from recommender.training.served_visits import ServedCatalogue
from recommender.training.visits import (
    SYSTEMS,
    VisitKnowledge,
    new_title_requests,
    train_visits,
)

ENCODER = SessionEncoderConfig(
    width=8, num_blocks=1, epochs=4, max_events=8, learning_rate=1e-2, loss="sampled_softmax"
)


@pytest.fixture(scope="module")
def world():
    """300 viewers, each with three visits, each in one of four corners."""
    rng = np.random.default_rng(0)
    viewers, items, at, kinds = [], [], [], []
    for viewer in range(300):
        for visit in range(3):
            corner = rng.integers(4)
            for n in range(6):
                viewers.append(viewer)
                items.append(10 * corner + rng.integers(10))
                at.append(visit * 86_400.0 + 60 * n)
                kinds.append(EventKind.LIKE if rng.random() < 0.8 else EventKind.DISLIKE)
    sessions = Sessions.from_events(viewers, items, at, kinds=kinds)
    interactions = Interactions.from_pairs(viewers, items, at)
    assert len(interactions.items) == 40
    return sessions, interactions


def train(world, **changes):
    sessions, interactions = world
    learned, held_out = stable_holdout(interactions, 0, 0.3, 2000)
    ials = Ials(IalsConfig(8, 4, num_threads=1)).fit(learned)
    ids = interactions.profiles.ids[held_out.rows]
    return train_visits(
        VisitKnowledge(ials), sessions, ids, replace(ENCODER, **changes), FusionConfig(epochs=3)
    )


@pytest.fixture(scope="module")
def trained(world):
    return train(world)


def test_the_visit_beats_the_history_where_each_visit_has_its_own_intent(trained):
    judged = trained.metrics["systems"]
    assert set(judged) == set(SYSTEMS)
    assert judged["session only"]["mrr@20"] > judged["long-term only"]["mrr@20"]
    assert judged["gate"]["mrr@20"] > judged["long-term only"]["mrr@20"]
    assert trained.metrics["requests"] >= visits.MIN_REQUESTS


def test_the_curve_is_kept_for_the_operator(trained):
    assert [point["epoch"] for point in trained.metrics["curve"]][:2] == [1, 2]
    assert all(point["mrr@20"] > 0 for point in trained.metrics["curve"])


def test_the_same_seed_gives_the_same_bits(world, trained):
    again = train(world)
    assert np.array_equal(again.encoder.item_vectors, trained.encoder.item_vectors)
    assert again.gate.bias == trained.gate.bias


def test_too_few_visits_train_nothing(world, monkeypatch):
    monkeypatch.setattr(visits, "MIN_TARGETS", 10**6)
    assert train(world) is None


def test_too_few_held_out_people_leave_the_gate_at_one_half(world, monkeypatch):
    monkeypatch.setattr(visits, "MIN_REQUESTS", 10**6)
    trained = train(world)
    assert "systems" not in trained.metrics
    assert trained.gate.bias == 0


def test_without_a_catalogue_the_encoder_reads_the_visits(trained):
    assert trained.sides["visit_side"] == "encoder"


def test_the_sides_are_compared_on_later_visits_of_held_out_viewers(world):
    """Visits have one of four genres each: the prior and the encoder both see it."""
    sessions, interactions = world
    learned, held_out = stable_holdout(interactions, 0, 0.3, 2000)
    genres = sparse.csr_array(np.repeat(np.eye(4, dtype=np.float32), 10, axis=0))
    nobody = sparse.csr_array(np.zeros((40, 0), np.float32))
    catalogue = Catalogue(
        interactions.items, genres, np.arange(4), np.zeros(40), np.ones(40, np.float32),
        np.zeros(40, np.int64), np.zeros(40, np.int64), nobody, np.empty(0, np.int64),
        np.ones(40, bool),
    )  # fmt: skip
    ials = Ials(IalsConfig(8, 4, num_threads=1)).fit(learned)
    trained = train_visits(
        VisitKnowledge(ials, None, ServedCatalogue(ials, catalogue, ials.item_factors)), sessions,
        interactions.profiles.ids[held_out.rows], ENCODER, FusionConfig(epochs=3),
    )  # fmt: skip
    sides = trained.sides["sides"]
    assert trained.sides["compared"] == trained.metrics["requests"] > visits.MIN_REQUESTS
    assert sides["prior"]["hr@20"] > sides["long-term only"]["hr@20"] + 0.1
    assert trained.sides["harm"] == 0
    assert sides["long-term only"]["hr@20"] == pytest.approx(
        trained.metrics["systems"]["long-term only"]["hr@20"]
    )


def test_only_new_titles_are_asked():
    """A bug: a title met before had no score, was counted as first, and every side found it."""
    liked = Interactions.from_pairs([1, 1, 2], [10, 11, 12], [500.0, 5000.0, 500.0])
    sessions = Sessions.from_events(
        [1] * 6, [2, 1, 2, 0, -1, 1], [1000.0, 1060, 1120, 1180, 1240, 90_000]
    )
    asked = new_title_requests(sessions, liked, 3)
    # 1 is new, as it was liked later; 2 was met, 0 liked, -1 is unknown, the last opens a visit
    assert asked.events.tolist() == [1]
    assert new_title_requests(sessions, None, 3).events.tolist() == [1, 3]
