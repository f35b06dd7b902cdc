"""Which side reads visits: by hand-made hits, and on planted visits."""

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind, Requests, Sessions
from recommender.models.fusion import ENCODER
from recommender.models.ials import Ials, IalsConfig
from recommender.training.served_visits import ServedCatalogue, ServedVisits
from recommender.training.visit_sides import (
    LONG_TERM,
    PRIOR,
    Difference,
    compare_sides,
    histories_before,
    without_history,
)
from recommender.vocabulary import Vocabulary

VIEWERS = np.arange(200)
AFTER_ONE = np.ones(200, dtype=np.int64)


def hits(share):
    """The first of 200 requests hit, by share."""
    return (np.arange(200) < 200 * share).astype(np.float64)


def test_a_difference_by_hand():
    """Viewer 1 gains 1 in both of its requests, viewer 2 nothing in two."""
    difference = Difference.of(np.array([1.0, 1, 0, 0]), np.zeros(4), np.array([1, 1, 2, 2]))
    assert difference.value == 0.5
    # the residuals of the viewers sum to 1 and -1; √(2 · (1 + 1)) / 4
    assert difference.error == pytest.approx(0.5)


def test_one_viewer_proves_nothing():
    difference = Difference.of(np.ones(9), np.zeros(9), np.ones(9, dtype=np.int64))
    assert (difference.low, difference.high) == (-np.inf, np.inf)


@pytest.mark.parametrize(
    ("encoder", "prior", "side"),
    [(0.5, 0.3, ENCODER), (0.305, 0.3, PRIOR), (0.3, 0.5, PRIOR)],
    ids=["better", "by chance", "worse"],
)
def test_the_encoder_wins_only_above_chance(encoder, prior, side):
    sides = {LONG_TERM: hits(0.2), PRIOR: hits(prior), ENCODER: hits(encoder)}
    compared = compare_sides(sides, AFTER_ONE, VIEWERS)
    assert compared["visit_side"] == side
    assert compared["sides"][ENCODER] == {
        "hr@20": pytest.approx(encoder), "hr@20 after one event": pytest.approx(encoder)
    }  # fmt: skip
    assert compared["compared"] == compared["after_one_event"] == 200


def test_too_few_requests_leave_the_prior():
    sides = {LONG_TERM: hits(0.2)[:40], PRIOR: hits(0.2)[:40], ENCODER: hits(1)[:40]}
    compared = compare_sides(sides, AFTER_ONE[:40], VIEWERS[:40])
    assert compared["visit_side"] == PRIOR
    assert "Too few later visits" in compared["reason"]


@pytest.mark.parametrize(
    ("prior", "is_harm"), [(0.2, True), (0.495, False), (0.6, False)],
    ids=["harm", "chance", "help"],
)  # fmt: skip
def test_harm_after_one_event_is_more_than_chance(prior, is_harm):
    sides = {LONG_TERM: hits(0.5), PRIOR: hits(prior)}
    assert (compare_sides(sides, AFTER_ONE, VIEWERS)["harm"] > 0) is is_harm
    later = compare_sides(sides, AFTER_ONE + 1, VIEWERS)
    assert (later["harm"], later["sides"][PRIOR]["hr@20 after one event"]) == (0.0, None)


@pytest.fixture
def liked():
    """Ten people like titles 0 to 4, ten like 5 to 9, at 1,000 s; person 1 likes 9 at 9,000 s."""
    pairs = [(p, 5 * (p > 10) + n, 1000.0) for p in range(1, 21) for n in range(5)]
    pairs.append((1, 9, 9000.0))
    return Interactions.from_pairs(*map(list, zip(*pairs, strict=True)))


@pytest.fixture
def request_of_person_1():
    """Person 1 opened title 6 and then 7, at 5,000 s, with nothing recorded before."""
    sessions = Sessions.from_events(
        [1, 1], [6, 7], [5000.0, 5060.0], kinds=[EventKind.OPEN, EventKind.OPEN]
    )
    return Requests(sessions, np.array([1]))


def test_a_history_is_what_was_liked_before_the_visit(liked, request_of_person_1):
    every = slice(None)
    histories = histories_before(request_of_person_1, every, 10, liked)
    assert histories.toarray()[0].tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert not histories_before(request_of_person_1, every, 10, None).toarray().any()


def test_the_prior_follows_the_visit_and_the_history_is_no_news(liked, request_of_person_1):
    genres = sparse.csr_array(np.repeat(np.eye(2, dtype=np.float32), 5, axis=0))
    nobody = sparse.csr_array(np.zeros((10, 0), np.float32))
    none = np.empty(0, dtype=np.int64)
    catalogue = Catalogue(
        Vocabulary(np.arange(10)), genres, np.array([1, 2]), np.zeros(10), np.ones(10, np.float32),
        np.full(10, 1990), np.zeros(10, np.int64), nobody, none, np.ones(10, bool),
    )  # fmt: skip
    ials = Ials(IalsConfig(4, 6, num_threads=1)).fit(liked)
    prior = ServedVisits(ServedCatalogue(ials, catalogue, ials.item_factors, None, liked)).prior
    fresh = Requests(request_of_person_1.sessions, np.array([0]))
    before, after = (prior(asked, slice(None))[0] for asked in (fresh, request_of_person_1))
    assert before[:5].min() > before[5:].max(), "by the history"
    assert (after - before)[[5, 7, 8]].min() > (after - before)[:5].max(), "6 was opened"
    masked = without_history(prior, 10, liked)(request_of_person_1, slice(None))[0]
    assert np.isneginf(masked).tolist() == [True] * 5 + [False] * 5
