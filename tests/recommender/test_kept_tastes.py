"""A kept taste is the one that would be computed, shared read-only, within its memory."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from recommender.data.sessions import EventKind
from recommender.serving.kept_tastes import KeptTastes
from recommender.serving.request import Viewer, ViewerEvent
from recommender.serving.taste import Taste

VIEWER = Viewer(liked={1: 1.0}, liked_before={1: 1.0}, events=[ViewerEvent(EventKind.OPEN, 1, 9.0)])
OTHERS: dict[str, Any] = {
    "liked": {1: 2.0},
    "liked_before": {2: 1.0},
    "events": [ViewerEvent(EventKind.OPEN, 2, 9.0)],
    "profile_id": 1,
    "reasons": [1],
    "hidden": frozenset({1}),
    "excluded": frozenset({1}),
    "refused_genres": frozenset({1}),
    "not_now_genres": frozenset({1}),
    "not_now_people": frozenset({1}),
    "passed_over": [1],
    "seen": frozenset({1}),
    "unfinished": [1],
    "listed": [1],
    "maturity_limit": 12,
    "hides_watched": True,
}


def taste_of(viewer):
    return Taste(np.zeros(100, dtype=np.float32), None, None, 0.0)


def test_the_same_viewer_gets_the_same_taste():
    kept = KeptTastes()
    first = kept.get(VIEWER, taste_of)
    assert kept.get(replace(VIEWER, liked=dict(VIEWER.liked)), taste_of) is first


@pytest.mark.parametrize("name", [field.name for field in fields(Viewer)])
def test_whatever_is_known_of_a_viewer_makes_another(name):
    kept = KeptTastes()
    first = kept.get(VIEWER, taste_of)
    assert kept.get(replace(VIEWER, **{name: OTHERS[name]}), taste_of) is not first


def test_nobody_changes_a_kept_taste():
    taste = KeptTastes().get(VIEWER, taste_of)
    with pytest.raises(ValueError, match="read-only"):
        taste.scores[0] = 1


def test_nothing_known_is_kept_too():
    kept = KeptTastes()
    assert kept.get(VIEWER, lambda viewer: None) is None
    assert kept.get(VIEWER, taste_of) is None


def test_the_least_used_is_dropped():
    kept = KeptTastes(most_bytes=3 * 1400)
    viewers = [replace(VIEWER, profile_id=n) for n in range(4)]
    first = [kept.get(viewer, taste_of) for viewer in viewers[:3]]
    assert kept.get(viewers[0], taste_of) is first[0]
    kept.get(viewers[3], taste_of)
    assert kept.get(viewers[0], taste_of) is first[0]
    assert kept.get(viewers[1], taste_of) is not first[1]
