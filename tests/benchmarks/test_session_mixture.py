"""The session benchmark's mixture: its inputs by hand, and on visits that repeat themselves."""

import numpy as np
import pytest

from benchmarks.session_mixture import SessionMixture, Vectors, titles_before
from recommender.data.sessions import Requests, Sessions, next_in_visit
from recommender.models.fusion import FusionInputs, GateFeatures
from recommender.models.visit_counts import VisitCounts
from recommender.vocabulary import UNKNOWN, Vocabulary

ITEMS = 12


def nothing_known(count):
    zeros = np.zeros(count)
    features = GateFeatures(
        zeros.astype(np.int64), zeros.astype(np.int64), zeros, zeros.astype(np.float32),
        zeros.astype(np.int64),
    )  # fmt: skip
    inputs = FusionInputs(
        np.zeros((count, 2), np.float32), np.zeros((count, 3), np.float32), features
    )
    rng = np.random.default_rng(0)
    return Vectors(
        inputs,
        rng.random((ITEMS, 2), dtype=np.float32),
        rng.random((ITEMS, 3), dtype=np.float32),
    )


def test_titles_of_the_visit_stand_once_and_oldest_first():
    sessions = Sessions.from_events(
        [1] * 6, [4, 2, UNKNOWN, 4, 3, 9], [0.0, 10, 20, 30, 40, 90_000]
    )
    requests = Requests(sessions, np.array([4, 5]))
    assert [titles.tolist() for titles in titles_before(requests, slice(None))] == [[2, 4], []]


def test_counts_decide_where_nothing_else_is_known():
    """Title n is followed by n + 1 in every visit; there are no histories and no encoder."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, ITEMS - 1, 200)
    flat = np.stack([first, first + 1], axis=1).ravel()
    visit = np.repeat(np.arange(200), 2)
    sessions = Sessions.from_events(visit, flat, np.arange(400.0), visits=visit)
    requests = next_in_visit(sessions)
    counts = VisitCounts().fit(sessions, Vocabulary(np.arange(ITEMS)))
    vectors = nothing_known(len(requests))
    mixture = SessionMixture.fit(requests, vectors, counts)
    assert mixture.learned.mixture.of(1)["counts"] > 0.3
    scores = mixture.scores(requests, slice(0, 50), vectors)
    seen = sessions.items[requests.events[:50] - 1]
    neighbours = np.abs(np.arange(ITEMS) - seen[:, None]) == 1
    assert np.where(neighbours, scores, -np.inf).max(axis=1) == pytest.approx(scores.max(axis=1))
    alone = mixture.of_counts_alone().scores(requests, slice(0, 50), vectors)
    assert np.array_equal(alone.argmax(axis=1), scores.argmax(axis=1))
