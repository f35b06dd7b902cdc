"""The kernels below the models, each against its plain numpy twin."""

import itertools

import numpy as np
import pytest
from scipy import sparse

from recommender.solvers.compiled import available_cores, in_stripes
from recommender.solvers.gram import upper_gram
from recommender.solvers.power_iteration import leading_subspace

# U profiles, I items


def likes(seed, profiles=30, items=12, share=0.3):
    rng = np.random.default_rng(seed)
    dense = (rng.random((profiles, items)) < share) * rng.integers(1, 4, (profiles, items))
    return sparse.csr_array(dense.astype(np.float32))


@pytest.mark.parametrize("num_threads", [1, 3, None])
def test_the_gram_matrix_is_the_weighted_product_above_the_diagonal(num_threads):
    x = likes(0)
    weights = np.random.default_rng(1).random(x.shape[0])
    expected = np.triu(x.toarray().T @ (x.toarray() * weights[:, None]))
    np.testing.assert_allclose(upper_gram(x, weights, num_threads), expected, rtol=1e-12)


def test_the_gram_matrix_of_nothing_is_zero():
    assert not upper_gram(sparse.csr_array(np.zeros((4, 3), np.float32)), np.ones(4)).any()


@pytest.mark.parametrize("num_threads", [1, 4])
def test_stripes_cover_every_row_once_and_answer_in_order(num_threads):
    work = np.concatenate([[0], np.cumsum(np.random.default_rng(2).integers(0, 50, 200))])
    stripes = []

    def note(start, stop):
        stripes.append((start, stop))
        return float(start)

    answers = in_stripes(note, work, num_threads)
    stripes.sort()
    assert stripes[0][0] == 0
    assert stripes[-1][1] == 200
    assert all(one[1] == next_one[0] for one, next_one in itertools.pairwise(stripes))
    assert answers == sorted(answers)
    assert available_cores() >= 1


def test_power_iteration_finds_the_leading_singular_directions():
    x = likes(3, profiles=60, items=20)
    dense = x.toarray().astype(np.float64)
    scaled = dense / np.sqrt(dense.sum(1, keepdims=True)) / np.sqrt(dense.sum(0))
    leading = np.linalg.svd(scaled).Vh[:2].T  # (I, 2)
    start = np.random.default_rng(4).normal(size=(20, 2)).astype(np.float32)
    turned = leading_subspace(x, x.T.tocsr(), start, 200, 1)
    basis, _ = np.linalg.qr(turned)
    np.testing.assert_allclose(basis @ basis.T, leading @ leading.T, atol=1e-3)
    assert np.mean(turned**2) == pytest.approx(np.mean(start**2), rel=1e-4)
