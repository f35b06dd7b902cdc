"""What every scorer promises, whatever it has learned."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from recommender.artifacts import Provenance
from recommender.data.interactions import Interactions
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.models.ease import Ease, EaseConfig
from recommender.models.ials import Ials, IalsConfig
from recommender.models.popularity import Popularity
from recommender.retrieval.top_k import top_k


@dataclass(frozen=True)
class Case:
    make: Callable[[], Any]
    empty_history_scores_zero: bool = True


CASES = {
    "ials": Case(lambda: Ials(IalsConfig(embedding_size=6, epochs=3))),
    "ials blocked": Case(lambda: Ials(IalsConfig(embedding_size=6, epochs=3, block_size=4))),
    "ease": Case(lambda: Ease(EaseConfig(regularization=10))),
    "ease of some items": Case(lambda: Ease(EaseConfig(regularization=10, max_items=8))),
    "popularity": Case(Popularity, empty_history_scores_zero=False),
}


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request):
    return request.param


@pytest.fixture
def interactions():
    rng = np.random.default_rng(3)
    likes = rng.random((30, 12)) < 0.35
    profiles, items = likes.nonzero()
    return Interactions.from_pairs(profiles + 1000, items * 7 + 50)


def test_scores_have_one_row_a_history_and_one_column_an_item(case, interactions):
    scores = case.make().fit(interactions).score(interactions.matrix[:5])
    assert scores.shape == (5, 12)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_a_batch_scores_as_its_rows_do_alone(case, interactions):
    model = case.make().fit(interactions)
    together = model.score(interactions.matrix[:6])
    for row in range(6):
        alone = model.score(interactions.matrix[row : row + 1])
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-5, atol=1e-6)


def test_an_empty_batch_and_an_empty_history_are_answered(case, interactions):
    model = case.make().fit(interactions)
    assert model.score(sparse.csr_array((0, 12), dtype=np.float32)).shape == (0, 12)
    scores = model.score(sparse.csr_array((1, 12), dtype=np.float32))
    assert np.isfinite(scores).all()
    assert scores.any() != case.empty_history_scores_zero


def test_an_excluded_item_is_never_recommended(case, interactions):
    model = case.make().fit(interactions)
    histories = interactions.matrix[:8]
    _, items = top_k(model.score(histories), 12, exclude=histories)
    for row, recommended in enumerate(items):
        assert not set(recommended) & set(histories[[row]].indices)


def test_the_same_input_gives_the_same_bits(case, interactions):
    first, second = (case.make().fit(interactions).score(interactions.matrix) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_saved_and_loaded_it_scores_the_same(case, interactions, tmp_path):
    model = case.make().fit(interactions)
    model.save(tmp_path / "model", Provenance(data={"profiles": 30}, created_at="2026-01-01"))
    back = type(model).load(tmp_path / "model")
    assert back.config == model.config
    np.testing.assert_array_equal(back.items.ids, interactions.items.ids)
    np.testing.assert_array_equal(back.score(interactions.matrix), model.score(interactions.matrix))
    with pytest.raises(ArtifactError, match="exists already"):
        model.save(tmp_path / "model")


def test_another_models_artifact_is_refused(case, interactions, tmp_path):
    model = case.make().fit(interactions)
    model.save(tmp_path / "model")
    other = Popularity if type(model) is not Popularity else Ease
    with pytest.raises(ArtifactError, match="expected a"):
        other.load(tmp_path / "model")


def test_it_refuses_to_score_before_fit(case, interactions, tmp_path):
    with pytest.raises(NotFittedError, match="call fit"):
        case.make().score(interactions.matrix)
    with pytest.raises(NotFittedError, match="call fit"):
        case.make().save(tmp_path / "model")


def test_a_history_over_other_items_is_refused(case, interactions):
    model = case.make().fit(interactions)
    with pytest.raises(InvalidInputError, match="columns"):
        model.score(sparse.csr_array((2, 5), dtype=np.float32))
