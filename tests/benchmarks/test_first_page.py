"""Where the benchmark of first pages looks, and what it counts, by hand-worked cases."""

import numpy as np
import pytest

from benchmarks.first_page import PLACES, _Outcomes, _scans


def test_every_scan_looks_at_as_many_places_each_once():
    scans = _scans()
    assert {len(set(places)) for places in scans.values()} == {PLACES}
    assert {len(places) for places in scans.values()} == {PLACES}


def test_simulated_viewers_look_at_the_top_left_most():
    often = _scans()["as simulated"]
    assert often[:3] == [(0, 0), (0, 1), (1, 0)]
    assert {(0, 12), (7, 0)} <= set(often)
    assert not {(0, 13), (8, 0)} & set(often)


def test_a_visit_counts_where_any_wanted_film_stands():
    outcomes = _Outcomes()
    pages = {"scan": (np.array([1, 2, -1]), np.array([3, 4, -1]))}
    outcomes.add(1, np.array([2]), pages)
    outcomes.add(2, np.array([4, 9]), pages)
    outcomes.add(3, np.array([3, 2]), pages)
    outcomes.add(3, np.array([4]), pages)
    before, after, gain = outcomes.rows("a way")
    assert (before.value, after.value) == (0.5, 0.75)
    assert gain.value == pytest.approx(50)
