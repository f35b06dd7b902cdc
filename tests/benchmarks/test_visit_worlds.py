"""Visits with known wants, and the gains counted on them, by hand-worked cases."""

import numpy as np
import pytest
from scipy import sparse

from benchmarks.visit_worlds import (
    Coherences,
    WantingVisit,
    WatchingPerson,
    drawn_visits,
    is_found,
)
from benchmarks.visits import relative_gain

TITLES = 400


def one_hot(*rows):
    return sparse.csr_array(np.array(rows, dtype=np.float32))


@pytest.fixture
def coherences():
    """Films 0 and 1: a western of 1960 and one of 1970 by the same director; 2: a romance."""
    return Coherences(
        np.array([1960, 1970, 1960]),
        one_hot([1, 0], [1, 0], [0, 1]),
        one_hot([1, 0], [1, 0], [0, 1]),
        one_hot([1, 1, 0], [1, 0, 1]),
    )


def test_likenesses_by_hand(coherences):
    e = np.exp
    assert coherences.content(0).tolist() == pytest.approx([1, 0.8 + 0.2 * e(-1), 0.2])
    assert coherences.genre(0).tolist() == [1, 1, 0]
    assert coherences.era(0).tolist() == pytest.approx([1, e(-2.5), 0.3])
    together = coherences.liked_by_the_same(0)  # liked by 2, 1 and 1 people
    root = 2**0.5
    assert together.tolist() == pytest.approx([2 / 5, 1 / (root + 3), 1 / (root + 3)])


def someone(wanted=(0, 1, 2)):
    scores = np.arange(TITLES, dtype=np.float32)
    return WatchingPerson(2, np.array(wanted), np.array([TITLES - 1]), 9, scores)


def in_tens(item):
    """Titles of the same ten are alike; all others a little."""
    same = np.arange(TITLES) // 10 == item // 10
    return np.where(same, 1.0, 0.1).astype(np.float32)


@pytest.mark.parametrize("coherence", [in_tens, None], ids=["coherent", "random"])
def test_nothing_opened_is_wanted_or_seen(coherence):
    visits = list(drawn_visits([someone()], coherence, 3, 20, np.random.default_rng(0)))
    assert len(visits) == 20
    for visit in visits:
        assert len(set(visit.opened.tolist())) == 3
        assert not set(visit.opened.tolist()) & {*visit.wanted.tolist(), TITLES - 1}
        assert min(visit.opened) >= TITLES - 302


@pytest.mark.parametrize("coherence", [in_tens, None], ids=["coherent", "random"])
def test_a_visit_of_which_nothing_is_known_has_opened_nothing(coherence):
    visits = list(drawn_visits([someone()], coherence, 0, 20, np.random.default_rng(0)))
    assert len(visits) == 20
    assert {(len(visit.opened), len(visit.wanted)) for visit in visits} == {(0, 3)}


def test_wanted_films_hang_together():
    person = someone([0, 1, 2, 50, 51])
    wanted = {
        tuple(sorted(visit.wanted.tolist()))
        for visit in drawn_visits([person], in_tens, 1, 40, np.random.default_rng(0))
    }
    assert wanted == {(0, 1, 2), (50, 51)}


def test_what_was_seen_or_opened_takes_no_place():
    scores = np.arange(TITLES, dtype=np.float32)
    visit = WantingVisit(someone(), np.array([398]), np.array([378]))
    assert is_found(visit, scores)  # 397 down to 378 are the first twenty
    assert not is_found(WantingVisit(someone(), np.array([398]), np.array([377])), scores)


def test_a_gain_and_its_interval():
    people = np.repeat(np.arange(50), 4)
    theirs = np.tile([1.0, 0, 1, 0], 50)
    gain, low, high = relative_gain(np.tile([1.0, 0, 1, 1], 50), theirs, people)
    assert (gain, low, high) == pytest.approx((50, 50, 50))
    ours = np.where(people < 25, 1.0, theirs)
    gain, low, high = relative_gain(ours, theirs, people)
    assert gain == pytest.approx(50)
    assert 20 < low < 40 < 60 < high < 80
