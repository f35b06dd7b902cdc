"""Metrics of chances against the definitions, slowly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import InvalidInputError
from recommender.evaluation.clicks import (
    auc,
    auc_gap,
    click_metrics,
    expected_calibration_error,
    log_loss,
    log_loss_gap,
)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=40))
def test_auc_is_the_share_of_pairs_in_order(pairs):
    positives = [score for label, score in pairs if label]
    negatives = [score for label, score in pairs if not label]
    found = auc([label for label, _ in pairs], [score for _, score in pairs])
    if not positives or not negatives:
        assert math.isnan(found)
        return
    wins = sum((p > n) + (p == n) / 2 for p in positives for n in negatives)
    assert found == pytest.approx(wins / (len(positives) * len(negatives)))


def test_the_gap_of_two_aucs_has_delongs_error():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        labels = rng.random(200) < 0.4
        scores = labels + rng.standard_normal((2, 200))
        found.append((*auc_gap(labels, *scores), auc(labels, scores[0]) - auc(labels, scores[1])))
    gaps, errors, plain = np.array(found).T
    np.testing.assert_allclose(gaps, plain, atol=1e-12)
    assert errors.mean() == pytest.approx(gaps.std(), rel=0.1)


def test_the_gap_of_two_losses_is_paired():
    labels, told = np.array([1, 0, 1]), np.array([0.9, 0.2, 0.6])
    gap, error = log_loss_gap(labels, told, np.full(3, 0.5))
    assert gap == pytest.approx(log_loss(labels, told) - log_loss(labels, np.full(3, 0.5)))
    assert error > 0
    assert log_loss_gap(labels, told, told) == (0.0, 0.0)


def test_log_loss_is_the_mean_surprise_and_never_infinite():
    assert log_loss([1, 0], [0.8, 0.5]) == pytest.approx(-(math.log(0.8) + math.log(0.5)) / 2)
    assert log_loss([1], [0.0]) == pytest.approx(-math.log(1e-7))


def test_chances_that_hold_have_no_calibration_error_and_boasts_have():
    labels = np.tile([1, 0, 0, 0], 300)
    assert expected_calibration_error(labels, np.full(1200, 0.25)) == pytest.approx(0, abs=1e-9)
    assert expected_calibration_error(labels, np.full(1200, 0.75)) == pytest.approx(0.5)
    mixed = np.where(labels, 0.9, 0.3)
    expected = sum(abs((labels - mixed)[part].sum()) for part in _bins(mixed)) / 1200
    assert click_metrics(labels, mixed)["ece"] == pytest.approx(expected)


def _bins(chances):
    return np.array_split(np.argsort(chances, kind="stable"), 15)


@pytest.mark.parametrize("values", [[], [0.5, 0.5]])
def test_lengths_must_agree(values):
    with pytest.raises(InvalidInputError, match="equally long"):
        log_loss([1] if values else [], values)
