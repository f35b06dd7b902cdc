"""The protocols of published comparisons, by hand."""

import numpy as np
import pytest
from scipy import sparse

from benchmarks.protocols import bottom_shares, sampled_leave_one_out


def popular(counts):
    return lambda histories: np.broadcast_to(np.asarray(counts, dtype=float), histories.shape)


def test_sampled_leave_one_out_leaves_the_own_target_out_of_account():
    histories = sparse.csr_array(np.zeros((2, 5), dtype=np.float32))
    values = sampled_leave_one_out(
        popular([5, 4, 3, 2, 1]), histories, np.array([1, 3]), np.array([[0, 1], [0, 2]]), k=2
    )
    assert values["hr@2"].tolist() == [1.0, 0.0]
    assert values["ndcg@2"] == pytest.approx([1 / np.log2(3), 0.0])


def test_the_bottom_shares_hold_each_other_and_all_that_tie_at_their_border():
    order = np.array([5.0, 1.0, 1.0, np.nan, 2.0, 3.0, 4.0])
    shares = bottom_shares(order, parts=3)
    assert [share for share, _ in shares] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [rows.tolist() for _, rows in shares] == [[1, 2], [1, 2, 4, 5], [0, 1, 2, 4, 5, 6]]
    assert bottom_shares(np.array([np.nan])) == []
    ((_, all_alike), *_) = bottom_shares(np.zeros(4))
    assert all_alike.tolist() == [0, 1, 2, 3]
