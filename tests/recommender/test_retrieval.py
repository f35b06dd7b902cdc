import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from recommender.errors import InvalidInputError
from recommender.retrieval.top_k import top_k
from recommender.retrieval.vector_index import VectorIndex


def test_the_best_come_first_and_ties_go_to_the_lower_item():
    scores, items = top_k(np.array([[1.0, 3.0, 3.0, 2.0, 3.0]]), 3)
    assert items.tolist() == [[1, 2, 4]]
    assert scores.tolist() == [[3.0, 3.0, 3.0]]
    assert top_k(np.zeros((1, 6)), 2)[1].tolist() == [[0, 1]]


def test_excluded_items_give_way_and_too_few_end_in_minus_one():
    exclude = sparse.csr_array(np.array([[0, 1, 0], [1, 1, 0]]))
    before = np.array([[1.0, 9.0, 2.0], [5.0, 6.0, 7.0]])
    scores, items = top_k(before, 2, exclude)
    assert items.tolist() == [[2, 0], [2, -1]]
    assert scores[1].tolist() == [7.0, -np.inf]
    assert before[0, 1] == 9.0


def test_more_than_there_are_gives_all():
    assert top_k(np.array([[1.0, 2.0]]), 9)[1].tolist() == [[1, 0]]


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 30)),
               elements=st.integers(-3, 3).map(float)),
    st.integers(1, 35),
)  # fmt: skip
def test_top_k_is_the_head_of_a_stable_sort(scores, k):
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(top_k(scores, k)[1], expected)


@given(st.integers(0, 1000), st.integers(1, 25))
def test_the_index_agrees_with_a_plain_product_ties_and_all(seed, k):
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (20, 3)).astype(np.float32)
    queries = rng.integers(-2, 3, (4, 3)).astype(np.float32)
    scores, items = VectorIndex(vectors).search(queries, k)
    expected_scores, expected_items = top_k(queries @ vectors.T, k)
    np.testing.assert_array_equal(items, expected_items)
    np.testing.assert_array_equal(scores, expected_scores)


def test_one_vector_gives_one_list():
    scores, items = VectorIndex(np.eye(4)).search(np.array([0.0, 2.0, 0.0, 1.0]), 2)
    assert items.tolist() == [1, 3]
    assert scores.tolist() == [2.0, 1.0]


def test_an_empty_index_and_an_empty_batch_find_nothing():
    assert VectorIndex(np.empty((0, 3))).search(np.ones((2, 3)), 5)[1].shape == (2, 0)
    assert VectorIndex(np.eye(3)).search(np.empty((0, 3)), 2)[1].shape == (0, 2)


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(InvalidInputError, match="k must be a whole number from 1 up, got 0"):
        top_k(np.zeros((1, 2)), 0)
    with pytest.raises(InvalidInputError, match="NaN"):
        top_k(np.array([[np.nan]]), 1)
    with pytest.raises(InvalidInputError, match=r"exclude is \(1, 3\) but the scores \(1, 2\)"):
        top_k(np.zeros((1, 2)), 1, sparse.csr_array((1, 3)))
    with pytest.raises(InvalidInputError, match="finite"):
        VectorIndex(np.array([[np.inf]]))
    with pytest.raises(InvalidInputError, match=r"\(items, embedding\), got \(3,\)"):
        VectorIndex(np.ones(3))
    with pytest.raises(InvalidInputError, match="holds vectors of 3"):
        VectorIndex(np.eye(3)).search(np.ones(2), 1)
    with pytest.raises(InvalidInputError, match="k must be a whole number"):
        VectorIndex(np.eye(3)).search(np.ones(3), 0)
