"""The reranker: which rows it orders, how far down, and what of search's evidence it may change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.sessions import EventKind
from recommender.ranking.features import CATEGORIES, RankingFeatures
from recommender.ranking.page import CandidateRow, Row
from recommender.ranking.row_kinds import RESULTS, ROW_KINDS, RowKind
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from recommender.serving.reranker import MAX_RANKED, RANKED_PER_ROW, Reranker
from recommender.vocabulary import Vocabulary

COUNT = 400
CONTEXT = RequestContext()
IDS = 1000 + np.arange(COUNT)
ITEM, ROW, SLOT, MATCH = (CATEGORIES.index(name) for name in ("item", "row", "slot", "match"))


class HighestIdFirst:
    """A ranker that likes a title the more the higher its id; it notes what it was asked."""

    def __init__(self):
        self.asked = []

    def predict(self, examples):
        self.asked.append(examples)
        logits = (examples.categories[:, ITEM] - 1000).astype(np.float32)
        return logits, logits / COUNT


@pytest.fixture
def ranker():
    return HighestIdFirst()


@pytest.fixture(scope="module")
def plain():
    catalogue = Catalogue(
        Vocabulary(IDS),
        sparse.csr_array(np.ones((COUNT, 1), dtype=np.float32)),
        np.array([7]),
        np.zeros(COUNT),
        np.ones(COUNT, np.float32),
        np.full(COUNT, 1999),
        np.zeros(COUNT, dtype=np.int64),
        sparse.csr_array(np.zeros((COUNT, 0), dtype=np.float32)),
        np.empty(0, dtype=np.int64),
        np.ones(COUNT, dtype=bool),
    )
    return Reranker(catalogue, RankingFeatures(catalogue, np.arange(COUNT)))


def candidates(kind, *items):
    return CandidateRow(kind, np.array(items), np.full(len(items), 9, dtype=np.float32))


def hits(*pairs):
    items, bands = np.array(pairs).T
    return Row(RESULTS, items, np.zeros(len(items), dtype=np.float32), evidence=bands)


def test_without_a_ranker_rows_and_hits_stay_as_they_are(plain):
    rows, found = [candidates("top_picks", 3, 1, 2)], hits((3, 0), (1, 2))
    assert plain.rerank(rows, Viewer(), CONTEXT, None) == rows
    assert plain.rerank_hits(found, Viewer(), CONTEXT, None) is found


@pytest.mark.parametrize("kind", ROW_KINDS.values(), ids=lambda kind: kind.name)
def test_it_orders_the_rows_whose_kind_says_so_and_no_other(plain, ranker, kind):
    [row] = plain.with_ranker(ranker).rerank(
        [candidates(kind.name, 3, 1, 2)], Viewer(), CONTEXT, None
    )
    assert row.items.tolist() == ([3, 2, 1] if kind.is_reranked else [3, 1, 2])
    assert row.scores.tolist() == pytest.approx(
        [3 / COUNT, 2 / COUNT, 1 / COUNT] if kind.is_reranked else [9, 9, 9]
    )


def test_a_new_kind_is_ordered_by_one_entry(plain, ranker, monkeypatch):
    monkeypatch.setitem(ROW_KINDS, "binge", RowKind("binge", 22, is_reranked=True))
    [row] = plain.with_ranker(ranker).rerank(
        [candidates("binge", 1, 3, 2)], Viewer(), CONTEXT, None
    )
    assert row.items.tolist() == [3, 2, 1]
    assert set(ranker.asked[0].categories[:, ROW]) == {22}


def test_only_the_head_of_a_row_is_ordered_and_the_rest_keeps_order_and_scores(plain, ranker):
    items = list(range(RANKED_PER_ROW + 3))
    [row] = plain.with_ranker(ranker).rerank([candidates("genre", *items)], Viewer(), CONTEXT, None)
    assert row.items.tolist() == [*reversed(items[:RANKED_PER_ROW]), *items[RANKED_PER_ROW:]]
    assert row.scores[RANKED_PER_ROW:].tolist() == [9, 9, 9]


def test_rows_further_down_are_left_alone_when_enough_was_ordered(plain, ranker):
    size = RANKED_PER_ROW
    rows = [candidates("genre", *range(n, n + size)) for n in range(0, COUNT - size, size)]
    plain.with_ranker(ranker).rerank(rows, Viewer(), CONTEXT, None)
    assert sum(len(examples) for examples in ranker.asked) == MAX_RANKED


@given(st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, 12)), min_size=1, max_size=40))
def test_no_click_probability_lifts_a_hit_over_better_evidence(plain, pairs):
    pairs = sorted(dict(pairs).items(), key=lambda pair: pair[1])
    row = plain.with_ranker(HighestIdFirst()).rerank_hits(hits(*pairs), Viewer(), CONTEXT, None)
    shown = list(zip(row.items.tolist(), row.evidence.tolist(), strict=True))
    assert shown == sorted(pairs, key=lambda pair: (pair[1], -pair[0]))
    np.testing.assert_allclose(row.scores, row.items / COUNT)


@pytest.mark.parametrize("has_ranker", [True, False])
def test_the_slate_keeps_the_band_that_the_ranker_saw(plain, ranker, has_ranker):
    """Band and probability were once one number, and the slate kept a band too good by one."""
    reranker = plain.with_ranker(ranker if has_ranker else None)
    row = reranker.rerank_hits(hits((5, 0), (6, 3), (7, 3)), Viewer(), CONTEXT, None)
    kept = reranker.page_features([row], Viewer(), CONTEXT, None).categories
    assert kept[:, MATCH].tolist() == [1, 3, 3]
    if has_ranker:
        assert ranker.asked[0].categories[:, MATCH].tolist() == [1, 3, 3]


def test_candidates_are_scored_as_if_first_and_kept_by_their_slot(plain, ranker):
    reranker = plain.with_ranker(ranker)
    [row] = reranker.rerank([candidates("genre", 3, 1, 2)], Viewer(), CONTEXT, None)
    assert set(ranker.asked[0].categories[:, SLOT]) == {1}
    shown = Row(row.kind, row.items, row.scores)
    assert reranker.page_features([shown], Viewer(), CONTEXT, None).categories[
        :, SLOT
    ].tolist() == [1, 2, 3]


def test_a_title_of_the_viewers_events_is_marked_as_met(plain):
    viewer = Viewer(events=[ViewerEvent(EventKind.OPEN, 1002, 0.0)])
    row = Row("genre", np.array([1, 2]), np.zeros(2, dtype=np.float32))
    kept = plain.page_features([row], viewer, CONTEXT, None).categories
    assert kept[:, CATEGORIES.index("met")].tolist() == [1, 2]
