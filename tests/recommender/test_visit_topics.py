"""Visit topics: which genres and people a visit is taken to be about, and what is left out."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.sessions import EventKind
from recommender.serving.request import Viewer, ViewerEvent
from recommender.serving.taste import Taste
from recommender.serving.visit_topics import Topic, not_now_mask, visit_topics
from recommender.vocabulary import Vocabulary

WESTERN, DRAMA, COMEDY = 1, 2, 3
FONDA, LEONE = 7, 8
GENRES = [[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 1]]
PEOPLE = [[1, 0], [1, 1], [0, 0], [0, 0], [0, 0], [0, 1]]
SCORES = np.zeros(6, dtype=np.float32)
ABOUT = Taste(SCORES, None, SCORES, 1.0)


def catalogue() -> Catalogue:
    """Six titles, 100 to 105: drama is common, comedy rare, and Fonda plays in two westerns."""
    return Catalogue(
        Vocabulary(100 + np.arange(6)),
        sparse.csr_array(np.array(GENRES, dtype=np.float32)),
        np.array([WESTERN, DRAMA, COMEDY]),
        np.zeros(6),
        np.zeros(6, dtype=np.float32),
        np.full(6, 1960),
        np.zeros(6, dtype=np.int64),
        sparse.csr_array(np.array(PEOPLE, dtype=np.float32)),
        np.array([FONDA, LEONE]),
        np.ones(6, dtype=bool),
    )


def who_opened(*title_ids: int, **fields) -> Viewer:
    return Viewer(events=[ViewerEvent(EventKind.OPEN, id_, 1.0) for id_ in title_ids], **fields)


def topics(viewer: Viewer, taste: Taste | None = ABOUT) -> list[tuple[str, int]]:
    return [(topic.kind, topic.id) for topic in visit_topics(catalogue(), viewer, taste)]


def test_what_all_opened_titles_share_is_named_the_rarest_first():
    assert topics(who_opened(100, 101)) == [("person", FONDA), ("genre", WESTERN), ("genre", DRAMA)]


def test_of_one_title_only_the_genres_are_named():
    assert topics(who_opened(105)) == [("genre", COMEDY), ("genre", DRAMA)]


def test_what_one_of_several_titles_has_is_not_named():
    assert topics(who_opened(103, 104, 105)) == [("genre", DRAMA)]


def test_the_posterior_of_the_aspects_decides_between_genres_and_people():
    of_genres = Taste(SCORES, None, SCORES, 1.0, aspects={"genres": 0.9, "people": 0.01})
    assert topics(who_opened(100, 101), of_genres)[0] == ("genre", WESTERN)
    of_people = Taste(SCORES, None, SCORES, 1.0, aspects={"genres": 0.01, "people": 0.9})
    assert topics(who_opened(100, 101), of_people)[0] == ("person", FONDA)


def test_what_was_searched_for_is_named_without_any_title():
    search = ViewerEvent(
        EventKind.SEARCH, None, 1.0, query="leone", genre_ids=(COMEDY,), person_ids=(LEONE,)
    )
    assert topics(Viewer(events=[search])) == [("genre", COMEDY), ("person", LEONE)]
    before = replace(search, is_this_visit=False)
    assert topics(Viewer(events=[before])) == []


def test_a_visit_that_says_nothing_is_about_nothing():
    assert topics(who_opened()) == []
    assert topics(who_opened(100), None) == []
    assert topics(who_opened(100), Taste(SCORES, None, None, 1.0)) == []


def test_what_is_not_wanted_now_is_neither_named_nor_left_in():
    viewer = who_opened(
        100, 101, not_now_genres=frozenset({WESTERN}), not_now_people=frozenset({LEONE})
    )
    assert topics(viewer) == [("person", FONDA), ("genre", DRAMA)]
    assert not_now_mask(catalogue(), viewer).tolist() == [True, True, True, False, False, True]
    assert not not_now_mask(catalogue(), who_opened(100)).any()
    assert Topic("genre", WESTERN) not in visit_topics(catalogue(), viewer, ABOUT)
