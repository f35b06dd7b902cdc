"""A snapshot gives its question back whole, whatever it was, and says in words what it cannot."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.sessions import EventKind
from recommender.ranking.page import PageConfig
from recommender.serving.candidates import Listing
from recommender.serving.request import RequestContext, ShownRow, Viewer, ViewerEvent
from recommender.vocabulary import Vocabulary
from webapp.discovery.questions import (
    HomeQuestion,
    ListingQuestion,
    RowsBelowQuestion,
    SearchQuestion,
    SuggestionsQuestion,
    TitleQuestion,
)
from webapp.discovery.snapshot import (
    QUESTIONS,
    VERSION,
    CatalogueExtent,
    SnapshotError,
    read_snapshot,
    snapshot_of,
)

SWITCHES = {"is_paused": False, "is_personal": True}
ids = st.integers(1, 10**6)
weights = st.dictionaries(ids, st.sampled_from([1.0, 2.0, 0.5]), max_size=5)
id_lists = st.lists(ids, max_size=5).map(tuple)
id_sets = st.frozensets(ids, max_size=5)
finite = st.floats(0, 2e9)
events = st.builds(
    ViewerEvent, st.sampled_from(EventKind), st.none() | ids, finite, st.booleans(), st.text()
)
shown_rows = st.builds(
    ShownRow,
    st.sampled_from(["genre", "top_picks"]),
    st.none() | ids,
    st.just((1, 2)),
    st.just((0.5, 0.25)),
    st.integers(0, 2),
    st.integers(0, 2),
    st.none() | st.just((1.0, 0.8)),
)
viewers = st.builds(
    Viewer,
    liked=weights,
    liked_before=weights,
    events=st.lists(events, max_size=4).map(tuple),
    profile_id=st.none() | ids,
    reasons=id_lists,
    hidden=id_sets,
    excluded=id_sets,
    refused_genres=id_sets,
    seen=id_sets,
    unfinished=id_lists,
    listed=id_lists,
    maturity_limit=st.none() | st.integers(0, 18),
    hides_watched=st.booleans(),
)
contexts = st.builds(
    RequestContext,
    finite,
    st.sampled_from(["home", "search"]),
    st.sampled_from(["", "phone"]),
    st.builds(PageConfig, row_size=st.integers(6, 40), exploration=st.floats(0, 0.5)),
)
pages = (viewers, contexts, st.lists(shown_rows, max_size=3).map(tuple), id_lists)
questions = st.one_of(
    st.builds(HomeQuestion, *pages),
    st.builds(RowsBelowQuestion, *pages),
    st.builds(TitleQuestion, viewers, contexts, ids, id_lists),
    st.builds(
        ListingQuestion,
        viewers,
        contexts,
        st.builds(Listing, st.sampled_from(["genre", "person"]), ids, ids, ids),
    ),
    st.builds(SearchQuestion, viewers, contexts, st.text(), st.sampled_from(["", "rival"])),
    st.builds(SuggestionsQuestion, viewers, contexts, st.sampled_from(["", "rival"])),
)


def catalogue(*title_ids):
    count = len(title_ids)
    nothing = sparse.csr_array(np.zeros((count, 0), dtype=np.float32))
    no_ids = np.empty(0, dtype=np.int64)
    numbers = np.zeros(count)
    return Catalogue(
        Vocabulary(np.array(title_ids, dtype=np.int64)),
        nothing,
        no_ids,
        numbers,
        numbers.astype(np.float32),
        numbers.astype(np.int64),
        numbers.astype(np.int64),
        nothing,
        no_ids,
        np.ones(count, dtype=bool),
    )


def home_snapshot():
    return snapshot_of(HomeQuestion(Viewer(), RequestContext()), catalogue(3, 8), SWITCHES)


@settings(deadline=None)
@given(questions)
def test_a_question_comes_back_from_json_as_it_was(question):
    stored = json.loads(json.dumps(snapshot_of(question, catalogue(3, 8), SWITCHES)))
    assert read_snapshot(stored).question == question


def test_the_order_of_what_is_liked_stays_although_the_database_sorts_keys():
    viewer = Viewer(liked={30: 1.0, 4: 2.0, 100: 0.5})
    question = SuggestionsQuestion(viewer, RequestContext())
    stored = json.dumps(snapshot_of(question, catalogue(3), SWITCHES), sort_keys=True)
    assert list(read_snapshot(json.loads(stored)).question.viewer.liked) == [30, 4, 100]


def test_it_says_its_version_its_question_and_how_far_the_catalogue_reached():
    stored = home_snapshot()
    assert (stored["version"], stored["question"]) == (VERSION, "home")
    assert stored["switches"] == SWITCHES
    assert read_snapshot(stored).catalogue == CatalogueExtent(titles=2, last=8)
    empty = snapshot_of(SuggestionsQuestion(Viewer(), RequestContext()), catalogue(), SWITCHES)
    assert read_snapshot(empty).catalogue == CatalogueExtent(titles=0, last=0)


def test_each_type_of_question_has_a_name():
    assert len(QUESTIONS) == len(set(QUESTIONS.values())) == 6


@pytest.mark.parametrize("version", [0, 3, "2", None])
def test_an_unknown_version_is_refused_in_words(version):
    with pytest.raises(SnapshotError, match=f"is of version {version}; versions 1 and 2"):
        read_snapshot(home_snapshot() | {"version": version})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: stored.pop("viewer"),
        lambda stored: stored.pop("catalogue"),
        lambda stored: stored.update(question="riddle"),
        lambda stored: stored.update(surprise=1),
        lambda stored: stored["context"]["page"].update(row_size=0),
        lambda stored: stored["viewer"].update(events=[{"kind": "yawn"}]),
        lambda stored: stored.pop("version"),
    ],
)
def test_what_is_not_whole_is_refused_in_words(spoil):
    stored = home_snapshot()
    spoil(stored)
    with pytest.raises(SnapshotError, match="does not keep what it was built from"):
        read_snapshot(stored)


def test_a_keystrokes_snapshot_holds_its_text_alone():
    with pytest.raises(SnapshotError, match="it answered a keystroke"):
        read_snapshot({"text": "noon"})
