"""Each question is answered by its own function, by the recommender and by popular titles alike."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.ranking.page import PageConfig
from recommender.serving.candidates import Listing
from recommender.serving.fallback import PopularTitles
from recommender.serving.request import RequestContext, ShownRow, Viewer
from recommender.vocabulary import Vocabulary
from search.engine import Document, SearchEngine
from search.facets import Facet, FacetValue
from webapp.discovery.answer import answer
from webapp.discovery.questions import (
    HomeQuestion,
    ListingQuestion,
    RowsBelowQuestion,
    SearchQuestion,
    SuggestionsQuestion,
    TitleQuestion,
)
from webapp.discovery.selection import Selection, Sort
from webapp.discovery.source import RecommendationSource

COUNT = 12
UNAVAILABLE = 99
CONTEXT = RequestContext(
    page=PageConfig(row_size=6, min_row_size=2, exploration=0, relevance_share=1)
)
GENRES = {1: "Western", 2: "Romance"}


@pytest.fixture(scope="module")
def source() -> RecommendationSource:
    """Twelve titles, six of each genre, the first liked by most; and one not available."""
    genres = np.array([[n < 6, 6 <= n < COUNT] for n in range(COUNT + 1)], dtype=np.float32)
    is_available = np.arange(COUNT + 1) < COUNT
    return PopularTitles(
        Catalogue(
            Vocabulary(np.append(np.arange(1, COUNT + 1), UNAVAILABLE)),
            sparse.csr_array(genres),
            np.array(list(GENRES)),
            np.zeros(COUNT + 1),
            np.arange(COUNT, -1, -1).astype(np.float32),
            np.full(COUNT + 1, 1950),
            np.full(COUNT + 1, 12),
            sparse.csr_array(np.zeros((COUNT + 1, 0), dtype=np.float32)),
            np.empty(0, dtype=np.int64),
            is_available,
        )
    )


@pytest.fixture(scope="module")
def search() -> SearchEngine:
    """The same titles."""
    names = [f"Film number {n}" for n in range(1, COUNT + 1)]
    return SearchEngine.build(
        [
            *(
                Document(n + 1, name, genres=(GENRES[1 if n < 6 else 2],))
                for n, name in enumerate(names)
            ),
            Document(UNAVAILABLE, "Zardoz", genres=("Western",), is_available=False),
        ]
    )


def titles(source, row):
    return source.catalogue.titles.ids_of(row.items).tolist()


def test_home_has_rows_and_those_below_what_is_on_screen_come_after(source, search):
    page = answer(HomeQuestion(Viewer(), CONTEXT), source, search)
    assert [row.kind for row in page.rows] == ["popular", "genre"]
    first = page.rows[0]
    on_screen = [ShownRow(first.kind, first.key, titles(source, first), first.scores.tolist(), 6)]
    below = answer(RowsBelowQuestion(Viewer(), CONTEXT, on_screen), source, search)
    assert [row.kind for row in below.rows] == ["genre"]


def test_a_title_has_those_like_it_and_those_played_next(source, search):
    question = TitleQuestion(Viewer(excluded=frozenset([8])), CONTEXT, 1, played_next=(7, 8, 9))
    similar, played_next = answer(question, source, search).rows
    assert (similar.kind, similar.key) == ("more_like", 1)
    assert set(titles(source, similar)) == {2, 3, 4, 5, 6}
    assert (played_next.kind, titles(source, played_next)) == ("played_next", [7, 9])


def test_a_title_that_is_not_available_has_those_near_in_meaning(source, search):
    [near] = answer(TitleQuestion(Viewer(), CONTEXT, 99), source, search).rows
    assert (near.kind, near.key) == ("near", 99)
    assert set(titles(source, near)) == {1, 2, 3, 4, 5, 6}


def test_a_listing_leaves_out_what_was_hidden_and_not_what_is_only_excluded(source, search):
    viewer = Viewer(hidden=frozenset([1]), excluded=frozenset([1, 2]))
    listed = answer(ListingQuestion(viewer, CONTEXT, Listing("genre", 1, 0, 3)), source, search)
    assert (titles(source, listed.rows[0]), listed.total) == ([2, 3, 4], 5)


def test_a_search_has_results_by_popularity_without_what_was_hidden(source, search):
    viewer = Viewer(hidden=frozenset([1]))
    result = answer(SearchQuestion(viewer, CONTEXT, "film"), source, search)
    assert result.rows[0].kind == "results"
    assert titles(source, result.rows[0])[:3] == [2, 3, 4]
    assert {hit.id for hit in result.search_result.hits} == set(range(2, COUNT + 1))


def test_a_search_without_a_match_has_suggestions(source, search):
    nothing = answer(SearchQuestion(Viewer(), CONTEXT, "qqqq"), source, search)
    offered = answer(SuggestionsQuestion(Viewer(), CONTEXT), source, search)
    assert [row.kind for row in nothing.rows] == ["suggestions"]
    assert titles(source, nothing.rows[0]) == titles(source, offered.rows[0]) == [1, 2, 3, 4, 5, 6]


def test_a_title_above_the_viewers_age_is_in_no_answer(source, search):
    viewer = Viewer(maturity_limit=6)
    for question in (
        HomeQuestion(viewer, CONTEXT),
        TitleQuestion(viewer, CONTEXT, 1, (7, 8, 9)),
        ListingQuestion(viewer, CONTEXT, Listing("genre", 1, 0, 3)),
        SearchQuestion(viewer, CONTEXT, "film"),
        SuggestionsQuestion(viewer, CONTEXT),
    ):
        assert sum(len(row.items) for row in answer(question, source, search).rows) == 0


def test_a_list_that_a_rival_agrees_with_is_as_it_was(source, search):
    for question in (
        SearchQuestion(Viewer(), CONTEXT, "film"),
        SuggestionsQuestion(Viewer(), CONTEXT),
    ):
        alone = answer(question, source, search).rows[0]
        shared = answer(replace(question, rival="long_term_only"), source, search).rows[0]
        assert titles(source, shared) == titles(source, alone)


def test_a_search_and_a_listing_are_narrowed_and_counted(source, search):
    romance = Selection((FacetValue(Facet.GENRE, "Romance"),))
    question = SearchQuestion(Viewer(), CONTEXT, "film", selection=romance)
    found = answer(question, source, search)
    assert titles(source, found.rows[0]) == [7, 8, 9, 10, 11, 12]
    assert found.total == 6
    assert [(c.value.value, c.count) for c in found.facets] == [("Romance", 6)]
    unseen = Selection((FacetValue(Facet.SEEN, "no"),), Sort.LIKED)
    viewer = Viewer(seen=frozenset([1, 4]))
    listing = ListingQuestion(viewer, CONTEXT, Listing("genre", 1, 0, 3), unseen)
    listed = answer(listing, source, search)
    assert titles(source, listed.rows[0]) == [2, 3, 5]
    assert listed.total == 4
    assert [(c.value.value, c.count) for c in listed.facets] == [("no", 4), ("yes", 2)]


def test_pages_of_a_search_follow_each_other_and_keystrokes_count_nothing(source, search):
    first, second = (
        answer(SearchQuestion(Viewer(), CONTEXT, "film", begin=begin), source, search)
        for begin in (0, 40)
    )
    assert titles(source, first.rows[0]) == titles(source, second.rows[0])  # 12: one page
    assert first.facets == ()
    assert first.total == COUNT
