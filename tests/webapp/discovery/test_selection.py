"""Selections: read from parameters, written as parameters, and what they sort by."""

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.vocabulary import Vocabulary
from search.engine import Document, SearchEngine
from search.errors import FacetError
from search.facets import Facet, FacetValue
from webapp.discovery.selection import EVERYTHING, MOST_CHOSEN, Selection, Sort, sort_keys


def test_what_parameters_choose_is_written_as_the_same_parameters():
    parameters = {"q": ["x"], "genre": ["War", "War", "Drama"], "seen": ["no"], "sort": ["year"]}
    selection = Selection.parse(parameters)
    assert selection.chosen == (
        FacetValue(Facet.GENRE, "War"),
        FacetValue(Facet.GENRE, "Drama"),
        FacetValue(Facet.SEEN, "no"),
    )
    assert selection.parameters() == [
        ("genre", "War"), ("genre", "Drama"), ("seen", "no"), ("sort", "year"),
    ]  # fmt: skip
    assert Selection.parse({"q": ["x"]}) == Selection.parse({"sort": ["match"]}) == EVERYTHING
    assert EVERYTHING.parameters() == []


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"sort": ["name"]}, "sort"),
        ({"sort": [""]}, "sort"),
        ({"decade": ["90"]}, "decade"),
        ({"genre": ["\x1f"]}, "genre"),
        ({"language": [f"L{n}" for n in range(MOST_CHOSEN + 1)]}, "language"),
    ],
)
def test_what_cannot_be_chosen_is_refused_by_name(parameters, parameter):
    with pytest.raises(FacetError) as refusal:
        Selection.parse(parameters)
    assert refusal.value.parameter == parameter


def test_titles_are_sorted_by_what_is_known_of_them():
    catalogue = Catalogue(
        Vocabulary(np.array([1, 2, 3])),
        sparse.csr_array(np.zeros((3, 0), dtype=np.float32)),
        np.empty(0, dtype=np.int64),
        np.array([30.0, 10.0, 20.0]),
        np.array([1, 5, 2], dtype=np.float32),
        np.array([1990, 0, 2000]),
        np.zeros(3, dtype=np.int64),
        sparse.csr_array(np.zeros((3, 0), dtype=np.float32)),
        np.empty(0, dtype=np.int64),
        np.ones(3, dtype=bool),
    )
    minutes = (90, None, 45)
    search = SearchEngine.build(Document(n + 1, "x", minutes=m) for n, m in enumerate(minutes))

    def order(sort):
        return np.argsort(-sort_keys(sort, catalogue, search)).tolist()

    assert sort_keys(Sort.MATCH, catalogue, search) is None
    assert order(Sort.YEAR) == [2, 0, 1]
    assert order(Sort.ADDED) == [0, 2, 1]
    assert order(Sort.LIKED) == [1, 2, 0]
    assert order(Sort.LENGTH) == [2, 0, 1]
