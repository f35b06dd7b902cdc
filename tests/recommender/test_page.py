"""Laws of the page builder, over pages of any shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import InvalidInputError
from recommender.ranking.page import CandidateRow, PageConfig, build_page

ITEMS = 40

rows = st.lists(
    st.builds(
        lambda items, kept: CandidateRow(
            "kept" if kept else "proposed",
            np.array(items, dtype=np.int64),
            np.arange(len(items), 0, -1, dtype=np.float32),
            is_kept_by_viewer=kept,
        ),
        st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=ITEMS),
        st.booleans(),
    ),
    max_size=8,
)
masks = st.lists(st.booleans(), min_size=ITEMS, max_size=ITEMS).map(np.array)
configs = st.tuples(st.integers(1, 10), st.integers(0, 20)).map(
    lambda sizes: PageConfig(row_size=sizes[0] + sizes[1], min_row_size=sizes[0])
)


@given(rows, masks, configs)
def test_no_title_twice_nothing_excluded_and_every_limit_kept(candidates, excluded, config):
    page = build_page(candidates, excluded, config)
    proposed = [item for row in page if row.kind == "proposed" for item in row.items.tolist()]
    assert len(proposed) == len(set(proposed))
    for row in page:
        assert not excluded[row.items].any()
        assert len(row.items) <= config.row_size
        assert len(row.items) >= (1 if row.kind == "kept" else config.min_row_size)


@given(rows, masks, configs)
def test_the_same_input_makes_the_same_page_and_each_row_keeps_its_order(candidates, mask, config):
    page, again = (build_page(candidates, mask, config) for _ in range(2))
    assert [row.items.tolist() for row in page] == [row.items.tolist() for row in again]
    for row in page:
        assert (np.diff(row.scores) < 0).all()


def test_a_row_gives_way_to_the_rows_above_it():
    top, below = (
        CandidateRow("proposed", np.array(items), np.ones(len(items), dtype=np.float32))
        for items in ([1, 2, 3], [3, 4, 1, 5])
    )
    page = build_page([top, below], np.zeros(ITEMS, dtype=bool), PageConfig(3, 2))
    assert [row.items.tolist() for row in page] == [[1, 2, 3], [4, 5]]


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(InvalidInputError, match="got 7 and 6"):
        PageConfig(row_size=6, min_row_size=7)
