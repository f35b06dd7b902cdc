"""Neighbour models of sessions against hand-worked and plain twins."""

import numpy as np
import pytest

from benchmarks.session_knn import (
    ItemKnn,
    ItemKnnConfig,
    SessionKnn,
    SessionKnnConfig,
    visit_matrix,
)
from recommender.data.sessions import Requests, Sessions, next_in_visit
from recommender.errors import InvalidInputError, NotFittedError


@pytest.fixture
def sessions():
    """Visits: {0, 1}, {0, 1, 2}, {2, 3}, one a viewer, each a day after the other."""
    viewers = [1, 1, 2, 2, 2, 3, 3]
    at = [0.0, 1, 86_400, 86_401, 86_402, 172_800, 172_801]
    return Sessions.from_events(viewers, [0, 1, 0, 1, 2, 2, 3], at)


def asked(*items):
    """A request after these items in one visit."""
    made = Sessions.from_events([9] * (len(items) + 1), [*items, 0], np.arange(len(items) + 1.0))
    return Requests(made, np.array([len(items)]))


def test_visits_as_a_matrix(sessions):
    assert visit_matrix(sessions, 4).toarray().tolist() == [
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [0, 0, 1, 1],
    ]


def test_items_met_together(sessions):
    model = ItemKnn(ItemKnnConfig(damping=0)).fit(sessions, 4)
    assert model.score(asked(3, 0), slice(0, 1))[0].tolist() == pytest.approx([0, 1, 0.5, 0])
    assert not model.score(asked(0, -1), slice(0, 1)).any()


def test_the_nearest_visits_vote(sessions):
    model = SessionKnn(SessionKnnConfig(neighbours=3, sample=3)).fit(sessions, 4)
    scores = model.score(asked(0, 2), slice(0, 1))[0]
    # item 0 weighs 1/2, item 2 weighs 1; nearness .5, 1.5, 1; newest shared .5, 1, 1
    assert scores.tolist() == pytest.approx([0.25 + 1.5, 0.25 + 1.5, 1.5 + 1, 1])


def test_only_the_nearest_and_latest_visits_are_asked(sessions):
    one = SessionKnn(SessionKnnConfig(neighbours=1, sample=3)).fit(sessions, 4)
    assert one.score(asked(0, 2), slice(0, 1))[0].tolist() == pytest.approx([1.5, 1.5, 1.5, 0])
    latest = SessionKnn(SessionKnnConfig(neighbours=1, sample=1)).fit(sessions, 4)
    assert latest.score(asked(0), slice(0, 1))[0].tolist() == pytest.approx([1, 1, 1, 0])


def test_nothing_known_has_no_neighbours(sessions):
    model = SessionKnn().fit(sessions, 4)
    assert not model.score(asked(-1), slice(0, 1)).any()
    assert model.score(next_in_visit(sessions), slice(None)).shape == (4, 4)


def test_bad_input_is_named():
    with pytest.raises(InvalidInputError, match="neighbours"):
        SessionKnnConfig(neighbours=5, sample=2)
    with pytest.raises(InvalidInputError, match="damping"):
        ItemKnnConfig(damping=-1)
    for model in (ItemKnn(), SessionKnn()):
        with pytest.raises(NotFittedError):
            model.score(asked(0), slice(0, 1))
