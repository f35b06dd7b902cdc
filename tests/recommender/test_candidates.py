"""The rows about a viewer's likings, why each title is there, and viewers of any history."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind
from recommender.models.ials import Ials, IalsConfig
from recommender.models.popularity import Popularity
from recommender.ranking.page import PageConfig
from recommender.ranking.row_kinds import row_kind
from recommender.serving.candidates import (
    CANDIDATES,
    genre_similarity,
    ordered_row,
    share_a_genre,
)
from recommender.serving.fallback import PopularTitles
from recommender.serving.interest_rows import InterestRows, genres_of_pair, pair_key
from recommender.serving.recommender import Recommender
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from recommender.serving.taste import TasteModel
from recommender.serving.utility import similarity_vectors, utilities
from recommender.vocabulary import Vocabulary

COUNT = 120
IDS = 500 + np.arange(COUNT)
ACTION, COMEDY, DRAMA = 11, 12, 13
ANN, BOB = 31, 32
"""Ann directed the first ten; Bob plays in every second one."""


@pytest.fixture(scope="module")
def catalogue():
    """Action, comedy and drama, forty each; every fourth has the next genre too."""
    genres = np.kron(np.eye(3), np.ones((COUNT // 3, 1)))
    genres[::4] = np.maximum(genres[::4], np.roll(genres[::4], 1, axis=1))
    people = np.zeros((COUNT, 2))
    people[:10, 0], people[::2, 1] = 1.0, 0.5
    return Catalogue(
        Vocabulary(IDS),
        sparse.csr_array(genres.astype(np.float32)),
        np.array([ACTION, COMEDY, DRAMA]),
        1.7e9 + 86_400.0 * np.arange(COUNT, dtype=np.float64),
        np.arange(COUNT, dtype=np.float32),
        np.full(COUNT, 2001),
        np.tile([0, 6, 12, 18], COUNT // 4),
        sparse.csr_array(people.astype(np.float32)),
        np.array([ANN, BOB]),
        np.ones(COUNT, dtype=bool),
    )


@pytest.fixture(scope="module")
def recommender(catalogue):
    rng = np.random.default_rng(5)
    pairs = [
        (profile, int(IDS[item]))
        for profile in range(60)
        for item in range(COUNT)
        if rng.random() < (0.4 if item // 40 == profile % 3 else 0.05)
    ]
    interactions = Interactions.from_pairs(*np.array(pairs).T)
    ials = Ials(IalsConfig(embedding_size=8, epochs=5, num_threads=1)).fit(interactions)
    return Recommender(catalogue, TasteModel(ials), Popularity().fit(interactions))


ALL = np.ones(COUNT, dtype=bool)


def interest_rows(catalogue, kind, *liked, rising=True, min_size=6):
    """The person or genre pair rows of a viewer who liked these titles, by item number."""
    interests = InterestRows(catalogue)
    viewer = Viewer(liked=dict.fromkeys(IDS[list(liked)].tolist(), 1.0))
    affinity = np.arange(COUNT, dtype=np.float32) * (1 if rising else -1)
    propose = interests.person_rows if kind == "person" else interests.pair_rows
    return list(propose(interests.liked_items(viewer), affinity, ALL, min_size))


def test_a_person_is_chosen_whose_titles_the_viewer_comes_back_to(catalogue):
    [row] = interest_rows(catalogue, "person", 1, 3, 5)
    assert (row.kind, row.key) == ("person", ANN)
    assert row.items.tolist() == list(range(9, -1, -1))
    assert [row.key for row in interest_rows(catalogue, "person", 0, 2, 4)] == [ANN, BOB]


@pytest.mark.parametrize(("liked", "least"), [([1], 6), ([1, 3], 11), ([], 6), ([41, 43], 6)])
def test_no_person_without_two_liked_titles_and_enough_to_show(catalogue, liked, least):
    assert interest_rows(catalogue, "person", *liked, min_size=least) == []


def test_a_pair_of_genres_liked_together_makes_a_row_of_what_has_both(catalogue):
    [row] = interest_rows(catalogue, "genre_pair", 0, 4, 8, rising=False)
    assert type(row.key) is int  # which JSON can hold
    assert genres_of_pair(row.key) == (ACTION, COMEDY)
    assert row.items.tolist() == list(range(0, 40, 4))
    assert interest_rows(catalogue, "genre_pair", 1, 2, 3) == []


def test_the_order_of_a_pair_does_not_matter():
    assert pair_key(7, 3) == pair_key(3, 7)
    assert genres_of_pair(pair_key(7, 3)) == (3, 7)


def kinds(recommender, viewer, played=(), **config):
    context = RequestContext(page=PageConfig(row_size=8, **config))
    taste = recommender.taste(viewer, context)
    rows = recommender.home(viewer, context, taste, played_today=played)
    return {row.kind: recommender.catalogue.titles.ids_of(row.items).tolist() for row in rows}


def test_the_rows_of_a_viewer_with_a_history(recommender):
    liked = dict.fromkeys(IDS[:8].tolist(), 1.0)
    seen = frozenset(IDS[:8].tolist())
    viewer = Viewer(liked=liked, liked_before=liked, seen=seen, reasons=IDS[:2].tolist())
    rows = kinds(recommender, viewer)
    assert {"top_picks", "because_watched", "hidden_gems", "watch_again", "new"} <= rows.keys()
    assert set(rows["watch_again"]) == seen
    likes = dict(zip(IDS.tolist(), recommender.catalogue.liked_by.tolist(), strict=True))
    middle = np.median([n for n in likes.values() if n > 0])
    assert all(likes[id_] <= middle for id_ in rows["hidden_gems"])
    assert not seen & {id_ for kind in rows if kind != "watch_again" for id_ in rows[kind]}
    hidden = kinds(recommender, Viewer(**(viewer.__dict__ | {"hides_watched": True})))
    assert "watch_again" not in hidden


def test_what_most_play_today_stands_in_their_order(recommender):
    played = IDS[[50, 7, 90, 3, 20, 60, 70, 80, 10, 30, 40]].tolist()
    for source in (recommender, PopularTitles(recommender.catalogue)):
        context = RequestContext(page=PageConfig(row_size=20, fold_rows=1))
        page = source.home(Viewer(), context, None, played_today=played)
        rows = {row.kind: row for row in page}
        shown = recommender.catalogue.titles.ids_of(rows["top_10"].items).tolist()
        assert shown == played[:10]
    assert "top_10" not in kinds(recommender, Viewer(), played[:5])


def test_titles_of_one_kind_are_alike_whether_the_model_knows_them_or_not(catalogue):
    factors = np.zeros((COUNT, 4), dtype=np.float32)
    factors[[1, 2], 0] = 2.0
    vectors = similarity_vectors(catalogue, factors)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert vectors[1] @ vectors[2] == pytest.approx(1)
    assert vectors[5] @ vectors[6] == pytest.approx(1)
    assert vectors[1] @ vectors[5] == pytest.approx(np.sqrt(0.3), abs=1e-6)
    assert vectors[1] @ vectors[41] == pytest.approx(0)


@pytest.mark.parametrize("levels", [3, 2000, 10**6])
@pytest.mark.parametrize("is_sorted", [True, False])
def test_of_many_titles_the_best_are_found_as_by_a_whole_sort(levels, is_sorted):
    rng = np.random.default_rng(levels)
    count = 100_000
    scores = (rng.integers(0, levels, count) / levels).astype(np.float32)
    scores[rng.choice(count, 150)] = 2 + rng.random(150, dtype=np.float32)
    scores = np.sort(scores) if is_sorted else scores
    items = np.flatnonzero(rng.random(count) < 0.9)
    row = ordered_row("x", items, scores)
    whole = items[np.argsort(-scores[items], kind="stable")][:CANDIDATES]
    np.testing.assert_array_equal(row.items, whole)
    np.testing.assert_array_equal(row.scores, scores[whole])


def test_what_shares_a_genre_has_a_likeness_by_genre(catalogue):
    items = np.arange(COUNT)
    for item in (0, 7, COUNT - 1):
        expected = genre_similarity(catalogue, item) > 0
        np.testing.assert_array_equal(share_a_genre(catalogue, items, item), expected)


def test_what_a_title_is_worth_by_hand(catalogue):
    config = PageConfig(freshness=0.1, curiosity=0.05)
    affinity = np.zeros(COUNT, dtype=np.float32)
    now = float(catalogue.added_at[-1])
    utility = utilities(catalogue, affinity, RequestContext(now=now, page=config))
    values = utility(np.arange(COUNT))
    base = 1 / (1 + np.exp(2))
    assert values[-1] == pytest.approx(base + 0.1 + 0.05 / np.sqrt(COUNT), abs=1e-6)
    assert values[-15] == pytest.approx(base + 0.05 + 0.05 / np.sqrt(COUNT - 14), abs=1e-6)


ids = st.sampled_from([*IDS.tolist(), 9999])
viewers = st.builds(
    lambda liked, hidden, seen, begun, listed, limit, hides: Viewer(
        liked=liked,
        liked_before=liked,
        reasons=list(liked)[:10],
        excluded=frozenset(hidden),
        seen=frozenset(seen),
        unfinished=begun,
        listed=listed,
        maturity_limit=limit,
        hides_watched=hides,
    ),
    st.dictionaries(ids, st.sampled_from([1.0, 2.0]), max_size=30),
    st.sets(ids, max_size=40),
    st.sets(ids, max_size=40),
    st.lists(ids, unique=True, max_size=5),
    st.lists(ids, unique=True, max_size=20),
    st.sampled_from([None, 0, 6, 12, 18]),
    st.booleans(),
)


def check_page(recommender, viewer, rows):
    catalogue = recommender.catalogue
    age = dict(zip(IDS.tolist(), catalogue.maturity.tolist(), strict=True))
    placed: dict[int, int] = {}
    for row in rows:
        shown = catalogue.titles.ids_of(row.items).tolist()
        assert not set(shown) & viewer.excluded
        assert all(
            viewer.maturity_limit is None or age[id_] <= viewer.maturity_limit for id_ in shown
        )
        if row_kind(row.kind).is_kept_by_viewer:
            continue
        assert len(shown) >= 6
        assert not (viewer.hides_watched and set(shown) & viewer.seen)
        for id_ in shown:
            placed[id_] = placed.get(id_, 0) + 1
    assert max(placed.values(), default=0) <= 2


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(viewers, st.floats(0, 2e9))
def test_the_laws_hold_for_any_viewer_and_the_page_can_be_made_again(recommender, viewer, moment):
    context = RequestContext(now=moment, page=PageConfig(row_size=12))
    for source in (recommender, PopularTitles(recommender.catalogue)):
        taste = source.taste(viewer, context)
        rows = source.home(viewer, context, taste, played_today=viewer.listed)
        check_page(recommender, viewer, rows)
        again = source.home(
            viewer, context, source.taste(viewer, context), played_today=viewer.listed
        )
        assert [row.items.tolist() for row in rows] == [row.items.tolist() for row in again]
        assert [row.propensities.tolist() for row in rows] == [
            row.propensities.tolist() for row in again
        ]


def test_a_profile_with_nothing_and_one_with_twenty_thousand_events_have_a_page(recommender):
    events = [
        ViewerEvent(EventKind.PLAY, int(IDS[n % COUNT]), 1.7e9 + n, n > 19_000)
        for n in range(20_000)
    ]
    liked = {int(id_): 1.0 for id_ in IDS} | {10_000 + n: 1.0 for n in range(20_000)}
    busy = Viewer(
        liked=liked,
        liked_before=liked,
        reasons=list(liked)[:10],
        seen=frozenset(IDS[:60].tolist()),
        events=events,
    )
    context = RequestContext(now=1.8e9)
    for viewer in (Viewer(), busy):
        rows = recommender.home(viewer, context, recommender.taste(viewer, context))
        assert len(rows) >= 4
        check_page(recommender, viewer, rows)
