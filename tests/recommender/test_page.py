"""Laws of the page builder, over pages of any shape."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import InvalidInputError
from recommender.ranking.page import (
    CandidateRow,
    PageConfig,
    PinnedRow,
    Utility,
    build_page,
)
from recommender.ranking.row_kinds import CONTINUE_WATCHING, MY_LIST, SPOTLIGHT, THIS_VISIT
from tests.churn import seen_position_churn
from tests.recommender.plain_page import plain_page

ITEMS = 40

FACTS = "top_10"
KEPT_KINDS = (CONTINUE_WATCHING, MY_LIST)
CHART_KINDS = (FACTS,)
rows = st.lists(
    st.builds(
        lambda name, items: CandidateRow(
            name[0],
            np.array(items, dtype=np.int64),
            np.arange(len(items), 0, -1, dtype=np.float32),
            name[1],
            is_of_visit=name[0] == THIS_VISIT,
        ),
        st.sampled_from(
            [
                ("continue_watching", None), ("my_list", None), (FACTS, None), ("new", None),
                (THIS_VISIT, 5), ("top", None), ("trending", None), ("genre", 1), ("genre", 2),
            ]
        ),
        st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=ITEMS),
    ),
    max_size=9,
    unique_by=lambda row: (row.kind, row.key),
)  # fmt: skip
masks = st.lists(st.booleans(), min_size=ITEMS, max_size=ITEMS).map(np.array)
seeds = st.integers(0, 2**32 - 1)
configs = st.builds(
    lambda least, more, fold, share, chance, slot, most, heads: PageConfig(
        row_size=least + more,
        min_row_size=least,
        max_rows=most,
        fold_rows=fold[0],
        fold_slots=fold[1],
        relevance_share=share,
        exploration=chance,
        exploration_slot=slot,
        visit_leads=True,
        head_rows=heads[0],
        kept_within=heads[1],
    ),
    st.integers(1, 6),
    st.integers(0, 12),
    st.tuples(st.integers(1, 3), st.integers(1, 6)),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.0, 0.5]),
    st.integers(0, 6),
    st.integers(1, 9),
    st.tuples(st.integers(0, 9), st.integers(0, 5)),
)


def worth_of(seed):
    """Titles of any worth, in a space of three kinds."""
    rng = np.random.default_rng(seed)
    vectors = np.eye(3, dtype=np.float32)[rng.integers(0, 3, ITEMS)]
    return Utility(rng.random(ITEMS).astype(np.float32).__getitem__, vectors)


def page_at_random(candidates, excluded, config, seed, pinned=()):
    rng = np.random.default_rng(seed)
    return build_page(candidates, excluded, config, worth_of(seed), pinned, rng)


def check_laws(page, excluded, config, pinned=()):
    """What no page may break, whatever it is made of."""
    placed = Counter(i for row in page if row.kind not in KEPT_KINDS for i in row.items.tolist())
    once = Counter(
        i for row in page if row.kind not in (*KEPT_KINDS, FACTS) for i in row.items.tolist()
    )
    above_fold = Counter(
        i
        for row in [row for row in page if row.kind != SPOTLIGHT][: config.fold_rows]
        if row.kind not in KEPT_KINDS
        for i in row.items[: config.fold_slots].tolist()
    )
    assert max(placed.values(), default=0) <= 2
    assert max(once.values(), default=0) <= 1
    assert max(above_fold.values(), default=0) <= 1
    held = {(row.kind, row.key) for row in pinned}
    held |= {(THIS_VISIT, 5)} if pinned else set()
    for row in page:
        assert not excluded[row.items].any()
        assert len(set(row.items.tolist())) == len(row.items) == len(row.scores)
        assert len(row.items) <= config.row_size
        is_short = row.kind in (*KEPT_KINDS, SPOTLIGHT) or (row.kind, row.key) in held
        assert len(row.items) >= (1 if is_short else config.min_row_size)
        assert ((row.propensities > 0) & (row.propensities <= 1)).all()
        assert (row.propensities < 1).sum() <= 1 + row.num_pinned
    names = [(row.kind, row.key) for row in page]
    assert len(set(names)) == len(names)


@given(rows, masks, configs, seeds)
def test_no_title_stands_twice_where_it_must_not_and_every_limit_is_kept(
    candidates, excluded, config, seed
):
    page = page_at_random(candidates, excluded, config, seed)
    check_laws(page, excluded, config)
    page = [row for row in page if row.kind != SPOTLIGHT]
    leading = sum(row.kind in (*KEPT_KINDS, THIS_VISIT) for row in page)
    assert len(page) <= max(config.max_rows, leading)


@given(rows, masks, configs, seeds)
def test_the_same_input_makes_the_same_page(candidates, mask, config, seed):
    page, again = (page_at_random(candidates, mask, config, seed) for _ in range(2))
    assert as_titles(page) == as_titles(again)
    assert [row.propensities.tolist() for row in page] == [
        row.propensities.tolist() for row in again
    ]


@given(rows, masks, seeds)
def test_without_chance_and_variety_each_row_keeps_its_order(candidates, mask, seed):
    config = PageConfig(row_size=8, min_row_size=3, relevance_share=1)
    for row in build_page(candidates, mask, config, worth_of(seed)):
        assert (np.diff(row.scores) < 0).all()
        assert (row.propensities == 1).all()


KINDS = [
    (CONTINUE_WATCHING, None), ("top_picks", None), (MY_LIST, None), ("trending", None),
    (FACTS, None), ("new", None), ("hidden_gems", None), *(("genre", n) for n in range(8)),
]  # fmt: skip


def drawn_page(seed):
    """The arguments of a first page: titles and rows of continuous worth, so without ties."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(10, 120))
    vectors = rng.random((count, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    utility = Utility(rng.random(count).astype(np.float32).__getitem__, vectors)
    candidates = []
    for kind, key in KINDS:
        most = int(rng.integers(0, 8 if kind in KEPT_KINDS else count))
        items = rng.permutation(count)[:most]
        items = items[np.argsort(-utility.values(items) - 0.3 * rng.random(most))]
        scores = np.arange(most, 0, -1, dtype=np.float32)
        candidates.append(CandidateRow(kind, items, scores, key))
    first = int(rng.integers(0, 3))  # with a row to go on watching, which leads, and without
    least, more = int(rng.integers(1, 7)), int(rng.integers(0, 12))
    config = PageConfig(
        row_size=least + more,
        min_row_size=least,
        max_rows=int(rng.integers(1, 14)),
        fold_rows=int(rng.integers(1, 4)),
        fold_slots=int(rng.integers(1, 7)),
        relevance_share=float(rng.choice([0.55, 0.8, 1.0])),
        redundancy=float(rng.choice([0.0, 0.3])),
        exploration=0.0,
        exploration_slot=int(rng.integers(0, 7)),
        visit_leads=True,
        head_rows=int(rng.integers(0, 13)),
        kept_within=int(rng.integers(0, 7)),
    )
    return candidates[first:], rng.random(count) < 0.1, config, utility


@pytest.mark.parametrize("seed", range(80))
def test_the_first_page_is_that_of_its_slow_plain_twin(seed):
    asked = drawn_page(seed)
    assert as_titles(build_page(*asked)) == plain_page(*asked)


def as_titles(rows):
    return [((row.kind, row.key), row.items.tolist()) for row in rows]


def pinned_of(page, depth, slots, held=0):
    """The page's first rows, so many slots of each seen."""
    return [
        PinnedRow(row.kind, row.items, row.scores, row.key, slots, held, row.propensities)
        for row in [row for row in page if held or row.kind != SPOTLIGHT][:depth]
    ]


@given(rows, rows, masks, masks, configs, seeds, st.integers(0, 6), st.integers(1, 6))
def test_what_was_seen_stays_whatever_comes_after(
    first, then, hid, left, config, seed, depth, slots
):
    """Two pages of one visit; between them the viewer hides some titles."""
    before = page_at_random(first, hid, config, seed)
    pinned = pinned_of(before, depth, slots)
    excluded = hid | left
    page = page_at_random(then, excluded, config, seed + 1, pinned)
    seen = [
        ((row.kind, row.key), row.seen.tolist()) for row in pinned if row.kind not in KEPT_KINDS
    ]
    free = [name for name, _ in as_titles(page)]
    seen = [(name, items) for name, items in seen if items or name in free]
    churn = seen_position_churn(seen, as_titles(page), set(np.flatnonzero(left).tolist()))
    assert churn in (0.0, None)
    check_laws(page, excluded, config, pinned)


@given(rows, rows, masks, configs, seeds, st.integers(0, 6))
def test_a_page_that_goes_on_holds_all_that_is_there(first, then, mask, config, seed, depth):
    before = page_at_random(first, mask, config, seed)
    pinned = pinned_of(before, depth, 1, held=config.row_size)
    then = [row for row in then if row.kind not in KEPT_KINDS]
    then = [row for row in first if row.kind in KEPT_KINDS] + then
    page = page_at_random(then, mask, config, seed + 1, pinned)
    standing = dict(as_titles(page))
    for row in pinned:
        if row.kind not in KEPT_KINDS:
            shown = standing[row.kind, then_key(row, then)]
            assert shown[: len(row.items)] == row.items.tolist()
    check_laws(page, mask, config, pinned)


def then_key(pin, candidates):
    """The key that the row goes on under: the changing row takes that of what is new."""
    same = [row.key for row in candidates if row.kind == pin.kind == THIS_VISIT]
    return same[0] if same else pin.key


@given(rows, masks, seeds)
def test_a_page_pinned_whole_is_the_same_page_again(candidates, mask, seed):
    config = PageConfig(row_size=8, min_row_size=3)
    page = page_at_random(candidates, mask, config, seed)
    again = page_at_random(candidates, mask, config, seed + 1, pinned_of(page, len(page), 8, 8))
    assert as_titles(again) == as_titles(page)
    assert [row.scores.tolist() for row in again] == [row.scores.tolist() for row in page]
    assert [row.propensities.tolist() for row in again] == [
        row.propensities.tolist() for row in page
    ]


PLAIN = Utility(np.ones(ITEMS, np.float32).__getitem__, np.zeros((ITEMS, 1), np.float32))
"""Every title worth the same, none like another."""


def row_of(kind, *items, key=None):
    return CandidateRow(kind, np.array(items), np.ones(len(items), dtype=np.float32), key)


def pin(kind, *items, key=None, seen=2):
    return PinnedRow(kind, np.array(items), np.zeros(len(items), np.float32), key, num_seen=seen)


def page_of(candidates, pinned=(), excluded=(), utility=PLAIN, **config):
    mask = np.isin(np.arange(ITEMS), excluded)
    limits = PageConfig(
        **{"row_size": 4, "min_row_size": 2, "fold_slots": 2, "visit_leads": True, **config}
    )
    return as_titles(build_page(candidates, mask, limits, utility, pinned))


def test_a_row_gives_way_to_the_rows_above_it():
    page = page_of([row_of("top", 1, 2, 3, 6), row_of("below", 3, 4, 1, 5)])
    assert page == [(("top", None), [1, 2, 3, 6]), (("below", None), [4, 5])]


def test_the_strongest_row_stands_first_and_the_next_is_the_one_that_adds_most():
    """1 and 2 are the best, of one kind; 3 and 4 nearly as good and alike; 5 and 6 of another."""
    utilities = np.array([0, 1, 1, 0.9, 0.9, 0.6, 0.6] + [0] * 33, dtype=np.float32)
    vectors = np.zeros((ITEMS, 2), np.float32)
    vectors[1:5, 0] = vectors[5:7, 1] = 1
    candidates = [row_of("other", 5, 6), row_of("alike", 3, 4), row_of("best", 1, 2)]

    def order(redundancy):
        page = page_of(
            candidates, utility=Utility(utilities.__getitem__, vectors), redundancy=redundancy
        )
        return [kind for (kind, _), _ in page]

    assert order(0.0) == ["best", "alike", "other"]
    assert order(0.5) == ["best", "other", "alike"]


def test_a_third_row_of_a_kind_gives_way_to_another_that_is_worth_little_less():
    candidates = [row_of("genre", n, n + 1, key=n) for n in (1, 3, 5)] + [row_of("hidden", 7, 8)]
    utilities = np.ones(ITEMS, np.float32)
    utilities[[7, 8]] = 0.7
    page = page_of(candidates, utility=replace(PLAIN, values=utilities.__getitem__))
    assert [key for (_, key), _ in page] == [1, 3, None, 5]


def test_a_title_that_only_fills_a_tail_leaves_another_row_its_head():
    utilities = np.ones(ITEMS, np.float32)
    utilities[[1, 2]] = 2
    candidates = [row_of("top", 1, 2, 3, 4, 5), row_of("below", 4, 3, 6, 7)]
    worth = replace(PLAIN, values=utilities.__getitem__)
    limits = {"utility": worth, "exploration_slot": 1}
    assert page_of(candidates, **limits) == [
        (("top", None), [1, 2, 3, 4]),
        (("below", None), [6, 7]),
    ]
    heads_first = page_of(candidates, head_rows=2, **limits)
    assert heads_first == [(("top", None), [1, 2, 5]), (("below", None), [4, 3, 6, 7])]
    only_the_first = page_of(candidates, head_rows=1, **limits)
    assert only_the_first == page_of(candidates, **limits)


def test_rows_that_follow_later_keep_their_heads_from_the_tails_of_the_first():
    candidates = [row_of("top", 1, 2, 3, 4, 5), row_of("below", 4, 3, 6, 7)]
    limits = {"head_rows": 2, "exploration_slot": 1}
    whole = page_of(candidates, **limits)
    [first] = page_of(candidates, max_rows=1, **limits)
    assert first == whole[0] == (("top", None), [1, 2, 5])
    held = [replace(pin("top", *first[1]), num_held=3)]
    assert page_of(candidates, held, **limits) == whole


@pytest.mark.parametrize("head_rows", [0, 3])
def test_a_row_kept_by_hand_stands_high_enough_however_little_it_holds(head_rows):
    utilities = np.linspace(2, 1, ITEMS, dtype=np.float32)
    others = [row_of(f"row {n}", *range(4 * n, 4 * n + 4)) for n in range(6)]
    candidates = [*others, row_of(MY_LIST, 39)]

    def place_of_list(pinned=(), **limits):
        worth = replace(PLAIN, values=utilities.__getitem__)
        page = page_of(candidates, pinned, utility=worth, head_rows=head_rows, **limits)
        return [kind for (kind, _), _ in page].index(MY_LIST)

    assert place_of_list() == 6
    assert place_of_list(kept_within=3) == place_of_list(kept_within=3, max_rows=3) == 2
    assert place_of_list(kept_within=3, max_rows=2) == 1
    seen = [pin(f"seen {n}", 30 + 2 * n, 31 + 2 * n) for n in range(4)]
    assert place_of_list(seen, kept_within=3, max_rows=3) == 4


def test_a_row_kept_by_hand_of_which_nothing_may_be_shown_takes_no_place():
    candidates = [row_of(MY_LIST, 9), row_of("top", 1, 2), row_of("new", 3, 4)]
    page = page_of(candidates[::-1], excluded=[9], kept_within=1, max_rows=1)
    assert [kind for (kind, _), _ in page] == ["top"]


def test_a_row_of_facts_repeats_a_title_below_the_fold_only():
    candidates = [row_of("top", 1, 2, 3), row_of(FACTS, 2, 1, 9, 8), row_of("low", 1, 5, 6)]
    below = page_of(candidates, fold_rows=1, fold_slots=3)
    assert below == [
        (("top", None), [1, 2, 3]),
        ((FACTS, None), [2, 1, 9, 8]),
        (("low", None), [5, 6]),
    ]
    assert page_of(candidates, fold_rows=2, fold_slots=3)[1] == ((FACTS, None), [9, 8])


def test_titles_alike_do_not_stand_side_by_side():
    vectors = np.zeros((ITEMS, 2), np.float32)
    vectors[[1, 2, 3], 0] = vectors[[4, 5], 1] = 1
    similar = replace(PLAIN, vectors=vectors)
    [(_, items)] = page_of([row_of("top", 1, 2, 3, 4, 5)], utility=similar, relevance_share=0.5)
    assert items == [1, 4, 2, 3]
    [(_, items)] = page_of([row_of("new", 1, 2, 3, 4, 5)], utility=similar, relevance_share=0.5)
    assert items == [1, 2, 3, 4]


def test_the_slot_left_to_chance_holds_each_title_as_often_as_it_says():
    config = PageConfig(row_size=4, min_row_size=2, exploration=0.4, exploration_slot=2)
    told, came, rng = {}, Counter(), np.random.default_rng(11)
    for _ in range(4000):
        nothing = np.zeros(ITEMS, dtype=bool)
        [row] = build_page([row_of("top", *range(1, 7))], nothing, config, PLAIN, rng=rng)
        assert row.items.tolist()[:2] == [1, 2]
        assert row.items[3] == 4
        assert row.propensities[[0, 1, 3]].tolist() == [1, 1, 1]
        item = int(row.items[2])
        came[item] += 1
        told[item] = float(row.propensities[2])
    assert told == pytest.approx({3: 0.6, 5: 0.2, 6: 0.2})
    for item, chance in told.items():
        assert came[item] / 4000 == pytest.approx(chance, abs=0.03)


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


def of_visit(row):
    return replace(row, is_of_visit=True)


def test_the_row_of_this_visit_changes_its_titles_and_stands_above_what_was_seen():
    candidates = [row_of("top", 4, 5, 6), of_visit(row_of(THIS_VISIT, 7, 8, 9, key=6))]
    pinned = [pin("top", 1, 2), pin(THIS_VISIT, 3, 4, key=5), pin("new", 10, 11)]
    assert page_of(candidates, pinned) == [
        ((SPOTLIGHT, None), [7]),
        ((THIS_VISIT, 6), [8, 9, 3, 4]),
        (("top", None), [1, 2, 5, 6]),
        (("new", None), [10, 11]),
    ]


def test_a_page_from_before_keeps_its_changing_row_where_it_was():
    candidates = [of_visit(row_of(THIS_VISIT, 7, 8, 9, key=6)), row_of("top", 4, 5, 6)]
    pinned = [pin("top", 1, 2), pin(THIS_VISIT, 3, 4, key=5), pin("new", 10, 11)]
    page = page_of(candidates, pinned, visit_leads=False)
    assert [name for name, _ in page] == [("top", None), (THIS_VISIT, 6), ("new", None)]
    assert page[1][1] == [7, 8, 9, 3]


def test_the_spotlight_takes_no_title_that_was_seen_and_none_from_a_short_row():
    pinned = [pin("top", 7, 2)]
    row = of_visit(row_of("because", 7, 8, 9, key=1))
    assert page_of([row], pinned) == [(("because", 1), [8, 9]), (("top", None), [7, 2])]
    row = of_visit(row_of("because", 7, 8, 9, 10, key=1))
    assert page_of([row], pinned) == [
        ((SPOTLIGHT, None), [8]),
        (("because", 1), [9, 10]),
        (("top", None), [7, 2]),
    ]


def test_a_row_that_leads_again_keeps_what_was_seen_of_it_and_its_spotlight():
    row = of_visit(row_of("because", 7, 8, 9, 10, key=1))
    pinned = [pin("because", 8, 9, 10, key=1), pin("top", 1, 2)]
    assert page_of([row], pinned) == [
        ((SPOTLIGHT, None), [7]),
        (("because", 1), [8, 9, 10]),
        (("top", None), [1, 2]),
    ]


def test_of_two_rows_of_this_visit_the_second_stands_below_what_was_seen():
    candidates = [of_visit(row_of(THIS_VISIT, 7, 8, 9)), of_visit(row_of("because", 4, 5, key=1))]
    assert [name for name, _ in page_of(candidates, [pin("top", 1, 2)])] == [
        (SPOTLIGHT, None),
        (THIS_VISIT, None),
        ("top", None),
        ("because", 1),
    ]


def test_below_a_page_that_is_continued_nothing_moves_to_its_top():
    held = [replace(pin("top", 1, 2), num_held=2), replace(pin(SPOTLIGHT, 3), num_held=1)]
    page = page_of([of_visit(row_of(THIS_VISIT, 7, 8, 9)), row_of("new", 4, 5)], held)
    assert [name for name, _ in page] == [
        ("top", None),
        (SPOTLIGHT, None),
        (THIS_VISIT, None),
        ("new", None),
    ]


def test_the_row_of_this_visit_stands_even_where_the_seen_rows_fill_the_page():
    pinned = [pin("top", 1, 2), pin("new", 3, 4)]
    page = page_of([of_visit(row_of(THIS_VISIT, 7, 8, 9))], pinned, max_rows=2)
    assert [name[0] for name, _ in page] == [SPOTLIGHT, THIS_VISIT, "top", "new"]


def test_what_the_viewer_goes_on_watching_stands_above_what_was_pinned():
    kept = CandidateRow("continue_watching", np.array([9]), np.ones(1, np.float32), None)
    assert page_of([kept, row_of("top", 5, 6)], [pin("new", 1, 2)]) == [
        (("continue_watching", None), [9]),
        (("new", None), [1, 2]),
        (("top", None), [5, 6]),
    ]


TOP, NEW, LEAD = ("top", None), ("new", None), (SPOTLIGHT, None)


@pytest.mark.parametrize(
    ("seen", "after", "left", "churn"),
    [
        ([(TOP, [1, 2]), (NEW, [3, 4])], [(TOP, [1, 2, 9]), (NEW, [3, 4])], set(), 0.0),
        ([(TOP, [1, 2]), (NEW, [3, 4])], [(TOP, [2, 1]), (NEW, [3, 4])], set(), 0.5),
        ([(TOP, [1, 2]), (NEW, [3, 4])], [(NEW, [3, 4]), (TOP, [1, 2])], set(), 1.0),
        ([(TOP, [1, 2]), (NEW, [3, 4])], [(TOP, [1, 2])], set(), 0.5),
        ([(TOP, [1, 2])], [(LEAD, [4]), (("genre", 1), [5]), (TOP, [1, 2])], set(), 0.0),
        ([(LEAD, [4]), (NEW, [3]), (TOP, [1, 2])], [(TOP, [1, 2])], set(), 0.0),
        ([(TOP, [1, 2])], [(("genre", 1), [5]), (TOP, [1, 2])], set(), 1.0),
        (
            [(TOP, [1, 2]), (NEW, [3, 4])],
            [(TOP, [1, 2]), (("genre", 1), [5]), (NEW, [3, 4])],
            set(),
            0.5,
        ),
        ([(TOP, [1, 2, 3])], [(TOP, [2, 3])], {1}, 0.0),
        ([(TOP, [1, 2, 3])], [(TOP, [2, 3])], set(), 1.0),
        ([(TOP, [1]), (NEW, [2])], [(NEW, [2])], {1}, 0.0),
        ([(TOP, [1])], [((THIS_VISIT, 7), [8]), (("my_list", None), [9]), (TOP, [1])], set(), 0.0),
        ([((THIS_VISIT, 7), [8])], [(TOP, [1])], set(), None),
        ([], [(TOP, [1])], set(), None),
    ],
)
def test_churn_by_hand(seen, after, left, churn):
    assert seen_position_churn(seen, after, left) == churn


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(InvalidInputError, match="got 7 and 6"):
        PageConfig(row_size=6, min_row_size=7)


def test_chances_that_make_no_sense_are_refused():
    with pytest.raises(InvalidInputError, match=r"exploration must be from 0 to 0.5, got 0.7"):
        PageConfig(exploration=0.7)
