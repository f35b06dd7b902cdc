"""Content vectors on planted data: titles of a genre lie together, liked or not."""

import json
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.arrays import unit_rows
from recommender.artifacts import load_artifact
from recommender.data.catalogue import Catalogue
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.models.content_vectors import (
    CHOSEN_ON,
    ContentVectors,
    ContentVectorsConfig,
    _hats,
    _quantiles,
    _row_products,
    ridge,
)
from recommender.vocabulary import Vocabulary

COUNT = 60
RATED = 48
DIRECTIONS = np.eye(3, 8, dtype=np.float32)


def planted(count: int = COUNT, genre_ids: tuple[int, ...] = (7, 8, 9)) -> Catalogue:
    """Titles of three genres in turn, two people a genre, made in two countries."""
    genres = np.eye(3, dtype=np.float32)[np.arange(count) % 3]
    people = np.eye(6, dtype=np.float32)[np.arange(count) % 6]
    facts = np.eye(2, dtype=np.float32)[np.arange(count) % 2]
    return Catalogue(
        Vocabulary(100 + np.arange(count)),
        sparse.csr_array(genres),
        np.array(genre_ids),
        np.zeros(count),
        np.zeros(count, dtype=np.float32),
        1980 + np.arange(count) % 4,
        np.zeros(count, dtype=np.int64),
        sparse.csr_array(people),
        np.arange(50, 56),
        np.ones(count, dtype=bool),
        sparse.csr_array(facts),
        ("country:France", "country:Japan"),
    )


@pytest.fixture(scope="module")
def factors():
    """(RATED, 8) vectors near the direction of each title's genre."""
    noise = np.random.default_rng(3).normal(0, 0.1, (RATED, 8)).astype(np.float32)
    return DIRECTIONS[np.arange(RATED) % 3] + noise


@pytest.fixture(scope="module")
def model(factors):
    support = np.full(RATED, 20, dtype=np.float32)
    return ContentVectors().fit(planted(), Vocabulary(100 + np.arange(RATED)), factors, support)


def nearest_genre(vectors):
    return (unit_rows(vectors) @ DIRECTIONS.T).argmax(axis=1)


def test_titles_without_likes_lie_with_their_genre(model):
    placed = model.place(planted())[RATED:]
    assert np.array_equal(nearest_genre(placed), np.arange(RATED, COUNT) % 3)
    assert ((unit_rows(placed) @ DIRECTIONS.T).max(axis=1) > 0.9).all()


def test_a_title_that_is_new_in_the_catalogue_is_placed_without_training(model):
    later = planted(COUNT + 9)
    assert np.allclose(model.place(later)[:COUNT], model.place(planted()), atol=1e-5)
    assert np.array_equal(
        nearest_genre(model.place(later))[COUNT:], np.arange(COUNT, COUNT + 9) % 3
    )


def test_an_edited_title_moves(model):
    before = planted()
    genres = before.genres.toarray()
    genres[50] = [0, 1, 0]
    after = replace(before, genres=sparse.csr_array(genres), people=sparse.csr_array(before.people))
    moved = model.place(after)[50] @ DIRECTIONS[1] - model.place(before)[50] @ DIRECTIONS[1]
    assert moved > 0.2


def test_features_keep_their_names_when_columns_move(model):
    """A genre that comes in front of the others moves their columns, not their weights."""
    before = planted()
    first = np.zeros((COUNT, 1), dtype=np.float32)
    moved = replace(
        before,
        genres=sparse.csr_array(np.hstack([first, before.genres.toarray()])),
        genre_ids=np.array([1, 7, 8, 9]),
        facts=sparse.csr_array(np.hstack([first, before.facts.toarray()])),
        fact_names=("country:Chad", *before.fact_names),
    )
    assert np.allclose(model.place(moved), model.place(before), atol=1e-6)


def test_a_title_of_which_more_is_known_may_lie_further_out():
    """Titles with two people are twice as well liked here: an unrated one with two is, too."""
    catalogue = planted()
    people = np.tile([1.0, 0.0], (COUNT, 3)).astype(np.float32)
    people[1::2] = [1, 1, 1, 1, 1, 1]
    many = replace(catalogue, people=sparse.csr_array(people))
    own = np.ones((RATED, 8), dtype=np.float32) * (1 + np.arange(RATED) % 2)[:, None]
    model = ContentVectors().fit(
        many, Vocabulary(100 + np.arange(RATED)), own, np.full(RATED, 9, dtype=np.float32)
    )
    lengths = np.linalg.norm(model.place(many)[RATED:], axis=1)
    assert lengths[1::2].min() > 1.3 * lengths[::2].max()


def test_support_decides_between_likers_and_content(model):
    """κ = 10: with ten likes half and half, with none the content's, damped to .75."""
    model = copy(model)
    model.config = ContentVectorsConfig(shrinkage=10, damping=0.75)
    own = np.ones((COUNT, 8), dtype=np.float32)
    own[2] = 0
    support = np.zeros(COUNT, dtype=np.float32)
    support[:3] = [10, 1e6, 50]
    predicted = 0.75 * model.place(planted())
    vectors = model.vectors(planted(), own, support)
    assert np.allclose(vectors[0], (1 + predicted[0]) / 2, atol=1e-5)
    assert np.allclose(vectors[1], 1, atol=1e-3)
    assert np.allclose(vectors[2], predicted[2], atol=1e-6), "no vector of its own"
    assert np.allclose(vectors[3], predicted[3], atol=1e-6), "nobody likes it"


def test_saved_and_loaded_it_places_titles_alike(model, tmp_path):
    manifest = model.save(tmp_path / "content_vectors")
    loaded = ContentVectors.load(tmp_path / "content_vectors")
    assert manifest.model == "content_vectors"
    assert loaded.config == model.config
    assert loaded.fact_names == model.fact_names
    assert np.array_equal(loaded.place(planted()), model.place(planted()))


def test_before_training_it_places_nothing(tmp_path):
    with pytest.raises(NotFittedError):
        ContentVectors().place(planted())
    with pytest.raises(NotFittedError):
        ContentVectors().save(tmp_path / "content_vectors")


def test_a_broken_artifact_is_refused(model, tmp_path):
    model.save(tmp_path / "content_vectors")
    (tmp_path / "content_vectors" / "arrays.safetensors").write_bytes(b"?")
    with pytest.raises(ArtifactError):
        ContentVectors.load(tmp_path / "content_vectors")


def test_items_that_the_catalogue_lacks_teach_nothing(factors):
    support = np.ones(RATED, dtype=np.float32)
    with pytest.raises(InvalidInputError, match="no available title"):
        ContentVectors().fit(planted(), Vocabulary(9000 + np.arange(RATED)), factors, support)


def test_settings_out_of_bounds_are_refused():
    for wrong in ({"regularization": 0}, {"damping": 1.5}, {"shrinkage": -1}, {"min_titles": 0}):
        with pytest.raises(InvalidInputError):
            ContentVectorsConfig(**wrong)


def test_kinds_of_titles_that_nobody_likes_lie_nearer_to_0():
    """Two genres lie alike by their liked titles; of one of them most titles remained unliked."""
    genre = np.arange(COUNT) % 2
    genres = np.eye(3, dtype=np.float32)[genre]
    none = {"people": sparse.csr_array((COUNT, 6), dtype=np.float32)}
    none["facts"] = sparse.csr_array((COUNT, 2), dtype=np.float32)
    catalogue = replace(planted(), genres=sparse.csr_array(genres), **none)  # type: ignore[arg-type]
    liked = np.flatnonzero((genre == 0) | (np.arange(COUNT) < 12))
    items, own = Vocabulary(100 + liked), np.ones((len(liked), 8), dtype=np.float32)
    support = np.full(len(liked), 9, dtype=np.float32)
    config = ContentVectorsConfig(regularization=1.0, unliked_weight=1.0)
    lengths = np.linalg.norm(
        ContentVectors(config).fit(catalogue, items, own, support).place(catalogue), axis=1
    )
    assert lengths[1::2].max() < 0.9 * lengths[::2].min()


def test_conjugate_gradients_solve_the_normal_equations():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 7)).astype(np.float32)
    y = rng.normal(size=(40, 3)).astype(np.float32)
    weight = rng.uniform(0.5, 2, 40).astype(np.float32)
    exact = np.linalg.solve(
        x.T @ (weight[:, None] * x) + 2 * np.eye(7), x.T @ (weight[:, None] * y)
    )
    assert np.allclose(ridge(sparse.csr_array(x), weight, y, np.float32(2), 60), exact, atol=1e-4)


def test_row_products_are_the_outer_product_of_each_row():
    first = np.array([[1, 2, 0], [0, 0, 0], [0, 3, 1]], dtype=np.float32)
    second = np.array([[0, 5], [1, 1], [2, 0]], dtype=np.float32)
    outer = np.einsum("ia,ib->iab", first, second).reshape(3, -1)
    products = _row_products(sparse.csr_array(first), sparse.csr_array(second))
    assert np.array_equal(products.toarray(), outer)
    pairs = _row_products(*2 * [sparse.csr_array(first)], is_symmetric=True).toarray()
    upper = np.triu(np.einsum("ia,ib->iab", first, first), k=1).reshape(3, -1)
    assert np.array_equal(pairs, upper)


def test_a_title_that_is_not_available_has_no_vector(model):
    is_available = np.arange(COUNT) != 5
    placed = model.place(replace(planted(), is_available=is_available))
    assert not placed[5].any()
    assert placed[is_available].any(axis=1).all()


def voted(votes, **changes):
    """The planted catalogue with votes from elsewhere."""
    return replace(planted(), votes=np.asarray(votes, dtype=np.float32), **changes)


@pytest.fixture(scope="module")
def taught_by_votes():
    """What was learned where twice the likes go with a thousand times the votes."""
    own = DIRECTIONS[np.arange(RATED) % 3] * (1 + np.arange(RATED) % 2)[:, None]
    votes = np.where(np.arange(COUNT) % 2, 100_000, 100)
    support = np.full(RATED, 9, dtype=np.float32)
    alike = {"people": sparse.csr_array((COUNT, 6), dtype=np.float32)}
    alike["facts"] = sparse.csr_array((COUNT, 2), dtype=np.float32)
    catalogue = voted(votes, **alike)
    model = ContentVectors().fit(catalogue, Vocabulary(100 + np.arange(RATED)), own, support)
    return catalogue, model


def test_a_title_with_more_votes_lies_further_out(taught_by_votes):
    catalogue, model = taught_by_votes
    placed = model.place(catalogue)[RATED:]
    lengths = np.linalg.norm(placed, axis=1)
    assert lengths[1::2].min() > 1.3 * lengths[::2].max()
    assert np.array_equal(nearest_genre(placed), np.arange(RATED, COUNT) % 3)


def test_edited_votes_move_a_title_without_training(taught_by_votes):
    catalogue, model = taught_by_votes
    before = model.place(catalogue)[50]
    votes = catalogue.votes.copy()
    votes[50] = 200_000
    after = model.place(replace(catalogue, votes=votes))[50]
    assert np.linalg.norm(after) > 1.3 * np.linalg.norm(before)


def test_a_catalogue_without_votes_is_placed_by_a_model_that_knows_them(taught_by_votes):
    catalogue, model = taught_by_votes
    silent = replace(catalogue, votes=np.full(COUNT, np.nan, dtype=np.float32))
    placed = model.place(silent)
    assert np.isfinite(placed).all()
    assert np.array_equal(nearest_genre(placed), np.arange(COUNT) % 3)


def test_votes_are_kept_in_the_artifact(tmp_path, taught_by_votes):
    catalogue, model = taught_by_votes
    model.save(tmp_path / "content_vectors")
    loaded = ContentVectors.load(tmp_path / "content_vectors")
    assert np.array_equal(loaded.place(catalogue), model.place(catalogue))
    assert len(loaded.levels["votes"]) == 2
    assert not len(loaded.levels["reviews"])


def test_an_artifact_from_before_votes_ignores_them(model, tmp_path):
    """It has the arrays that artifacts had then, and places titles as it did."""
    manifest = model.save(tmp_path / "content_vectors")
    assert {"levels_votes", "levels_reviews", "plot_columns", "idf_plots"}.isdisjoint(
        load_artifact(tmp_path / "content_vectors", "content_vectors").arrays
    )
    path = tmp_path / "content_vectors" / "manifest.json"
    written = json.loads(path.read_text())
    del written["config"]["min_plots"]
    path.write_text(json.dumps(written))
    loaded = ContentVectors.load(tmp_path / "content_vectors")
    assert manifest.model == "content_vectors"
    assert np.array_equal(loaded.place(voted(np.arange(COUNT))), model.place(planted()))


def test_hats_stand_between_levels():
    levels = np.array([0, 1, 3], dtype=np.float32)
    counts = np.expm1(np.array([-0.0, 0.5, 1, 2, 3, 9, np.nan], dtype=np.float32))
    expected = [
        [1, 0, 0, 0],
        [0.5, 0.5, 0, 0],
        [0, 1, 0, 0],
        [0, 0.5, 0.5, 0],
        [0, 0, 1, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]
    assert np.allclose(_hats(counts, levels).toarray(), expected, atol=1e-6)  # type: ignore[arg-type]


def test_levels_are_quantiles_and_none_where_nothing_differs():
    assert np.allclose(
        np.expm1(_quantiles(np.array([7, np.nan, 1, 4], dtype=np.float32)))[[0, -1]], [1, 7]
    )
    assert not len(_quantiles(np.full(5, np.nan, dtype=np.float32)))
    assert not len(_quantiles(np.array([3, 3, np.nan], dtype=np.float32)))


def test_titles_whose_plots_share_words_lie_together():
    """Plots alone say here what a title is about: a word for each direction, and one of all."""
    words = np.zeros((COUNT, 5), dtype=np.float32)
    words[np.arange(COUNT), np.arange(COUNT) % 3] = 2
    words[:, 4] = 1
    none = sparse.csr_array((COUNT, 3), dtype=np.float32)
    catalogue = replace(
        planted(), genres=none, plots=sparse.csr_array(words),  # type: ignore[arg-type]
        people=sparse.csr_array((COUNT, 6), dtype=np.float32),  # type: ignore[arg-type]
    )  # fmt: skip
    support = np.full(RATED, 9, dtype=np.float32)
    items = Vocabulary(100 + np.arange(RATED))
    model = ContentVectors().fit(catalogue, items, DIRECTIONS[np.arange(RATED) % 3], support)
    assert model.plot_columns.tolist() == [0, 1, 2, 4]
    assert np.array_equal(
        nearest_genre(model.place(catalogue))[RATED:], np.arange(RATED, COUNT) % 3
    )
    silent = model.place(replace(catalogue, plots=sparse.csr_array((COUNT, 0), dtype=np.float32)))  # type: ignore[arg-type]
    assert np.allclose(silent, silent[::12][0], atol=0.2), "nothing tells them apart"


def test_a_map_learned_from_few_titles_is_believed_less():
    usual = ContentVectorsConfig()
    assert usual.scaled_to(CHOSEN_ON) == usual.scaled_to(10 * CHOSEN_ON) == usual
    few = usual.scaled_to(CHOSEN_ON // 4)
    assert few.shrinkage == usual.shrinkage / 4
    assert few.regularization == usual.regularization / 4
    none = usual.scaled_to(0)
    assert (none.regularization, none.shrinkage) == (1, 10)
