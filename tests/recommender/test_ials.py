import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender.artifacts import Provenance
from recommender.data.interactions import Interactions
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.models.ials import Ials, IalsConfig, IalsEpochReport
from recommender.solvers import block_newton_torch
from recommender.solvers.block_newton import improve_rows
from recommender.solvers.block_newton_torch import TorchSolver
from recommender.solvers.power_iteration import leading_subspace
from recommender.vocabulary import Vocabulary
from tests.recommender import plain_ials as plain

# U profiles, I items, D embedding


def random_likes(seed: int = 0, profiles: int = 40, items: int = 25, share: float = 0.2):
    X = (np.random.default_rng(seed).random((profiles, items)) < share).astype(np.float32)
    X[0, 0] = 1
    return Interactions.from_matrix(sparse.csr_array(X)), X


def checkerboard(size: int = 50):
    """Even profiles like even items, odd ones odd items; the diagonal is left to be guessed."""
    X = np.fromfunction(lambda u, i: (u + i) % 2 == 0, (size, size)).astype(np.float32)
    np.fill_diagonal(X, 0)
    return Interactions.from_matrix(sparse.csr_array(X))


def test_a_checkerboard_is_completed():
    model = Ials(IalsConfig(embedding_size=2, unobserved_weight=0.1, epochs=20)).fit(checkerboard())
    predicted = model.profile_factors @ model.item_factors.T
    wanted = np.fromfunction(lambda u, i: (u + i) % 2 == 0, predicted.shape)
    assert predicted[wanted].min() > 0.7
    assert np.abs(predicted[~wanted]).max() < 0.1


@pytest.mark.parametrize("block_size", [1, 3, 8, 16, 32, 33, 40])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", [improve_rows, TorchSolver(torch.device("cpu"))])
def test_a_half_step_is_the_plain_twins(solver, block_size, weighted, monkeypatch):
    monkeypatch.setattr(block_newton_torch, "BATCH_FLOATS", 2**18)  # several batches
    _, X = random_likes(3, profiles=30, items=300, share=0.6)  # longer than CHUNK
    rng = np.random.default_rng(1)
    if weighted:
        X = X * rng.random(X.shape, dtype=np.float32)
    X[7] = 0
    W, H = (rng.normal(size=(n, 40)).astype(np.float32) * 0.3 for n in X.shape)
    scale, nu, alpha = 0.05, 0.9, 0.2
    expected = plain.block_half_step(
        X, W.astype(float), H.astype(float), alpha, scale, nu, block_size
    )
    observed_loss = half_step(X, W, H, alpha, scale, nu, block_size, solver)
    np.testing.assert_allclose(W, expected, rtol=2e-3, atol=2e-4)
    assert observed_loss == pytest.approx(plain.losses(X, W, H, alpha, scale, nu)[0], rel=1e-4)


def half_step(X, W, H, alpha, scale, nu, block_size, solver=improve_rows):
    penalty = (scale * (X.sum(1) + alpha * X.shape[1]) ** nu).astype(np.float32)
    gramian = np.float32(alpha) * (H.T @ H)
    observed = sparse.csr_array(X)
    return solver(observed, H, gramian, penalty, W, block_size, 1)


def test_a_block_of_all_dimensions_is_one_exact_half_step():
    _, X = random_likes(4)
    rng = np.random.default_rng(2)
    W, H = (rng.normal(size=(n, 12)).astype(np.float32) for n in X.shape)
    expected = plain.exact_half_step(X, H.astype(float), 0.3, 0.02, 1.0)
    half_step(X, W, H, 0.3, 0.02, 1.0, block_size=12)
    np.testing.assert_allclose(W, expected, rtol=1e-3, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    block_size=st.integers(1, 9),
    alpha=st.floats(0.001, 2),
    scale=st.floats(0.001, 1),
    nu=st.floats(0, 1.5),
)
def test_the_loss_never_rises_in_a_half_step(seed, block_size, alpha, scale, nu):
    _, X = random_likes(seed, profiles=15, items=12)
    rng = np.random.default_rng(seed)
    W, H = (rng.normal(size=(n, 9)).astype(np.float32) for n in X.shape)
    W[X.sum(1) == 0] = 0
    before = sum(plain.losses(X, W.astype(float), H.astype(float), alpha, scale, nu))
    half_step(X, W, H, alpha, scale, nu, block_size)
    after = sum(plain.losses(X, W.astype(float), H.astype(float), alpha, scale, nu))
    assert after <= before * (1 + 1e-5)


@pytest.mark.parametrize("block_size", [None, 1, 4])
def test_exact_and_blocked_solvers_end_at_the_same_loss(block_size):
    interactions, _ = random_likes(5)
    config = IalsConfig(embedding_size=8, epochs=150, block_size=block_size, regularization=0.02)
    assert last_report(interactions, config).loss == pytest.approx(
        last_report(interactions, IalsConfig(8, 150, regularization=0.02)).loss, rel=5e-3
    )


def last_report(interactions, config):
    reports: list[IalsEpochReport] = []
    Ials(config).fit(interactions, reports.append)
    assert [r.epoch for r in reports] == list(range(1, config.epochs + 1))
    return reports[-1]


def test_a_fit_is_the_plain_twins():
    interactions, X = random_likes(6)
    alpha, nu, reg = 0.2, 0.8, 0.01
    config = IalsConfig(5, 3, alpha, reg, nu, seed=9)
    start = Ials(config)
    start._start(interactions.matrix, interactions.matrix.T.tocsr(), None)
    W, H = start.profile_factors.astype(float), start.item_factors.astype(float)
    scale = plain.scale_from_reference(X, alpha, reg, nu)
    for _ in range(3):
        W = plain.exact_half_step(X, H, alpha, scale, nu)
        H = plain.exact_half_step(X.T, W, alpha, scale, nu)
    reports: list[IalsEpochReport] = []
    model = Ials(config).fit(interactions, reports.append)
    assert model.scale == pytest.approx(scale)
    np.testing.assert_allclose(model.profile_factors, W, rtol=1e-2, atol=2e-3)
    np.testing.assert_allclose(model.item_factors, H, rtol=1e-2, atol=2e-3)
    expected = plain.losses(X, W, H, alpha, scale, nu)
    last = reports[-1]
    found = (last.observed_loss, last.unobserved_loss, last.regularization)
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_fit_on_torch_is_a_fit():
    interactions, _ = random_likes(6)
    config = IalsConfig(16, 4, block_size=8)
    ours = Ials(config).fit(interactions)
    on_torch = Ials(config).fit(interactions, solver=TorchSolver(torch.device("cpu")))
    np.testing.assert_allclose(on_torch.item_factors, ours.item_factors, rtol=1e-2, atol=1e-3)


def test_the_scale_at_the_reference_exponent_is_the_regularization():
    interactions, _ = random_likes()
    assert Ials(IalsConfig(4, 1, regularization=0.07)).fit(interactions).scale == pytest.approx(
        0.07
    )


def test_folding_in_a_training_profile_returns_its_row_at_convergence():
    interactions, _ = random_likes(7)
    model = Ials(IalsConfig(embedding_size=6, epochs=300, regularization=0.02)).fit(interactions)
    folded = model.fold_in(interactions.matrix)
    np.testing.assert_allclose(folded, model.profile_factors, atol=2e-3)


def test_fold_in_follows_the_closed_form_with_weights():
    interactions, X = random_likes(8)
    config = IalsConfig(6, 2, 0.3, 0.01, 0.7)
    model = Ials(config).fit(interactions)
    history = X[:3] * np.array([[1.0], [0.5], [0.0]], dtype=np.float32)
    expected = plain.exact_half_step(
        history, model.item_factors.astype(float), 0.3, model.scale, 0.7
    )
    np.testing.assert_allclose(
        model.fold_in(sparse.csr_array(history)), expected, rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("block_size", [None, 5])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(block_size):
    interactions, _ = random_likes(9, profiles=200)
    fits = [
        Ials(IalsConfig(16, 3, block_size=block_size, seed=4, num_threads=threads)).fit(
            interactions
        )
        for threads in (1, 1, 2, 3)
    ]
    for fit in fits[1:]:
        np.testing.assert_array_equal(fit.item_factors, fits[0].item_factors)
        np.testing.assert_array_equal(fit.profile_factors, fits[0].profile_factors)


def test_a_power_start_spans_the_leading_directions():
    _, X = random_likes(profiles=60, items=12, share=0.4)
    users, items = X.sum(axis=1), X.sum(axis=0)
    A = X / np.sqrt(np.maximum(users, 1))[:, None] / np.sqrt(np.maximum(items, 1))
    leading = np.linalg.svd(A)[2][:3].T  # (I, 3)
    sparse_x = sparse.csr_array(X)
    start = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
    found = leading_subspace(sparse_x, sparse_x.T.tocsr(), start, 60, 1)
    basis = found / np.linalg.norm(found, axis=0)
    assert np.linalg.svd(leading.T @ basis)[1] == pytest.approx([1, 1, 1], abs=1e-3)
    assert np.mean(found**2) == pytest.approx(np.mean(start**2), rel=1e-4)
    again = leading_subspace(sparse_x, sparse_x.T.tocsr(), start, 60, 3)
    assert np.array_equal(again, found)


def test_a_power_start_is_nearer_the_end_and_is_made_once():
    interactions, _ = random_likes(profiles=200, items=60)
    config = IalsConfig(embedding_size=8, epochs=2, num_threads=1, init_stdev=0.5)
    reports: dict[int, list[IalsEpochReport]] = {0: [], 2: []}
    for iterations, seen in reports.items():
        Ials(replace(config, power_iterations=iterations)).fit(interactions, seen.append)
    assert reports[2][0].loss < reports[0][0].loss


def test_a_power_start_allows_more_dimensions_than_items():
    interactions, _ = random_likes(profiles=30, items=6)
    config = IalsConfig(embedding_size=9, epochs=2, power_iterations=2, num_threads=1)
    assert np.isfinite(Ials(config).fit(interactions).item_factors).all()


def test_a_warm_start_keeps_what_is_known_and_takes_in_what_is_new():
    old = Interactions.from_pairs([1, 1, 2, 2, 3], [10, 20, 10, 30, 20])
    new = Interactions.from_pairs([1, 1, 2, 2, 3, 4], [10, 20, 10, 30, 20, 40])
    first = Ials(IalsConfig(3, 5, seed=1)).fit(old)
    warmed = Ials(IalsConfig(3, 5, seed=2))
    warmed.profiles, warmed.items = new.profiles, new.items
    warmed._start(new.matrix, new.matrix.T.tocsr(), first)
    np.testing.assert_array_equal(warmed.item_factors[:3], first.item_factors)
    np.testing.assert_array_equal(warmed.profile_factors[:3], first.profile_factors)
    assert warmed.item_factors[3].any()
    fitted = Ials(IalsConfig(3, 5, seed=2)).fit(new, warm_start=first)
    assert fitted.item_factors.shape == (4, 3)


def test_a_warm_start_begins_nearer_the_end():
    interactions, _ = random_likes(10)
    config = IalsConfig(8, 30)
    first = Ials(config).fit(interactions)
    cold, warm = [], []
    Ials(config).fit(interactions, cold.append)
    Ials(config).fit(interactions, warm.append, warm_start=first)
    assert warm[0].loss < cold[0].loss
    assert warm[0].loss <= cold[-1].loss * 1.001


def test_a_warm_start_of_another_size_is_refused():
    interactions, _ = random_likes()
    other = Ials(IalsConfig(4, 1)).fit(interactions)
    with pytest.raises(InvalidInputError, match="same embedding_size, got 4 for 5"):
        Ials(IalsConfig(5, 1)).fit(interactions, warm_start=other)


def test_it_stops_early_and_keeps_the_best_epoch():
    interactions, _ = random_likes()
    values = iter([0.1, 0.3, 0.2, 0.25, 0.9])
    kept = []

    def validation(model):
        kept.append(model.item_factors.copy())
        return next(values)

    reports: list[IalsEpochReport] = []
    model = Ials(IalsConfig(4, 5, patience=2)).fit(interactions, reports.append, validation)
    assert [r.validation for r in reports] == [0.1, 0.3, 0.2, 0.25]
    np.testing.assert_array_equal(model.item_factors, kept[1])


def test_training_stops_between_two_epochs_when_asked():
    interactions = Interactions.from_matrix(sparse.csr_array(np.eye(4, dtype=np.float32)))
    reports: list[IalsEpochReport] = []
    stopped = Ials(IalsConfig(2, 9)).fit(
        interactions, reports.append, should_stop=lambda: len(reports) == 3
    )
    assert len(reports) == 3
    short = Ials(IalsConfig(2, 3)).fit(interactions)
    np.testing.assert_array_equal(stopped.item_factors, short.item_factors)


def test_profiles_and_items_with_nothing_get_zeros():
    X = np.zeros((3, 4), dtype=np.float32)
    X[0, 1] = X[2, 1] = X[2, 2] = 1
    model = Ials(IalsConfig(2, 4)).fit(Interactions.from_matrix(sparse.csr_array(X)))
    assert not model.profile_factors[1].any()
    assert not model.item_factors[0].any()
    assert model.profile_factors[2].any()
    assert not model.fold_in(sparse.csr_array(np.zeros((1, 4), dtype=np.float32))).any()


def test_more_dimensions_than_items_are_allowed():
    interactions, _ = random_likes(profiles=5, items=4)
    model = Ials(IalsConfig(32, 5)).fit(interactions)
    assert np.isfinite(model.score(interactions.matrix)).all()


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 3)])
def test_an_empty_matrix_is_refused(shape):
    empty = Interactions(
        Vocabulary(np.arange(shape[0])),
        Vocabulary(np.arange(shape[1])),
        sparse.csr_array(shape, dtype=np.float32),
    )
    with pytest.raises(InvalidInputError, match="nothing to learn from"):
        Ials().fit(empty)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_weights_that_mean_nothing_are_refused(wrong):
    interactions, _ = random_likes()
    model = Ials(IalsConfig(4, 1)).fit(interactions)
    interactions.matrix.data[3] = wrong
    with pytest.raises(InvalidInputError, match=f"0 or more and finite, got {wrong}"):
        Ials(IalsConfig(4, 1)).fit(interactions)
    with pytest.raises(InvalidInputError, match=f"got {wrong}"):
        model.fold_in(interactions.matrix)


def test_histories_over_other_items_are_refused():
    interactions, _ = random_likes()
    model = Ials(IalsConfig(4, 1)).fit(interactions)
    with pytest.raises(InvalidInputError, match="needs 25 columns as in training, got 3"):
        model.fold_in(sparse.csr_array(np.zeros((1, 3), dtype=np.float32)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"embedding_size": 0}, "embedding_size must be a whole number from 1 up, got 0"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"unobserved_weight": 0}, "unobserved_weight must be positive and finite, got 0"),
        ({"regularization": float("nan")}, "regularization must be positive and finite, got nan"),
        ({"regularization_exponent": -1}, "regularization_exponent must be 0 or more and finite"),
        ({"block_size": 65}, "block_size must be at most embedding_size"),
        ({"init_stdev": -0.1}, "init_stdev must be positive"),
        ({"patience": 0}, "patience must be a whole number"),
        ({"power_iterations": -1}, "power_iterations must be a whole number"),
    ],
)
def test_the_config_names_the_bad_value(change, words):
    with pytest.raises(InvalidInputError, match=words):
        IalsConfig(**change)


def test_it_refuses_to_answer_before_fit(tmp_path):
    nothing = sparse.csr_array(np.zeros((1, 3), dtype=np.float32))
    for ask in (
        Ials().score,
        Ials().fold_in,
        lambda _: Ials().save(tmp_path),
    ):
        with pytest.raises(NotFittedError, match="call fit"):
            ask(nothing)


def test_factors_that_are_no_numbers_are_noticed():
    interactions, _ = random_likes()
    model = Ials(IalsConfig(4, 1)).fit(interactions)
    model.set_factors(model.profile_factors, np.full_like(model.item_factors, np.nan))
    with pytest.raises(ArtifactError, match="train it again"):
        model.fold_in(interactions.matrix)


def test_an_artifact_comes_back_whole(tmp_path):
    interactions = Interactions.from_pairs([5, 5, 9], [100, 300, 100])
    model = Ials(IalsConfig(3, 2, block_size=2)).fit(interactions)
    manifest = model.save(
        tmp_path / "ials", Provenance(metrics={"ndcg@100": 0.5}, created_at="2026-01-01")
    )
    assert manifest.metrics == {"ndcg@100": 0.5}
    back = Ials.load(tmp_path / "ials")
    assert back.config == model.config
    assert list(back.items.ids) == [100, 300]
    assert list(back.profiles.ids) == [5, 9]
    np.testing.assert_array_equal(
        back.fold_in(interactions.matrix), model.fold_in(interactions.matrix)
    )


def test_training_logs_its_epochs_and_a_request_logs_nothing(caplog):
    interactions, _ = random_likes()
    with caplog.at_level(logging.INFO, logger="recommender"):
        model = Ials(IalsConfig(embedding_size=4, epochs=2)).fit(
            interactions, validation=lambda _: 0.25
        )
        lines = [record.getMessage() for record in caplog.records]
        model.score(interactions.matrix)
    assert [line.split(":")[0] for line in lines] == ["iALS epoch 1", "iALS epoch 2"]
    assert all(", validation 0.25, " in line for line in lines)
    assert len(caplog.records) == 2


def test_other_items_leave_what_a_trained_history_gives():
    interactions, matrix = random_likes()
    model = Ials(IalsConfig(embedding_size=4, epochs=3)).fit(interactions)
    more = np.vstack([model.item_factors, np.ones((5, 4), dtype=np.float32)])
    wider = model.with_items(Vocabulary(np.arange(30)), more)
    histories = sparse.csr_array(np.hstack([matrix, np.zeros((len(matrix), 5))]))
    assert np.allclose(wider.fold_in(histories), model.fold_in(interactions.matrix), atol=1e-6)
    new = sparse.csr_array(np.eye(1, 30, 29, dtype=np.float32))
    assert wider.fold_in(new) @ more[29] > 0
