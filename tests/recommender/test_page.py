"""Laws of the page builder, over pages of any shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import InvalidInputError
from recommender.evaluation.calm import seen_position_churn
from recommender.ranking.page import CHANGING, CandidateRow, PageConfig, PinnedRow, build_page

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


named_rows = st.lists(
    st.builds(
        lambda name, items: CandidateRow(
            name[0],
            np.array(items, dtype=np.int64),
            np.arange(len(items), 0, -1, dtype=np.float32),
            name[1],
            is_kept_by_viewer=name[0] == "my_list",
        ),
        st.sampled_from(
            [("top", None), ("genre", 1), ("genre", 2), ("my_list", None), (CHANGING, 5)]
        ),
        st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=ITEMS),
    ),
    max_size=6,
    unique_by=lambda row: (row.kind, row.key),
)


def as_titles(rows):
    return [((row.kind, row.key), row.items.tolist()) for row in rows]


def pinned_of(page, depth, slots):
    """The page's first rows, so many slots of each seen."""
    return [
        PinnedRow(row.kind, row.items, row.scores, row.key, num_seen=slots) for row in page[:depth]
    ]


@given(named_rows, named_rows, masks, masks, st.integers(0, 6), st.integers(1, 6))
def test_what_was_seen_stays_whatever_comes_after(first, then, hid, left, depth, slots):
    """Two pages of one visit; between them the viewer hides some titles."""
    config = PageConfig(row_size=8, min_row_size=3)
    before = build_page(first, hid, config)
    pinned = pinned_of(before, depth, slots)
    excluded = hid | left
    page = build_page(then, excluded, config, pinned)
    seen = [((row.kind, row.key), row.seen.tolist()) for row in pinned]
    churn = seen_position_churn(seen, as_titles(page), set(np.flatnonzero(left).tolist()))
    assert churn in (0.0, None)
    proposed = [item for row in page if row.kind != "my_list" for item in row.items.tolist()]
    assert len(proposed) == len(set(proposed))
    for row in page:
        assert not excluded[row.items].any()
        assert 1 <= len(row.items) <= config.row_size


@given(named_rows, masks)
def test_a_page_pinned_whole_is_the_same_page_again(candidates, mask):
    config = PageConfig(row_size=8, min_row_size=3)
    page = build_page(candidates, mask, config)
    again = build_page(candidates, mask, config, pinned_of(page, len(page), 8))
    assert as_titles(again) == as_titles(page)
    assert [row.scores.tolist() for row in again] == [row.scores.tolist() for row in page]


def row_of(kind, *items, key=None):
    return CandidateRow(kind, np.array(items), np.ones(len(items), dtype=np.float32), key)


def pin(kind, *items, key=None, seen=2):
    return PinnedRow(kind, np.array(items), np.zeros(len(items), np.float32), key, num_seen=seen)


def page_of(candidates, pinned, excluded=()):
    mask = np.isin(np.arange(ITEMS), excluded)
    return as_titles(build_page(candidates, mask, PageConfig(4, 2), pinned))


def test_news_come_behind_what_was_seen_and_to_the_rows_below():
    candidates = [row_of("because", 9, 3, 8, key=9), row_of("top", 7, 2, 6, 1)]
    assert page_of(candidates, [pin("top", 1, 2, 3, 4)]) == [
        (("top", None), [1, 2, 7, 6]),
        (("because", 9), [9, 3, 8]),
    ]


def test_a_seen_title_is_not_taken_by_the_row_above():
    candidates = [row_of("top", 5, 6, 7), row_of("new", 8, 9)]
    pinned = [pin("top", 1, 2), pin("new", 5, 6)]
    assert page_of(candidates, pinned) == [
        (("top", None), [1, 2, 7]),
        (("new", None), [5, 6, 8, 9]),
    ]


def test_a_hidden_title_leaves_and_the_rest_closes_up():
    pinned = [pin("top", 1, 2, 3, 4, seen=3)]
    assert page_of([row_of("top", 9, 8, 7)], pinned, excluded=[1]) == [
        (("top", None), [2, 3, 9, 8])
    ]


def test_a_row_nobody_proposes_any_more_stays_as_it_was():
    assert page_of([row_of("new", 8, 9)], [pin("top", 1, 2, 3)]) == [
        (("top", None), [1, 2, 3]),
        (("new", None), [8, 9]),
    ]


def test_the_changing_row_keeps_its_place_and_changes_its_titles():
    candidates = [row_of(CHANGING, 7, 8, 9, key=6), row_of("top", 4, 5, 6)]
    pinned = [pin("top", 1, 2), pin(CHANGING, 3, 4, key=5), pin("new", 10, 11)]
    assert [name for name, _ in page_of(candidates, pinned)] == [
        ("top", None),
        (CHANGING, 6),
        ("new", None),
    ]
    assert page_of(candidates, pinned)[1][1] == [7, 8, 9, 3]


def test_what_the_viewer_goes_on_watching_stands_above_what_was_pinned():
    kept = CandidateRow("continue_watching", np.array([9]), np.ones(1, np.float32), None, True)
    assert page_of([kept, row_of("top", 5, 6)], [pin("new", 1, 2)]) == [
        (("continue_watching", None), [9]),
        (("new", None), [1, 2]),
        (("top", None), [5, 6]),
    ]


TOP, NEW = ("top", None), ("new", None)


@pytest.mark.parametrize(
    ("seen", "after", "left", "churn"),
    [
        ([(TOP, [1, 2]), (NEW, [3, 4])], [(TOP, [1, 2, 9]), (NEW, [3, 4])], set(), 0.0),
        ([(TOP, [1, 2]), (NEW, [3, 4])], [(TOP, [2, 1]), (NEW, [3, 4])], set(), 0.5),
        ([(TOP, [1, 2]), (NEW, [3, 4])], [(NEW, [3, 4]), (TOP, [1, 2])], set(), 1.0),
        ([(TOP, [1, 2]), (NEW, [3, 4])], [(TOP, [1, 2])], set(), 0.5),
        ([(TOP, [1, 2, 3])], [(TOP, [2, 3])], {1}, 0.0),
        ([(TOP, [1, 2, 3])], [(TOP, [2, 3])], set(), 1.0),
        ([(TOP, [1]), (NEW, [2])], [(NEW, [2])], {1}, 0.0),
        ([(TOP, [1])], [((CHANGING, 7), [8]), (("my_list", None), [9]), (TOP, [1])], set(), 0.0),
        ([((CHANGING, 7), [8])], [(TOP, [1])], set(), None),
        ([], [(TOP, [1])], set(), None),
    ],
)
def test_churn_by_hand(seen, after, left, churn):
    assert seen_position_churn(seen, after, left) == churn


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(InvalidInputError, match="got 7 and 6"):
        PageConfig(row_size=6, min_row_size=7)
