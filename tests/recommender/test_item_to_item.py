import numpy as np
import pytest
from scipy import sparse

from recommender.data.interactions import Interactions
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.models.ease import Ease, EaseConfig
from recommender.models.item_to_item import Neighbours
from recommender.vocabulary import Vocabulary

X = (np.random.default_rng(4).random((50, 14)) < 0.3).astype(np.float32)
HISTORIES = sparse.csr_array(X[:6])


def fitted(**config):
    return Ease(EaseConfig(regularization=3, **config)).fit(
        Interactions.from_matrix(sparse.csr_array(X))
    )


@pytest.mark.parametrize("size", [13, 14, 100])
def test_lists_of_all_neighbours_score_as_the_dense_weights_do(size):
    ease = fitted()
    np.testing.assert_allclose(
        ease.neighbours(size).score(HISTORIES), ease.score(HISTORIES), atol=1e-6
    )


def test_the_strongest_weights_towards_each_item_are_kept():
    ease = fitted()
    lists = ease.neighbours(4)
    kept = np.stack([lists.of(item) for item in range(14)])
    for item in range(14):
        column = ease.weights[:, item]
        strongest = np.sort(np.argsort(-np.abs(column), kind="stable")[:4])
        assert np.flatnonzero(kept[:, item]).tolist() == strongest.tolist()
        np.testing.assert_array_equal(kept[strongest, item], column[strongest])


def test_items_that_were_not_kept_have_no_neighbours_and_score_nothing():
    ease = fitted(max_items=9)
    lists = ease.neighbours(5)
    left_out = np.setdiff1d(np.arange(14), ease.kept)
    assert not lists.score(HISTORIES)[:, left_out].any()
    assert not any(lists.of(item).any() for item in left_out)
    np.testing.assert_allclose(
        ease.neighbours(9).score(HISTORIES), ease.score(HISTORIES), atol=1e-6
    )


def test_lists_are_the_same_after_a_round_trip(tmp_path):
    ease = fitted()
    lists = ease.neighbours(5)
    lists.save(tmp_path / "lists", "ease", ease.config)
    again = Neighbours.load(tmp_path / "lists", "ease")
    np.testing.assert_array_equal(again.score(HISTORIES), lists.score(HISTORIES))
    with pytest.raises(ArtifactError, match="expected a larm-neighbours"):
        Neighbours.load(tmp_path / "lists", "larm")


def test_lists_move_to_another_vocabulary_without_what_it_does_not_know():
    ease = fitted()
    lists = ease.neighbours(14)
    ids = np.array([3, 99, 5, 8])
    moved = lists.over(Vocabulary(ids), np.ones(len(ids), dtype=bool))
    places = np.searchsorted(np.sort(ids), [3, 5, 8])
    expected = ease.weights[np.ix_([3, 5, 8], [3, 5, 8])]
    found = np.stack([moved.of(place)[places] for place in places])
    np.testing.assert_array_equal(found, expected)
    stranger = int(np.searchsorted(np.sort(ids), 99))
    assert not moved.of(stranger).any()


def test_what_cannot_be_asked_is_refused_in_words():
    with pytest.raises(NotFittedError, match="Ease has no weights"):
        Ease().neighbours(3)
    with pytest.raises(InvalidInputError, match="1 neighbour or more, got 0"):
        fitted().neighbours(0)
    with pytest.raises(InvalidInputError, match="each history needs 14 columns, got 3"):
        fitted().neighbours(2).score(sparse.csr_array((1, 3), dtype=np.float32))
