"""The catalogue as arrays: what is not available has a number, and is nobody's item."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN, Vocabulary


def catalogue(ids, is_available):
    count = len(ids)
    none = sparse.csr_array(np.zeros((count, 0), dtype=np.float32))
    return Catalogue(
        Vocabulary(np.array(ids, dtype=np.int64)),
        none,
        np.empty(0, dtype=np.int64),
        np.zeros(count),
        np.zeros(count, dtype=np.float32),
        np.zeros(count, dtype=np.int64),
        np.array([6, 12, 18][:count], dtype=np.int64),
        none,
        np.empty(0, dtype=np.int64),
        np.array(is_available, dtype=bool),
    )


def test_items_are_those_of_available_titles():
    titles = catalogue([10, 20, 30], [True, False, True])
    assert titles.items_of([[30, 20], [10, 99]]).tolist() == [[2, UNKNOWN], [0, UNKNOWN]]
    assert titles.available_items.tolist() == [0, 2]
    assert titles.titles.items_of([20]).tolist() == [1]


def test_an_empty_catalogue_knows_no_title():
    assert catalogue([], []).items_of([1]).tolist() == [UNKNOWN]


def test_a_limit_is_an_age():
    titles = catalogue([10, 20, 30], [True, True, True])
    assert titles.above(12).tolist() == [False, False, True]
    assert not titles.above(None).any()


def test_an_array_of_another_length_is_refused_by_name():
    with pytest.raises(InvalidInputError, match="is_available must have one value for each of 2"):
        catalogue([10, 20], [True])


def test_changed_titles_are_as_they_are_now_and_the_others_as_before():
    before = catalogue([10, 20, 30], [True, True, True])
    before.liked_by[:] = [1, 2, 3]
    changed = catalogue([20, 30], [False, True])
    changed.years[:] = [1950, 1960]
    now = before.with_changed(changed)
    assert now.years.tolist() == [0, 1950, 1960]
    assert now.maturity.tolist() == [6, 6, 12]
    assert now.available_items.tolist() == [0, 2]
    assert now.liked_by.tolist() == [1, 0, 3], "a withdrawn title counts nowhere"
    assert before.is_available.all()
    with pytest.raises(InvalidInputError, match="title 11 is new"):
        before.with_changed(catalogue([11], [True]))


def test_added_titles_come_behind_with_what_others_have_too():
    ones = sparse.csr_array(np.ones((2, 1), dtype=np.float32))
    before = replace(
        catalogue([10, 20], [True, True]), genres=ones, genre_ids=np.array([7]), people=ones,
        person_ids=np.array([9]), facts=ones, fact_names=("kind:film",),
    )  # fmt: skip
    changed = replace(
        catalogue([20, 30, 40], [True, True, False]),
        genres=sparse.csr_array(np.array([[0, 1], [1, 1], [0, 0]], dtype=np.float32)),
        genre_ids=np.array([5, 7]),
        people=sparse.csr_array(np.array([[0, 0], [1, 0.5], [0, 0]], dtype=np.float32)),
        person_ids=np.array([8, 9]),
        facts=sparse.csr_array(np.array([[0, 1], [1, 1], [0, 0]], dtype=np.float32)),
        fact_names=("country:France", "kind:film"),
    )
    changed.liked_by[:] = 3
    now = before.with_changed(changed)
    assert now.titles.ids.tolist() == [10, 20, 30, 40]
    assert now.available_items.tolist() == [0, 1, 2]
    assert now.genres.toarray()[:, 0].tolist() == [1, 1, 1, 0]
    assert now.people.toarray()[:, 0].tolist() == [1, 1, 0.5, 0]
    assert now.facts.toarray()[:, 0].tolist() == [1, 1, 1, 0]
    assert now.items_with_genre(0).tolist() == now.items_with_person(0).tolist() == [0, 1, 2]
    assert now.liked_by.tolist() == [0, 0, 0, 0]
    part = now.part_from(2)
    assert (part.titles.ids.tolist(), part.genres.toarray().tolist()) == ([30, 40], [[1], [0]])


def test_a_withdrawn_title_is_of_no_genre_and_by_nobody():
    before = catalogue([10, 20], [True, True])
    ones = sparse.csr_array(np.ones((2, 1), dtype=np.float32))
    ids = np.array([7])
    before = replace(before, genres=ones, genre_ids=ids, people=ones, person_ids=ids)
    now = before.with_changed(catalogue([10], [False]))
    assert (now.items_with_genre(0).tolist(), now.items_with_person(0).tolist()) == ([1], [1])
