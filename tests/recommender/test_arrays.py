"""Rows are scaled to unit length."""

import numpy as np

from recommender.arrays import unit_rows


def test_rows_have_length_one_and_zeros_stay_zeros():
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]]))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0], [0, -1]]
