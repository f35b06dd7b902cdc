"""Events in order, cut into visits, and the requests made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.data.sessions import (
    POSITIVE_KINDS,
    EventKind,
    Requests,
    Sessions,
    is_last_of_playback,
    is_positive_in_visit,
    last_of_each,
    next_in_visit,
)
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN

HOUR = 3600.0
MIDNIGHT = 1_700_006_400.0


@pytest.fixture
def sessions():
    """Viewer 5: a visit over midnight, one the next day; viewer 2: one visit, with a search."""
    at = [MIDNIGHT - 600, MIDNIGHT + 600, MIDNIGHT + 24 * HOUR, 0.0, 60.0, 120.0]
    return Sessions.from_events(
        [5, 5, 5, 2, 2, 2],
        [10, 11, 12, 20, UNKNOWN, 21],
        at,
        kinds=[EventKind.OPEN] * 4 + [EventKind.SEARCH, EventKind.DISLIKE],
        queries={4: "heat"},
    )


events = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 20_000)), min_size=1, max_size=60
)


@given(events)
def test_events_stand_by_viewer_and_time_and_none_is_lost(drawn):
    viewers, items, at = map(np.array, zip(*drawn, strict=True))
    made = Sessions.from_events(viewers, items, at)
    assert made.bounds[0] == 0
    assert made.bounds[-1] == len(drawn)
    seen = sorted(zip(made.viewers[made.viewer_of], made.items, made.at, strict=True))
    assert seen == sorted(zip(viewers, items, at, strict=True))
    for first, end in zip(made.bounds[:-1], made.bounds[1:], strict=True):
        assert (np.diff(made.at[first:end]) >= 0).all()
        gaps = np.diff(made.at[first:end]) > 1800
        assert made.opens_visit[first]
        assert np.array_equal(made.opens_visit[first + 1 : end], gaps)


@given(events, st.integers(0, 20_000))
def test_before_a_moment_nothing_later_is_known(drawn, moment):
    viewers, items, at = map(np.array, zip(*drawn, strict=True))
    made = Sessions.from_events(viewers, items, at).before(moment)
    assert (made.at < moment).all()
    assert len(made.items) == (at < moment).sum()
    assert len(made) == len(np.unique(viewers[at < moment]))
    assert made.opens_visit[made.bounds[:-1]].all()


def test_visits_end_after_thirty_minutes_and_not_at_midnight(sessions):
    assert sessions.viewers.tolist() == [2, 5]
    assert sessions.items.tolist() == [20, UNKNOWN, 21, 10, 11, 12]
    assert sessions.opens_visit.tolist() == [True, False, False, True, False, True]
    assert sessions.visit_of.tolist() == [0, 0, 0, 1, 1, 2]


def test_ties_keep_the_order_given_and_known_visits_are_kept():
    made = Sessions.from_events([1, 1, 1], [7, 8, 9], [0.0, 0.0, 0.0], visits=[4, 4, 6])
    assert made.items.tolist() == [7, 8, 9]
    assert made.opens_visit.tolist() == [True, False, True]


def test_what_was_typed_follows_its_event(sessions):
    assert sessions.queries == {1: "heat"}
    assert sessions.of([0]).queries == {1: "heat"}
    assert sessions.of([1]).queries == {}
    assert sessions.only(np.array([False, True, True, False, False, False])).queries == {0: "heat"}


def test_a_visit_whose_opening_goes_opens_later(sessions):
    kept = sessions.only(np.array([False, True, True, True, True, True]))
    assert kept.opens_visit.tolist() == [True, False, True, False, True]


def test_requests_ask_for_what_follows_in_the_visit(sessions):
    asked = next_in_visit(sessions)
    assert asked.events.tolist() == [2, 4]
    assert asked.targets.tolist() == [21, 11]
    assert last_of_each(sessions).targets.tolist() == [21, 12]


def test_a_request_remembers_what_was_before_it_alone(sessions):
    recent = Requests(sessions, np.array([5, 2])).recent(slice(None), 10)
    assert recent.items.tolist() == [[10, 11], [20, UNKNOWN]]
    assert recent.is_this_visit.tolist() == [[False, False], [True, True]]
    assert recent.queries == {(1, 1): "heat"}
    assert recent.now.tolist() == [MIDNIGHT + 24 * HOUR, 120.0]
    short = Requests(sessions, np.array([4, 2])).recent(slice(None), 1)
    assert short.items.tolist() == [[10], [UNKNOWN]]


def test_only_positive_events_of_known_titles_speak(sessions):
    recent = Requests(sessions, np.array([5, 2])).recent(slice(None), 10)
    assert is_positive_in_visit(recent).tolist() == [[False, False], [True, False]]


def test_what_was_met_before(sessions):
    met = sessions.met_before(np.array([5, 2]), 25)
    assert met.toarray()[0].nonzero()[0].tolist() == [10, 11]
    assert met.toarray()[1].nonzero()[0].tolist() == [20]
    later = Sessions.from_events([1, 1], [3, 4], [0.0, 1.0], kinds=[EventKind.HIDE, EventKind.OPEN])
    assert later.met_before(np.array([1]), 5, POSITIVE_KINDS).nnz == 0
    assert later.met_before(np.array([1]), 5).nnz == 1


def test_one_sitting_counts_once():
    items = np.array([1, 1, 1, 2, 1, 1])
    kinds = np.array([EventKind.PLAY, EventKind.PROGRESS, EventKind.STOP, 0, 0, EventKind.PLAY])
    visits = np.array([0, 0, 0, 0, 0, 1])
    kept = is_last_of_playback(items, kinds, visits)
    assert kept.tolist() == [False, False, True, True, True, True]


def test_bad_events_are_refused():
    with pytest.raises(InvalidInputError, match="equally long"):
        Sessions.from_events([1, 2], [1], [0.0, 1.0])
    with pytest.raises(InvalidInputError, match="needs a time"):
        Sessions.from_events([1], [1], [float("nan")])


def test_no_events_are_no_sessions():
    empty = Sessions.from_events([], [], [])
    assert len(empty) == 0
    assert len(next_in_visit(empty)) == 0
