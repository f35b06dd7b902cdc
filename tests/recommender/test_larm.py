from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError, TooLargeError
from recommender.evaluation import metrics
from recommender.models.ease import Ease, EaseConfig, solve
from recommender.models.larm import Larm, LarmConfig, _Adversary, _Gradient, _Rows

RNG = np.random.default_rng(8)
X = (RNG.random((60, 20)) < RNG.uniform(0.1, 0.5, 20)).astype(np.float32)
X[np.flatnonzero(~X.any(axis=1)), 0] = 1
SPARSE = sparse.csr_array(X)
INTERACTIONS = Interactions.from_matrix(SPARSE)
CONFIG = LarmConfig(regularization=6, rounds=4, patience=None, batch_profiles=32)


def larm(interactions=INTERACTIONS, **changes):
    return Larm(replace(CONFIG, **changes)).fit(interactions)


def apart(a, b):
    a, b = (model.score(SPARSE) for model in (a, b))
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def two_worlds():
    """80 who like most of the same 20 items, then 30 who like 12 of the others at random.

    To have learned the latter by heart is easy; which of the 20 someone left out is not.
    """
    rng = np.random.default_rng(0)
    noisy, easy = np.zeros((80, 400), np.float32), np.zeros((30, 400), np.float32)
    noisy[:, :20] = rng.random((80, 20)) < 0.8
    for row in easy:
        row[rng.choice(np.arange(20, 400), 12, replace=False)] = 1
    return sparse.csr_array(np.concatenate([noisy, easy]))


def test_without_an_adversary_it_is_ease():
    ease = Ease(EaseConfig(regularization=6)).fit(INTERACTIONS)
    np.testing.assert_array_equal(larm(adversary="none").weights, ease.weights)


def test_gradient_steps_come_to_ease_once_the_factor_of_two_is_accounted_for():
    steps = {"adversary": "none", "solver": "gradient", "batch_profiles": 60}
    learned = larm(rounds=4000, learning_rate=0.01, **steps)
    assert apart(learned, Ease(EaseConfig(regularization=6)).fit(INTERACTIONS)) < 1e-3
    assert apart(learned, Ease(EaseConfig(regularization=3)).fit(INTERACTIONS)) > 1e-2


def test_gradient_steps_come_to_the_same_game_as_exact_answers():
    exact = larm(rounds=100, adversary_steps=40, adversary_penalty=0.02)
    steps = larm(
        solver="gradient", batch_profiles=60, rounds=3000, learning_rate=0.01,
        adversary_penalty=0.02,
    )  # fmt: skip
    alone = larm(adversary="none")
    assert apart(exact, alone) > 0.1
    assert apart(steps, exact) < 0.3 * apart(exact, alone)


def test_a_step_follows_the_gradient_of_the_objective_as_written():
    config = replace(CONFIG, solver="gradient", batch_profiles=60)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        game = _Gradient(SPARSE, config)
    weights = game._weights.clone().requires_grad_()
    x, shares = torch.from_numpy(X), torch.rand(60)
    off_diagonal = weights * (1 - torch.eye(20))
    penalty = 2 * 6 / 60
    objective = (shares * (x - x @ off_diagonal).square().sum(1)).sum()
    objective = objective + penalty / 2 * off_diagonal.square().sum()
    torch.autograd.backward(objective)
    batch = _Rows.of(SPARSE)
    with torch.no_grad():
        error = batch.minus_history(batch @ game._weights) * shares[:, None]
        game._step(batch, error, penalty)
    torch.testing.assert_close(game._weights.grad, weights.grad, atol=1e-5, rtol=1e-4)
    assert not game._weights.diagonal().any()


def test_the_exact_answer_is_the_least_of_the_weighted_objective():
    shares = np.random.default_rng(1).uniform(0.1, 3, 60)
    best = solve(SPARSE, shares, 6.0).astype(np.float64)

    def objective(weights):
        return shares @ ((X - X @ weights) ** 2).sum(axis=1) + 6 * (weights**2).sum()

    assert not best.diagonal().any()
    rng = np.random.default_rng(0)
    for _ in range(20):
        i, j = rng.choice(20, 2, replace=False)
        for move in (0.01, -0.01):
            moved = best.copy()
            moved[i, j] += move
            assert objective(moved) > objective(best)


@pytest.mark.parametrize("hidden", [None, 4])
def test_the_adversary_is_what_the_paper_says(hidden):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        adversary = _Adversary(20, replace(CONFIG, hidden_units=hidden, adversary_penalty=0.3))
    inner = adversary.inner.detach().numpy()
    if hidden is None:
        strength, size = sigmoid(X @ inner)[:, 0], (inner**2).sum()
    else:
        outer = adversary.outer.detach().numpy()
        strength = sigmoid(np.tanh(X @ inner) @ outer)[:, 0]
        size = (inner**2).sum() + (outer**2).sum()
    shares = adversary.shares(_Rows.of(SPARSE)).detach().numpy()
    np.testing.assert_allclose(shares, strength / strength.sum(), rtol=1e-5)
    losses = np.linspace(0, 5, 60, dtype=np.float32)
    objective = adversary.objective(_Rows.of(SPARSE), torch.from_numpy(losses)).item()
    assert objective == pytest.approx(shares @ losses - 0.3 * 20 / 2 * size, rel=1e-5)


@pytest.mark.parametrize("num_items", [20, 130])
def test_the_adversarys_ndcg_is_that_of_the_own_items_at_100(num_items):
    rng = np.random.default_rng(5)
    own = sparse.csr_array((rng.random((9, num_items)) < 0.4).astype(np.float32))
    scores = rng.standard_normal((9, num_items)).astype(np.float32)
    order = np.argsort(-scores, axis=1)[:, :100]
    expected = metrics.ndcg(metrics.hits(order, own), np.diff(own.indptr), min(100, num_items))
    found = _Rows.of(own).ndcg(torch.from_numpy(scores)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_by_rank_those_served_badly_are_raised():
    rows = two_worlds()
    interactions = Interactions.from_matrix(rows)
    ease = Ease(EaseConfig(regularization=6)).fit(interactions)
    served = _Rows.of(rows).ndcg(torch.from_numpy(ease.score(rows))).numpy()
    assert served[:80].mean() < served[80:].mean() - 0.02
    weights = larm(interactions, adversary_penalty=0.05, rounds=8).profile_weights
    assert weights[:80].mean() > 1.03
    assert weights[80:].mean() < 0.9


def test_by_squared_error_those_with_much_history_are_raised():
    sizes = np.diff(SPARSE.indptr)
    few, many = sizes <= np.quantile(sizes, 0.3), sizes >= np.quantile(sizes, 0.7)
    direct = larm(adversary="direct", adversary_penalty=0.001, rounds=15).profile_weights
    assert direct[many].mean() > 1.03 > 0.97 > direct[few].mean()


@pytest.mark.parametrize("solver", ["closed_form", "gradient"])
def test_the_same_seed_plays_the_same_game(solver):
    first, second, other = (larm(solver=solver, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.weights, second.weights)
    assert (first.weights != other.weights).any()


@pytest.mark.parametrize("solver", ["closed_form", "gradient"])
def test_profiles_weigh_1_on_average_and_nothing_where_they_have_nothing(solver):
    with_empty = sparse.csr_array(np.concatenate([X, np.zeros((3, 20), np.float32)]))
    weights = larm(Interactions.from_matrix(with_empty), solver=solver).profile_weights
    assert not weights[60:].any()
    assert weights[:60].mean() == pytest.approx(1, rel=1e-4)
    assert weights[:60].min() > 0


def test_the_best_round_is_kept_and_patience_ends_the_game():
    values, told = iter([0.1, 0.9, 0.3, 0.2, 0.8]), []
    model = Larm(replace(CONFIG, rounds=10, patience=2))
    model.fit(INTERACTIONS, told.append, lambda m: next(values))
    assert [report.epoch for report in told] == [1, 2, 3, 4]
    np.testing.assert_array_equal(model.weights, larm(rounds=2).weights)
    assert told[0].effective_share == 1
    assert told[-1].effective_share < 1


def test_weights_that_are_not_one_are_learned_from():
    doubled = Interactions.from_matrix(sparse.csr_array(X * 2))
    ease = Ease(EaseConfig(regularization=6)).fit(doubled)
    for solver in ("closed_form", "gradient"):
        assert np.isfinite(larm(doubled, solver=solver).weights).all()
    np.testing.assert_array_equal(larm(doubled, adversary="none").weights, ease.weights)


def test_only_the_items_with_the_most_interactions_keep_weights():
    model = larm(max_items=7)
    assert model.weights.shape == (7, 7)
    counts = X.sum(axis=0)
    assert counts[model.kept].min() >= np.delete(counts, model.kept).max()
    assert not model.score(SPARSE)[:, np.setdiff1d(np.arange(20), model.kept)].any()


def test_it_comes_back_from_disk(tmp_path):
    model = larm()
    model.save(tmp_path / "larm")
    again = Larm.load(tmp_path / "larm")
    assert again.config == model.config
    np.testing.assert_array_equal(again.score(SPARSE), model.score(SPARSE))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"adversary": "foe"}, "adversary must be one of none, direct, rank, got 'foe'"),
        ({"solver": "luck"}, "solver must be one of"),
        ({"hidden_units": 0}, "hidden_units must be a whole number from 1 up, got 0"),
        ({"rounds": 0}, "rounds must be"),
        ({"regularization": 0.0}, "regularization must be positive and finite, got 0"),
        ({"adversary_penalty": float("nan")}, "adversary_penalty must be positive"),
        ({"learning_rate": float("inf")}, "learning_rate must be positive"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(InvalidInputError, match=words):
        replace(CONFIG, **changes)


@pytest.mark.parametrize("solver", ["closed_form", "gradient"])
def test_what_does_not_fit_is_refused_before_it_starts(solver):
    with pytest.raises(TooLargeError, match="LARM over 20 items needs"):
        larm(solver=solver, max_bytes=1000)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.zeros((3, 4)), "nothing to learn from"),
        (np.array([[1.0, np.nan], [1.0, 1.0]]), "every weight must be 0 or more"),
        (np.array([[1.0, -1.0], [1.0, 1.0]]), "every weight must be 0 or more"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(matrix, words):
    interactions = Interactions.from_matrix(sparse.csr_array(matrix.astype(np.float32)))
    with pytest.raises(InvalidInputError, match=words):
        larm(interactions)
