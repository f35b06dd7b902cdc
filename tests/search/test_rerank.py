"""Within a band preference orders, across bands never."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import ArrayShapeError
from search.rerank import Preference, Weights, order

NONE = 255
WEIGHTS = Weights(taste=2.0, popularity=1.0, chosen=4.0, alike=8.0)


def test_each_part_comes_to_one_at_its_largest_and_counts_by_its_weight() -> None:
    preference = Preference.of(
        3,
        affinity=np.array([4, -1, 2], np.float32),
        popularity=np.array([0, 3, 15], np.float32),
        weights=WEIGHTS,
    )
    # affinity / 4, below zero nothing; log 1, log 4 and log 16 are 0, 1/2 and 1 of log 16
    np.testing.assert_allclose(preference.total(np.arange(3)), [2.0, 0.5, 1 + 1.0], rtol=1e-6)
    np.testing.assert_allclose(preference.total(np.array([2])), [2.0], rtol=1e-6)
    assert preference.explained(1) == pytest.approx({"taste": 0.0, "popularity": 0.5})


def test_parts_that_say_nothing_add_nothing() -> None:
    nothing = np.zeros(2, np.float32)
    assert Preference.of(2, nothing, None, nothing).total(np.arange(2)).tolist() == [0, 0]
    assert Preference.of(2, None, None).explained(0) == {}


def test_a_part_of_another_length_is_refused_by_name() -> None:
    with pytest.raises(ArrayShapeError, match=r"alike must be \(3,\), got \(2,\)"):
        Preference.of(3, None, None, alike=np.zeros(2, np.float32))


def test_bands_come_first_then_preference_then_the_tie_break() -> None:
    bands = np.array([3, 1, 3, NONE, 3, 3], np.uint8)
    taste = np.array([1, 0, 9, 9, 5, 5], np.float32)
    tie_break = np.array([0, 1, 2, 3, 5, 4])
    preference = Preference.of(6, taste, None)
    assert order(bands, tie_break, 10, NONE, preference).tolist() == [1, 2, 5, 4, 0]
    assert order(bands, tie_break, 2, NONE, preference).tolist() == [1, 2]
    assert order(bands, tie_break, 0, NONE, preference).tolist() == []


@st.composite
def rankings(draw: st.DrawFn) -> tuple[list[int], list[int], list[int], int]:
    """Bands, tastes, a permutation, and how many are wanted."""
    bands = draw(st.lists(st.sampled_from([0, 1, 5, NONE]), min_size=1, max_size=30))
    tastes = draw(st.lists(st.integers(0, 4), min_size=len(bands), max_size=len(bands)))
    ties = draw(st.permutations(range(len(bands))))
    return bands, tastes, ties, draw(st.integers(0, 35))


@given(rankings())
def test_the_order_is_that_of_sorting_everything(
    ranking: tuple[list[int], list[int], list[int], int],
) -> None:
    """Only the bands of the k best are sorted; the plain way sorts all."""
    bands, tastes, ties, k = ranking
    preference = Preference.of(len(bands), np.array(tastes, np.float32), None)
    matching = [n for n in range(len(bands)) if bands[n] != NONE]
    plain = sorted(matching, key=lambda n: (bands[n], -tastes[n], ties[n]))[:k]
    found = order(np.array(bands, np.uint8), np.array(ties), k, NONE, preference)
    assert found.tolist() == plain
