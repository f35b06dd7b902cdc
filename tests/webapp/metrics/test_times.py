"""The survival curve from bins is the one that SciPy makes of every visit's time."""

import numpy as np
import pytest
from scipy import stats

from webapp.metrics.times import BIN_EDGES, kaplan_meier

B = len(BIN_EDGES) + 1


def counts(*bins):
    counted = [0] * B
    for n in bins:
        counted[n] += 1
    return counted


def test_five_visits_worked_by_hand():
    """Plays after 3 s, 13 s and 13 s, leaving after 8 s and 18 s.

    S(5) = 4/5; one leaves; S(15) = 4/5 (1 - 2/3) = 4/15, where it stays.
    Greenwood at 5 s: 1/(5*4) = 0.05, so that z = 1.96 sqrt(0.05)/|ln 0.8| = 1.9641, and
    0.8^exp(±1.9641) is 0.2038 and 0.9692.
    """
    curve = kaplan_meier(counts(0, 2, 2), counts(1, 3))
    assert curve.waiting[:5] == pytest.approx([0.8, 0.8, 4 / 15, 4 / 15, 4 / 15])
    assert curve.low[0] == pytest.approx(0.2038, abs=1e-4)
    assert curve.high[0] == pytest.approx(0.9692, abs=1e-4)
    assert curve.median() == pytest.approx(10 + 5 * (0.8 - 0.5) / (0.8 - 4 / 15))


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
@pytest.mark.parametrize("seed", range(5))
def test_curve_and_interval_are_scipys(seed):
    rng = np.random.default_rng(seed)
    bins, left = rng.integers(0, 40, 200), rng.random(200) < 0.4
    curve = kaplan_meier(counts(*bins[~left]), counts(*bins[left]))
    survival = stats.ecdf(stats.CensoredData.right_censored(bins, left)).sf
    interval = survival.confidence_interval(0.95, method="log-log")
    for ours, theirs in (
        (curve.waiting, survival),
        (curve.low, interval.low),
        (curve.high, interval.high),
    ):
        inside = (theirs.probabilities > 0) & (theirs.probabilities < 1)
        at = theirs.quantiles.astype(int)[inside]
        assert ours[at] == pytest.approx(theirs.probabilities[inside], abs=1e-6)


def test_counts_of_other_bins_are_refused():
    with pytest.raises(ValueError, match=f"counts for {B} bins are needed, got 3 and {B}"):
        kaplan_meier([0, 0, 0], [0] * B)
