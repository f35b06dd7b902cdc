import numpy as np
import pytest
from scipy import sparse, stats

from recommender.data.sessions import Requests, Sessions
from recommender.data.splits import HeldOut
from recommender.errors import InvalidInputError
from recommender.evaluation import metrics
from recommender.evaluation.protocols import (
    means,
    next_item,
    strong_generalisation,
)
from recommender.evaluation.report import by_history_size
from recommender.evaluation.significance import bootstrap_mean, compare, holm

# two lists over 10 items: the first finds 3 and 9 at ranks 2 and 3 of {3, 9, 1, 0}; the second
# finds 7 at rank 1 of {7}; the third has no target and ends after two items
ITEMS = np.array([[5, 3, 9, 2], [7, 1, 2, 3], [4, 6, -1, -1]])
RELEVANT = sparse.csr_array(
    (np.ones(5), ([0, 0, 0, 0, 1], [3, 9, 1, 0, 7])), shape=(3, 10)
)  # fmt: skip
HITS = metrics.hits(ITEMS, RELEVANT)
NUMBER = np.array([4, 1, 0])


def test_hits_by_hand():
    assert HITS.tolist() == [
        [False, True, True, False], [True, False, False, False], [False] * 4
    ]  # fmt: skip


def test_ndcg_by_hand():
    dcg = 1 / np.log2(3) + 1 / np.log2(4)
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4) + 1 / np.log2(5)
    found = metrics.ndcg(HITS, NUMBER, 4)
    assert found[:2] == pytest.approx([dcg / ideal, 1.0])
    assert np.isnan(found[2])
    # of the first two places, and an ideal list of two
    assert metrics.ndcg(HITS, NUMBER, 2)[0] == pytest.approx(
        (1 / np.log2(3)) / (1 + 1 / np.log2(3))
    )
    # a list shorter than k is judged by the ideal of k
    assert metrics.ndcg(HITS, NUMBER, 100)[0] == pytest.approx(dcg / ideal)


def test_recall_divides_by_what_was_possible():
    assert metrics.recall(HITS, NUMBER, 4)[:2].tolist() == [0.5, 1.0]
    assert metrics.recall(HITS, NUMBER, 2)[:2].tolist() == [0.5, 1.0]
    assert metrics.recall(HITS, NUMBER, 100)[0] == 0.5
    assert np.isnan(metrics.recall(HITS, NUMBER, 4)[2])


def test_the_rank_of_a_target_counts_ties_half():
    others = np.array([[5.0, 1.0, 1.0, 0.0], [np.nan, 0.0, 0.0, 0.0]])
    assert metrics.rank_of_target(np.array([1.0, 1.0]), others).tolist() == [3.0, 1.0]


def popular(counts):
    return lambda histories: np.broadcast_to(np.asarray(counts, dtype=float), histories.shape)


def test_strong_generalisation_skips_history_and_profiles_without_targets():
    histories = sparse.csr_array(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]))
    targets = sparse.csr_array(np.array([[0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]))
    held_out = HeldOut(histories, targets, np.arange(3))
    values = strong_generalisation(popular([4, 3, 2, 1]), held_out, recall_at=(1,), ndcg_at=(2,))
    assert values["recall@1"].tolist() == [0.0, 1.0]  # 1 stands before 2; 0 is first
    assert values["ndcg@2"] == pytest.approx([1 / np.log2(3), 1.0])
    assert means(values)["recall@1"] == 0.5


def test_batches_do_not_change_the_figures(monkeypatch):
    rng = np.random.default_rng(0)
    histories, targets = (sparse.csr_array(rng.random((20, 30)) < p) for p in (0.2, 0.1))
    targets = sparse.csr_array(targets > histories)
    held_out = HeldOut(histories, targets, np.arange(20))
    score = popular(rng.random(30))
    whole = strong_generalisation(score, held_out)
    monkeypatch.setattr("recommender.evaluation.protocols.BATCH_BYTES", 8 * 30 * 3)
    for name, values in strong_generalisation(score, held_out).items():
        np.testing.assert_array_equal(values, whole[name])


def test_a_bootstrap_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        estimate = bootstrap_mean(rng.normal(0.3, 1.0, 80), rng, resamples=300)
        covered += estimate.low <= 0.3 <= estimate.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_comparison_finds_a_difference_that_is_there():
    rng = np.random.default_rng(2)
    theirs = rng.random(300)
    found = compare(theirs + 0.02 + rng.normal(0, 0.05, 300), theirs, rng)
    assert found.difference.low > 0
    assert found.bootstrap_p < 0.01
    assert found.t_test_p < 0.01
    assert found.difference.value == pytest.approx(0.02, abs=0.01)


def test_a_comparison_of_equals_finds_nothing():
    values = np.array([0.1, np.nan, 0.3])
    found = compare(values, values, np.random.default_rng(0))
    assert (found.difference.value, found.bootstrap_p, found.t_test_p) == (0.0, 1.0, 1.0)


def test_the_t_test_is_the_textbooks():
    ours, theirs = np.array([0.5, 0.7, 0.2, 0.9]), np.array([0.4, 0.6, 0.3, 0.5])
    expected = stats.ttest_rel(ours, theirs).pvalue
    assert compare(ours, theirs, np.random.default_rng(0)).t_test_p == pytest.approx(expected)


def test_what_cannot_be_compared_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidInputError, match="no value"):
        bootstrap_mean(np.array([np.nan]), rng)
    with pytest.raises(InvalidInputError, match="level must be between 0 and 1, got 95"):
        bootstrap_mean(np.ones(3), rng, level=95)
    with pytest.raises(InvalidInputError, match="same requests"):
        compare(np.ones(3), np.ones(4), rng)
    with pytest.raises(InvalidInputError, match="2 or more requests"):
        compare(np.ones(1), np.ones(1), rng)


def test_deciles_hold_about_equal_numbers_and_never_part_equals():
    sizes = np.repeat(np.arange(1, 101), 2)
    buckets = by_history_size({"ndcg@10": sizes / 100}, sizes)
    assert [b.profiles for b in buckets] == [20] * 10
    assert (buckets[0].smallest, buckets[0].largest, buckets[-1].largest) == (1, 10, 100)
    assert buckets[0].means["ndcg@10"] == pytest.approx(0.055)
    alike = by_history_size({"x": np.ones(7)}, np.full(7, 3))
    assert [(b.smallest, b.largest, b.profiles) for b in alike] == [(3, 3, 7)]
    assert by_history_size({"x": np.ones(0)}, np.empty(0, dtype=np.int64)) == []


def test_next_item_ranks_the_wanted_among_all():
    sessions = Sessions.from_events([1, 1, 1, 2, 2], [0, 1, 2, 3, -1], [0.0, 1, 2, 0, 1])
    requests = Requests(sessions, np.array([1, 2, 4]))
    scores = np.array([[0.9, 0.5, 0.1, 0.5], [0.9, 0.8, 0.7, 0.0], [1.0, 1.0, 1.0, 1.0]])

    def score(asked, rows):
        assert asked is requests
        return scores[rows]

    found = next_item(score, requests, 4, k=2)
    assert found["hr@2"].tolist() == [0, 0, 0]  # a tie for place 2 is 2.5; an unknown is a miss
    found = next_item(score, requests, 4, k=3)
    assert found["hr@3"].tolist() == [1, 1, 0]
    assert found["mrr@3"].tolist() == pytest.approx([1 / 2.5, 1 / 3, 0])
    assert found["ndcg@3"].tolist() == pytest.approx([1 / np.log2(3.5), 0.5, 0])
    alone = next_item(score, requests, 4, k=1, without_past=True)
    assert alone["hr@1"].tolist() == [0, 1, 0]
    assert scores[0, 1] == 0.5  # what the scorer gave is left as it was


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
