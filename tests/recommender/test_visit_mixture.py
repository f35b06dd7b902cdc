"""The mixture's weights: by a slow search for the best ones, by hand, and with few requests."""

import itertools

import numpy as np
import pytest

from recommender.models.visit_mixture import VisitMixture, VisitMixtureConfig, fitted_weights

EXPERTS = ("nothing", "genres", "counts")
STATED = {"nothing": 0.2, "genres": 0.6, "counts": 0.2}


def objective(weights, targets, masses, stated, concentration):
    """The module's formula, a request after the other."""
    value = 0.0
    for target, mass in zip(targets, masses, strict=True):
        value += np.log(target @ weights) - np.log(mass @ weights)
    return value + concentration * sum(s * np.log(w) for s, w in zip(stated, weights, strict=True))


def test_the_weights_are_the_best_of_a_fine_grid():
    """Neither more rounds nor any of 4,950 other weights has a higher objective."""
    rng = np.random.default_rng(1)
    targets = rng.gamma(0.5, size=(60, 3)) + 1e-3
    masses = rng.gamma(2.0, size=(60, 3)) + 0.1
    stated = np.array([0.2, 0.6, 0.2])
    for concentration in (0.5, 20.0):
        config = VisitMixtureConfig(concentration=concentration, rounds=2000)
        ours = fitted_weights(targets, masses, stated, config)
        best = objective(ours, targets, masses, stated, concentration)
        grid = [
            np.array([a, b, 100 - a - b]) / 100
            for a, b in itertools.product(range(1, 99), repeat=2)
            if a + b < 100
        ]
        values = [objective(each, targets, masses, stated, concentration) for each in grid]
        assert best >= max(values) - 1e-9
        assert np.allclose(ours, grid[int(np.argmax(values))], atol=0.011)


def test_no_round_lowers_the_objective():
    rng = np.random.default_rng(2)
    targets, masses = rng.gamma(0.3, size=(40, 3)) + 1e-6, rng.gamma(1.0, size=(40, 3)) + 1e-3
    stated = np.full(3, 1 / 3)
    values = [
        objective(
            fitted_weights(targets, masses, stated, VisitMixtureConfig(1.0, rounds=rounds)),
            targets, masses, stated, 1.0,
        )
        for rounds in range(1, 40)
    ]  # fmt: skip
    assert (np.diff(values) >= -1e-9).all()


def test_no_requests_leave_the_stated_weights():
    nothing = np.empty((0, 3))
    mixture = VisitMixture().fit(EXPERTS, STATED, nothing, nothing, np.empty(0, dtype=np.int64))
    for titles in (0, 1, 2, 3, 50):
        assert mixture.of(titles) == pytest.approx(STATED)


def test_few_requests_change_little_and_many_decide():
    """Every target is found by the counts alone: 10 requests against 100, and 10,000."""

    def weight(requests):
        targets = np.tile([0.0, 0.0, 0.1], (requests, 1))
        titles = np.full(requests, 5)
        fitted = VisitMixture().fit(EXPERTS, STATED, targets, np.ones((requests, 3)), titles)
        return fitted.of(5)["counts"]

    assert STATED["counts"] < weight(10) < 0.4
    assert weight(10_000) > 0.95


def test_an_expert_that_says_nothing_of_a_request_is_not_blamed_for_it():
    """Counts find every target of those that they know, a third of all."""
    targets = np.tile([[0.01, 0.01, 0.0], [0.01, 0.01, 0.0], [0.0, 0.0, 0.1]], (2000, 1))
    masses = (targets > 0) * 1.0
    masses[:, :2] = 1.0
    titles = np.ones(6000, dtype=np.int64)
    config = VisitMixtureConfig(concentration=1.0)
    fitted = VisitMixture(config).fit(EXPERTS, STATED, targets, masses, titles)  # type: ignore[arg-type]
    assert fitted.of(1)["counts"] > 0.95


def test_stages_have_weights_of_their_own():
    """After one title the genres find what is wanted, after three or more the counts."""
    titles = np.repeat([1, 4], 3000)
    targets = np.where(titles[:, None] == 1, [[0.01, 0.1, 0.01]], [[0.01, 0.01, 0.1]])
    mixture = VisitMixture().fit(EXPERTS, STATED, targets, np.ones((6000, 3)), titles)
    assert mixture.of(1)["genres"] > 0.6 > 0.3 > mixture.of(1)["counts"]
    assert mixture.of(9)["counts"] > 0.6 > 0.3 > mixture.of(9)["genres"]
    assert mixture.of(0) == mixture.of(1)


def test_the_artifact_gives_the_same_weights(tmp_path):
    rng = np.random.default_rng(0)
    targets = rng.random((50, 3))
    mixture = VisitMixture().fit(EXPERTS, STATED, targets, np.ones((50, 3)), rng.integers(1, 5, 50))
    mixture.save(tmp_path / "mixture")
    loaded = VisitMixture.load(tmp_path / "mixture")
    assert loaded.experts == EXPERTS
    assert all(loaded.of(n) == mixture.of(n) for n in range(5))
