import numpy as np
import pytest
from scipy import sparse

from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError, TooLargeError
from recommender.models.ease import BYTES_PER_CELL, Ease, EaseConfig
from recommender.models.item_to_item import check_memory


@pytest.fixture
def X():
    return (np.random.default_rng(7).random((40, 6)) < 0.4).astype(np.float32)


def fit(X, **config):
    return Ease(EaseConfig(**config)).fit(Interactions.from_matrix(sparse.csr_array(X)))


def test_weights_equal_a_ridge_regression_of_each_item_on_the_others(X):
    B = fit(X, regularization=3.0).weights
    for j in range(6):
        others = [i for i in range(6) if i != j]
        A = X[:, others].astype(float)
        expected = np.linalg.solve(A.T @ A + 3.0 * np.eye(5), A.T @ X[:, j])
        np.testing.assert_allclose(B[others, j], expected, rtol=1e-4, atol=1e-6)
        assert B[j, j] == 0


def test_inverse_propensity_weighs_profiles_by_a_power_of_their_length(X):
    X[5] = 0
    lengths = X.sum(1)
    weights = np.zeros(40)
    weights[lengths > 0] = lengths[lengths > 0] ** -0.6
    weights /= weights[lengths > 0].mean()
    B = fit(X, regularization=3.0, inverse_propensity=0.6).weights
    j, others = 2, [0, 1, 3, 4, 5]
    A = X[:, others] * np.sqrt(weights)[:, None]
    expected = np.linalg.solve(A.T @ A + 3.0 * np.eye(5), A.T @ (X[:, j] * np.sqrt(weights)))
    np.testing.assert_allclose(B[others, j], expected, rtol=1e-3, atol=1e-5)


def test_no_inverse_propensity_is_plain_ease(X):
    plain = fit(X, regularization=3.0).weights
    np.testing.assert_array_equal(fit(X, regularization=3.0, inverse_propensity=0.0).weights, plain)


def test_only_the_items_with_most_support_are_kept(X):
    X[:, 1] = 0
    X[0, 1] = 1
    X[:, 4] = 0
    model = fit(X, regularization=3.0, max_items=4)
    assert model.kept.tolist() == [0, 2, 3, 5]
    small = fit(X[:, model.kept], regularization=3.0)
    np.testing.assert_allclose(model.weights, small.weights, rtol=1e-6)
    scores = model.score(sparse.csr_array(X))
    assert not scores[:, [1, 4]].any()
    np.testing.assert_allclose(
        scores[:, model.kept], small.score(sparse.csr_array(X[:, model.kept])), rtol=1e-5
    )


def test_a_catalogue_that_would_not_fit_is_refused_in_words(X):
    with pytest.raises(TooLargeError) as refused:
        fit(X, max_bytes=100)
    words = str(refused.value)
    assert "EASE over 6 items needs 144 bytes and 100 are allowed" in words
    assert "raise max_bytes, or set max_items to at most 5" in words
    fit(X, max_bytes=100, max_items=5)


def test_single_precision_in_place_equals_double_precision():
    """600 items, more than a tile, with popular and rare ones; the plain twin inverts in double."""
    rng = np.random.default_rng(3)
    X = (rng.random((900, 600)) < np.geomspace(0.5, 0.005, 600)).astype(np.float32)
    B = fit(X, regularization=50.0).weights
    double = X.astype(np.float64)
    P = np.linalg.inv(double.T @ double + 50.0 * np.eye(600))
    expected = -P / np.diagonal(P)
    np.fill_diagonal(expected, 0.0)
    assert B.dtype == np.float32
    assert np.abs(B - expected).max() <= 1e-5 * np.abs(expected).max()


def test_35_000_titles_fit_in_5_gb_by_default():
    check_memory("EASE", 35_000, BYTES_PER_CELL, EaseConfig().max_bytes)


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(InvalidInputError, match="nothing to learn from"):
        fit(np.zeros((3, 4), dtype=np.float32))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"regularization": -1}, "regularization must be positive and finite, got -1"),
        ({"regularization": float("nan")}, "regularization must be positive and finite, got nan"),
        ({"inverse_propensity": -0.1}, "inverse_propensity must be 0 or more and finite, got -0.1"),
        ({"max_items": 0}, "max_items must be a whole number from 1 up, got 0"),
    ],
)
def test_the_config_names_the_bad_value(change, words):
    with pytest.raises(InvalidInputError, match=words):
        EaseConfig(**change)


@pytest.mark.parametrize("wrong", [np.nan, -1.0])
def test_weights_that_mean_nothing_are_refused(X, wrong):
    X[0, 0] = wrong
    with pytest.raises(InvalidInputError, match=f"got {wrong}"):
        fit(X)
