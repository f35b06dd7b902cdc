"""The catalogue as arrays: what is not available has a number, and is nobody's item."""

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
