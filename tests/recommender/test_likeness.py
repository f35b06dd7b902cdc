"""Likeness of titles, aspect by aspect, with answers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.errors import InvalidInputError
from recommender.models.item_to_item import Neighbours
from recommender.models.likeness import (
    ASPECTS,
    GENRE_IDF_LIMIT,
    PEOPLE_GAIN,
    Likeness,
    _row,
    unit_sparse_rows,
    weighted_by_idf,
)
from recommender.vocabulary import Vocabulary

WESTERN, COMEDY = 0, 1
FORD, SELLERS = 0, 1
IDS = np.array([10, 11, 12, 13])
VECTORS = np.array([[3, 0], [1, 0], [0, 2], [0, 0]], dtype=np.float32)


@pytest.fixture(scope="module")
def catalogue():
    """Two westerns of Ford ten years apart, a comedy, and a title of which nothing is known."""
    return Catalogue(
        Vocabulary(IDS),
        sparse.csr_array(np.array([[1, 0], [1, 0], [0, 1], [0, 0]], dtype=np.float32)),
        np.array([100, 101]),
        np.zeros(4),
        np.zeros(4, dtype=np.float32),
        np.array([1950, 1960, 1960, 0]),
        np.zeros(4, dtype=np.int64),
        sparse.csr_array(np.array([[1, 0], [0.5, 0], [0, 1], [0, 0]], dtype=np.float32)),
        np.array([200, 201]),
        np.ones(4, dtype=bool),
    )


@pytest.fixture(scope="module")
def likeness(catalogue):
    neighbours = Neighbours(
        catalogue.titles,
        np.array([1, 2]),
        np.array([[0], [0]], dtype=np.int32),
        np.array([[0.4], [0.1]], dtype=np.float32),
    )
    return Likeness(catalogue, VECTORS, neighbours)


def test_each_aspect_has_its_value(likeness):
    aspects = likeness.to(0)
    assert set(aspects) == set(ASPECTS)
    e = np.exp(-1)
    assert np.allclose(aspects["genres"], [1, 1, 0, 0])
    assert np.allclose(aspects["people"], [1, 1, 0, 0])
    assert np.allclose(aspects["era"], [1, e, e, 0])
    assert np.allclose(aspects["period"], [1, e, 0, 0])
    assert np.allclose(aspects["likers"], [1, 1, 0, 0])
    assert np.allclose(aspects["neighbours"], [0, 1, 0.25, 0])


def test_overall_is_the_weighted_mean_of_five_aspects(likeness):
    e = np.exp(-1)
    parts = np.array([0.9 + 0.15, 0.9 + 0.15 * e + 0.1, 0.15 * e + 0.025, 0]) / 1.15
    assert np.allclose(likeness.to(0)["overall"], parts)


def test_a_title_without_features_is_like_nothing(likeness):
    for name, values in likeness.to(3).items():
        assert not values[:3].any(), name


def test_rows_are_ordered_by_overall_and_by_what_the_likers_of_both_say(catalogue):
    """With ten likes each t is one half: the gain is 2 · ¼ of what likers say, .3 of a cosine."""
    alone = Likeness(catalogue, VECTORS)
    assert np.allclose(alone.similarity(0)[1], 1.15 / 1.95 * alone.to(0)["overall"][1])
    liked = replace(catalogue, liked_by=np.full(4, 10, dtype=np.float32))
    gained = Likeness(liked, VECTORS).similarity(0)
    assert np.allclose(gained[1], (1.15 * alone.to(0)["overall"][1] + 0.5 * 0.3) / 1.95)
    assert gained[0] == 0, "a title is not similar to itself"
    assert gained[2] == 0, "years alone make nobody kin"


def test_a_genre_and_a_person_speak_for_their_titles_alone(likeness):
    of_genre, of_person = likeness.of_genre(WESTERN), likeness.of_person(SELLERS)
    assert of_genre["genres"].tolist() == [1, 1, 0, 0]
    assert np.allclose(of_genre["overall"], [0.3 / 1.15, 0.3 / 1.15, 0, 0])
    assert "people" not in of_genre
    assert of_person["people"].tolist() == [0, 0, 1, 0]


def test_without_neighbours_the_aspect_is_zero(catalogue):
    assert not Likeness(catalogue, VECTORS).to(0)["neighbours"].any()


def test_vectors_of_another_catalogue_are_refused(catalogue):
    with pytest.raises(InvalidInputError, match="4 titles need as many vectors, got 3"):
        Likeness(catalogue, VECTORS[:3])


def test_likeness_to_several_is_the_mean_of_genres_and_eras_and_of_one_its_own(catalogue):
    likeness = Likeness(catalogue, VECTORS)
    one, many = likeness.to(0), likeness.to_many(np.array([0]))
    for name in ("genres", "people", "era", "period", "likers"):
        np.testing.assert_allclose(many[name], one[name], atol=1e-6)
    both = likeness.to_many(np.array([0, 1]))
    for name in ("genres", "era"):
        mean = (one[name] + likeness.to(1)[name]) / 2
        np.testing.assert_allclose(both[name], mean, atol=1e-6)


def test_shared_people_are_the_product_with_every_title_to_the_bit():
    people = sparse.random_array((300, 40), density=0.1, rng=np.random.default_rng(3))
    whole = catalogue_of(sparse.csr_array(people.astype(np.float32)))
    likeness = Likeness(whole, np.zeros((300, 2), dtype=np.float32))
    for item in range(300):
        product = likeness._people @ _row(likeness._people, item)
        product = np.minimum(PEOPLE_GAIN * product, np.float32(1))
        assert np.array_equal(likeness.to(item)["people"], product)


def test_some_of_the_titles_are_as_like_as_among_all():
    rng = np.random.default_rng(6)
    people = sparse.random_array((200, 30), density=0.1, rng=rng, dtype=np.float32)
    genres = sparse.csr_array((rng.random((200, 8)) < 0.25).astype(np.float32))
    whole = replace(
        catalogue_of(sparse.csr_array(people)),
        genres=genres,
        genre_ids=np.arange(8),
        years=rng.integers(1930, 2020, 200),
        liked_by=rng.integers(0, 30, 200).astype(np.float32),
    )
    vectors = rng.normal(size=(200, 5)).astype(np.float32)
    near = rng.integers(0, 200, (200, 4)).astype(np.int32)
    strengths = rng.random((200, 4), dtype=np.float32)
    neighbours = Neighbours(whole.titles, np.arange(200), near, strengths)
    likeness = Likeness(whole, vectors, neighbours)
    items = np.sort(rng.choice(200, 40, replace=False))
    part = likeness.among(items)
    several = rng.choice(200, 7, replace=False)
    for item in (int(items[3]), int(np.setdiff1d(np.arange(200), items)[5])):
        for all_of, some in (
            (likeness.to(item), part.to(item)),
            (likeness.to_many(several), part.to_many(several)),
            (likeness.of_genre(2), part.of_genre(2)),
            (likeness.of_person(4), part.of_person(4)),
            ({"": likeness.similarity(item)}, {"": part.similarity(item)}),
        ):
            assert all_of.keys() == some.keys()
            for name, values in all_of.items():
                np.testing.assert_allclose(some[name], values[items], atol=1e-6)


def test_genres_are_the_product_with_every_title_to_the_bit():
    rng = np.random.default_rng(5)
    genres = sparse.csr_array((rng.random((300, 12)) < 0.2).astype(np.float32))
    size = np.zeros((300, 2), dtype=np.float32)
    likeness = Likeness(
        replace(catalogue_of(sparse.csr_array((300, 1))), genres=genres, genre_ids=np.arange(12)),
        size,
    )
    rows = unit_sparse_rows(weighted_by_idf(genres, GENRE_IDF_LIMIT))
    assert likeness._genre_sets.shape[0] < 300
    for item in range(300):
        assert np.array_equal(likeness.to(item)["genres"], rows @ _row(rows, item))


def catalogue_of(people: sparse.csr_array) -> Catalogue:
    """Return a catalogue of as many titles as people have rows, without genres."""
    size = people.shape[0]
    return Catalogue(
        Vocabulary(np.arange(size)),
        sparse.csr_array(np.zeros((size, 2), dtype=np.float32)),
        np.array([100, 101]),
        np.zeros(size),
        np.zeros(size, dtype=np.float32),
        np.zeros(size, dtype=np.int64),
        np.zeros(size, dtype=np.int64),
        people,
        np.arange(people.shape[1]),
        np.ones(size, dtype=bool),
    )


def test_what_is_cached_cannot_be_changed(likeness):
    first = likeness.to(0)
    assert likeness.to(0) is first
    with pytest.raises(ValueError, match="read-only"):
        first["people"][0] = 2


def test_over_other_years_it_is_computed_anew(likeness, catalogue):
    years = catalogue.years + np.array([0, 10, 0, 0])
    none = np.empty((0, VECTORS.shape[1]), dtype=np.float32)
    later = likeness.over(replace(catalogue, years=years), none, likeness._neighbours)
    assert likeness.to(0)["era"][1] == pytest.approx(np.exp(-1))
    assert later.to(0)["era"][1] == pytest.approx(np.exp(-2))


def test_an_era_from_a_table_is_that_of_each_title_to_the_bit(likeness, catalogue):
    alike = np.exp(np.abs(catalogue.years - 1955) / np.float32(-10), dtype=np.float32)
    expected = np.where(catalogue.years > 0, alike, np.float32(0))
    np.testing.assert_array_equal(likeness._era_of(1955), expected)
