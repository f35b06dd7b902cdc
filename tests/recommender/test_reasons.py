"""Reasons of rows and titles: each holds evidence that the viewer and the catalogue bear out."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import POSITIVE_KINDS, EventKind
from recommender.models.ials import Ials, IalsConfig
from recommender.models.popularity import Popularity
from recommender.ranking.page import CandidateRow, PageConfig
from recommender.ranking.reasons import NO_REASON, Because
from recommender.ranking.row_kinds import ROW_KINDS, RowKind
from recommender.serving.explainer import SIMILAR
from recommender.serving.fallback import PopularTitles
from recommender.serving.interest_rows import genres_of_pair
from recommender.serving.recommender import DOUBT, Recommender
from recommender.serving.request import RequestContext, ShownRow, Viewer, ViewerEvent
from recommender.serving.taste import TasteModel
from recommender.vocabulary import Vocabulary

COUNT = 120
IDS = 500 + np.arange(COUNT)
GENRES = [11, 12, 13]
SHORT = RequestContext(page=PageConfig(row_size=8))
UNRATED = IDS[[39, 79, 119]]
"""Titles that nobody liked."""


@pytest.fixture(scope="module")
def catalogue():
    """Three genres of forty titles, every fourth with the next one too; two people."""
    genres = np.kron(np.eye(3), np.ones((COUNT // 3, 1)))
    genres[::4] = np.maximum(genres[::4], np.roll(genres[::4], 1, axis=1))
    people = np.zeros((COUNT, 2))
    people[:10, 0], people[::2, 1] = 1.0, 0.5
    return Catalogue(
        Vocabulary(IDS),
        sparse.csr_array(genres.astype(np.float32)),
        np.array(GENRES),
        1.7e9 + 86_400.0 * np.arange(COUNT, dtype=np.float64),
        np.zeros(COUNT, dtype=np.float32),
        np.full(COUNT, 2001),
        np.zeros(COUNT, dtype=np.int64),
        sparse.csr_array(people.astype(np.float32)),
        np.array([31, 32]),
        np.ones(COUNT, dtype=bool),
    )


@pytest.fixture(scope="module")
def recommender(catalogue):
    rng = np.random.default_rng(5)
    pairs = [
        (profile, int(IDS[item]))
        for profile in range(60)
        for item in range(COUNT)
        if IDS[item] not in UNRATED and rng.random() < (0.4 if item // 40 == profile % 3 else 0.05)
    ]
    interactions = Interactions.from_pairs(*np.array(pairs).T)
    ials = Ials(IalsConfig(embedding_size=8, epochs=5, num_threads=1)).fit(interactions)
    return Recommender(catalogue, TasteModel(ials), Popularity().fit(interactions))


ids = st.sampled_from([*IDS.tolist(), 9999])
events = st.builds(ViewerEvent, st.sampled_from(EventKind), ids, st.floats(0, 2e9), st.booleans())
viewers = st.builds(
    lambda before, happened: Viewer(
        liked=before | {e.title_id: 2.0 for e in happened if e.kind in POSITIVE_KINDS},
        liked_before=before,
        reasons=list(before)[:10],
        events=sorted(happened, key=lambda event: event.at),
    ),
    st.dictionaries(ids, st.sampled_from([1.0, 2.0]), max_size=20),
    st.lists(events, max_size=6),
)


def has(catalogue, row):
    """(I,) whether a title has what a row about a genre, a pair or a person is about."""
    genres = catalogue.genres.toarray() > 0
    if row.kind == "genre":
        return genres[:, GENRES.index(row.key)]
    if row.kind == "genre_pair":
        return np.all([genres[:, GENRES.index(id_)] for id_ in genres_of_pair(row.key)], axis=0)
    return catalogue.people.toarray()[:, catalogue.person_ids.tolist().index(row.key)] > 0


def credit_of(catalogue, row):
    """(I, X) what a title counts for each x that competes with what the row is about."""
    genres = catalogue.genres.toarray()
    if row.kind == "genre":
        return genres
    if row.kind == "genre_pair":
        return np.column_stack([genres[:, a] * genres[:, b] for a, b in ((0, 1), (0, 2), (1, 2))])
    return catalogue.people.toarray()


def share_of(catalogue, row, weights):
    """How much of these weights of titles is the row's subject's."""
    credits = credit_of(catalogue, row)
    own = (credits * has(catalogue, row)[:, None]).T @ weights
    mine = own.max() if row.kind != "person" else own[catalogue.person_ids.tolist().index(row.key)]
    return mine / (credits.T @ weights).sum()


def check_lift(catalogue, viewer, row):
    items = catalogue.titles.items_of(np.array(row.reason.titles))
    assert len(set(row.reason.titles)) >= 2
    assert set(row.reason.titles) <= viewer.liked.keys()
    assert has(catalogue, row)[items].all()
    assert row.reason.lift > 1
    weights = np.array([viewer.liked.get(id_, 0.0) for id_ in IDS.tolist()])
    everyone = catalogue.liked_by + 1e-3
    assert share_of(catalogue, row, weights) > share_of(catalogue, row, everyone)


def check_row(catalogue, viewer, row):
    reason, now = row.reason, set(viewer.positive_now())
    likes = dict(zip(IDS.tolist(), catalogue.liked_by.tolist(), strict=True))
    match reason.because:
        case Because.LIFT:
            check_lift(catalogue, viewer, row)
        case Because.LIKERS:
            assert reason.likers == likes[row.key] >= DOUBT
        case Because.TASTE:
            assert reason.titles or reason.titles_now
            assert set(reason.titles) <= viewer.liked_before.keys()
            assert set(reason.titles_now) <= viewer.liked.keys() - viewer.liked_before.keys()
        case Because.VISIT:
            assert reason.titles_now
            assert set(reason.titles_now) <= now
        case Because.SIMILAR:
            assert reason.titles
            assert set(reason.titles) <= viewer.liked_before.keys()
        case Because.POPULAR | Because.TRENDING:
            assert reason.likers >= max(likes[IDS[item]] for item in row.items) > 0
        case Because.GENRES:
            item = int(catalogue.titles.items_of([row.key])[0])
            shared = (catalogue.genres @ catalogue.genres[[item]].T).toarray()[:, 0]
            assert (shared[row.items] > 0).all()
        case _:
            assert reason == NO_REASON


def check_titles(source, viewer, taste, row, reasons):
    similarity = source._similarity
    for item, propensity, reason in zip(row.items, row.propensities, reasons, strict=True):
        assert (reason.because == Because.EXPLORATION) == (propensity < 0.5)
        if reason.because == Because.SIMILAR:
            [named] = source.catalogue.titles.items_of(np.array(reason.titles))
            assert set(reason.titles) <= {*viewer.liked, *viewer.reasons}
            assert row.kind == "because_watched" or similarity[item] @ similarity[named] >= SIMILAR
        if reason.because == Because.HISTORY:
            assert taste.history[item] > 0
        if reason.because == Because.VISIT:
            assert (taste.scores if taste.visit is None else taste.visit)[item] > 0


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(viewers, st.floats(0, 2e9), st.sampled_from(GENRES))
def test_every_reason_holds_its_evidence(recommender, viewer, now, key):
    context = RequestContext(now=now, page=PageConfig(row_size=12))
    shown = [ShownRow("genre", key, IDS[:12].tolist(), [0.5] * 12, 6)]
    for source in (recommender, PopularTitles(recommender.catalogue)):
        taste = source.taste(viewer, context)
        rows = [
            *source.home(viewer, context, taste, on_screen=shown),
            *source.suggestions(viewer, context, taste),
        ]
        for row, reasons in zip(rows, source.reasons(rows, viewer, taste), strict=True):
            check_row(source.catalogue, viewer, row)
            if taste is not None:
                check_titles(source, viewer, taste, row, reasons)


def genre_reasons(recommender, *liked):
    viewer = Viewer(liked=dict.fromkeys(IDS[list(liked)].tolist(), 1.0))
    rows = recommender.home(viewer, SHORT, recommender.taste(viewer, SHORT))
    return {row.key: row.reason.because for row in rows if row.kind == "genre"}


def test_one_opened_title_is_no_reason_for_a_genre(recommender):
    """It once made every genre row say that the viewer chooses it more often than others do."""
    assert set(genre_reasons(recommender, 1).values()) == {Because.NOTHING}


def test_a_genre_of_which_more_is_liked_than_others_do_says_so_and_no_other(recommender):
    reasons = genre_reasons(recommender, 1, 2, 3, 41)
    assert reasons[11] == Because.LIFT
    assert {reasons[key] for key in reasons if key != 11} <= {Because.NOTHING}


def test_a_title_that_nobody_rated_has_no_likers(recommender):
    """The row "Liked by the people who like this title" once stood there too."""
    viewer = Viewer()
    for title_id in UNRATED.tolist():
        row = recommender.more_like(title_id, viewer, SHORT, None)
        assert row.reason.because == Because.GENRES
    liked = recommender.more_like(int(IDS[1]), viewer, SHORT, None)
    assert liked.reason.because == Because.LIKERS
    assert liked.reason.likers == recommender.catalogue.liked_by[1]


def test_where_nobody_liked_anything_nothing_is_called_popular(catalogue):
    rows = PopularTitles(catalogue).home(Viewer(), SHORT, None)
    assert {row.reason for row in rows} == {NO_REASON}


def test_a_pinned_row_that_is_no_longer_proposed_has_no_reason(recommender):
    shown = ShownRow("person", 31, IDS[:9].tolist(), [0.5] * 9, 6)
    rows = recommender.home(Viewer(), SHORT, None, on_screen=[shown])
    assert next(row for row in rows if row.kind == "person").reason == NO_REASON


def test_slots_that_explore_say_so(recommender):
    tried = 0
    for moment in range(30):
        viewer = Viewer(liked={int(IDS[1]): 1.0})
        page = PageConfig(row_size=8, exploration=0.5)
        context = RequestContext(now=float(moment), page=page)
        taste = recommender.taste(viewer, context)
        rows = recommender.home(viewer, context, taste)
        for row, reasons in zip(rows, recommender.reasons(rows, viewer, taste), strict=True):
            drawn = [n for n, r in enumerate(reasons) if r.because == Because.EXPLORATION]
            assert drawn == np.flatnonzero(row.propensities < 0.5).tolist()
            tried += len(drawn)
    assert tried > 20


def test_a_title_names_the_liked_one_it_is_similar_to(recommender):
    liked = dict.fromkeys(IDS[[1, 2, 41]].tolist(), 1.0)
    viewer = Viewer(liked=liked, liked_before=liked, reasons=IDS[[41]].tolist())
    context = RequestContext(page=PageConfig(row_size=8, exploration=0))
    taste = recommender.taste(viewer, context)
    rows = recommender.home(viewer, context, taste)
    reasons = dict(
        zip([row.kind for row in rows], recommender.reasons(rows, viewer, taste), strict=True)
    )
    about = next(row for row in rows if row.kind == "because_watched")
    assert {reason.titles for reason in reasons["because_watched"]} == {(about.key,)}
    named = [r.titles for r in reasons["top_picks"] if r.because == Because.SIMILAR]
    assert named
    assert {id_ for titles in named for id_ in titles} <= set(liked)
    assert set(reasons["trending"]) == {NO_REASON}


def test_a_new_kind_of_row_is_explained_by_one_entry(recommender, monkeypatch):
    monkeypatch.setitem(ROW_KINDS, "binge", RowKind("binge", 22, is_personal=True))
    scores = np.arange(20, 0, -1, dtype=np.float32)
    monkeypatch.setattr(
        Recommender,
        "_candidate_rows",
        lambda *_, **__: iter([CandidateRow("binge", np.arange(20), scores)]),
    )
    liked = dict.fromkeys(IDS[:3].tolist(), 1.0)
    viewer = Viewer(liked=liked, liked_before=liked)
    context = RequestContext(page=PageConfig(exploration=0.0))
    taste = recommender.taste(viewer, context)
    [row] = recommender.home(viewer, context, taste)
    assert row.kind == "binge"
    reasons = {reason.because for reason in recommender.reasons([row], viewer, taste)[0]}
    assert {Because.SIMILAR, Because.HISTORY} <= reasons
