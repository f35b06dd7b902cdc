"""Early stopping: the best epoch is kept, and a run ends after `patience` worse ones."""

from functools import partial

import pytest

from recommender.models.early_stopping import BestSoFar, EpochReport


def states(values, patience):
    """Run through validation values and return the best epoch and the last one run."""
    best: BestSoFar[int] = BestSoFar(patience)
    epoch = 0
    for epoch, value in enumerate(values, 1):
        best.improved(value, partial(int, epoch))
        if best.is_exhausted:
            break
    return best.state, epoch


@pytest.mark.parametrize(
    ("values", "patience", "kept", "ran"),
    [
        ([0.1, 0.3, 0.2, 0.25, 0.4], 2, 2, 4),
        ([0.1, 0.3, 0.2, 0.4, 0.35], 2, 4, 5),
        ([0.3, 0.3, 0.3], 2, 1, 3),
        ([0.2, 0.1], 1, 1, 2),
        ([-5.0, -6.0, -4.0], 5, 3, 3),
    ],
)
def test_the_best_epoch_is_kept(values, patience, kept, ran):
    assert states(values, patience) == (kept, ran)


def test_without_patience_or_values_nothing_is_kept_and_nothing_stops():
    assert states([0.3, 0.2, 0.1], None) == (None, 3)
    assert states([None, None, None], 1) == (None, 3)


def test_a_state_is_copied_only_where_it_is_the_best():
    copies = []
    best: BestSoFar[None] = BestSoFar(3)
    improved = [best.improved(value, lambda: copies.append(1)) for value in (0.1, 0.3, 0.2, 0.4)]
    assert improved == [True, True, False, True]
    assert len(copies) == 3


def test_a_report_is_a_line_of_a_log():
    report = EpochReport(epoch=3, loss=0.123456, seconds=12.34, validation=0.5)
    assert str(report) == "epoch 3: loss 0.12346, validation 0.5, 12.3 s"
    assert str(EpochReport(epoch=1, loss=2.0, seconds=0.0)) == "epoch 1: loss 2, 0.0 s"
