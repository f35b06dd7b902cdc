"""Intervals: known answers, and how often they hold the truth."""

import numpy as np
import pytest

from webapp.metrics.estimates import NOTHING, estimate
from webapp.metrics.models import DailyMetric


def day_of(pairs):
    """A day of viewers with (numerator, denominator) each."""
    n, d = np.array(pairs, dtype=float).T
    return DailyMetric(
        numerator=n.sum(), denominator=d.sum(), viewers=len(n),
        sum_nn=(n * n).sum(), sum_nd=(n * d).sum(), sum_dd=(d * d).sum(),
    )  # fmt: skip


def test_nothing_is_null():
    assert estimate([]) == NOTHING
    assert estimate([]).value is None


def test_one_viewer_has_a_value_and_no_interval():
    told = estimate([day_of([(1, 2)])])
    assert (told.value, told.low, told.high) == (0.5, None, None)


def test_viewers_with_one_visit_each_have_wilsons_interval():
    """40 of 100: Wilson gives 0.309 to 0.498; m / (m - 1) makes it a hair wider."""
    told = estimate([day_of([(1, 1)] * 40 + [(0, 1)] * 60)])
    assert told.value == 0.4
    assert told.low == pytest.approx(0.3094, abs=1e-3)
    assert told.high == pytest.approx(0.4980, abs=1e-3)


def test_none_of_twenty_is_not_sure_to_be_none():
    told = estimate([day_of([(0, 1)] * 20)])
    assert told.low == 0
    assert told.high == pytest.approx(0.161, abs=1e-3)


def test_visits_of_one_viewer_say_less_than_those_of_many():
    many = estimate([day_of([(1, 1)] * 50 + [(0, 1)] * 50)])
    few = estimate([day_of([(10, 10)] * 5 + [(0, 10)] * 5)])
    assert few.value == many.value
    assert few.high - few.low > 2 * (many.high - many.low)


def test_days_add_up():
    one, other = day_of([(1, 1), (0, 1)]), day_of([(0, 1), (0, 1)])
    assert estimate([one, other]) == estimate([day_of([(1, 1), (0, 1), (0, 1), (0, 1)])])


@pytest.mark.parametrize("is_share", [True, False])
def test_the_interval_holds_the_truth_as_often_as_it_says(is_share):
    """Viewers differ in how many visits they make and in how often they fail: 95 of 100 hold."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        visits = 1 + rng.poisson(3, 150)
        failing = rng.binomial(visits, rng.beta(2, 3, 150))
        told = estimate([day_of(np.stack([failing, visits], axis=1))], is_share=is_share)
        held += told.low <= 0.4 <= told.high
    assert 0.92 <= held / 400 <= 0.975
