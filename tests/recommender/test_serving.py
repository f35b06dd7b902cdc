"""The recommender of a release over a planted world of two genres."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError, NotFittedError
from recommender.models.ials import Ials, IalsConfig
from recommender.models.item_to_item import Neighbours
from recommender.models.popularity import Popularity
from recommender.ranking.page import PageConfig
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from recommender.serving.request import RequestContext, Viewer
from recommender.serving.taste import TasteModel
from recommender.vocabulary import Vocabulary

COUNT = 40
IDS = np.arange(100, 100 + COUNT)
FIRST, SECOND, COLD = IDS[:18], IDS[20:38], IDS[[18, 19, 38, 39]]
MATURITY = np.tile([0, 6, 12, 16, 18], COUNT // 5)
PEOPLE = sparse.csr_array(([1.0] * 12, (np.arange(12), [0] * 6 + [1] * 6)), shape=(COUNT, 2))
"""Who directed the first twelve."""
CONTEXT = RequestContext(
    page=PageConfig(row_size=10, min_row_size=4, exploration=0, relevance_share=1)
)


@pytest.fixture(scope="module")
def catalogue():
    genres = sparse.csr_array(np.kron(np.eye(2), np.ones((COUNT // 2, 1))).astype(np.float32))
    return Catalogue(
        Vocabulary(IDS),
        genres,
        np.array([7, 8]),
        np.arange(COUNT, dtype=float),
        np.ones(COUNT, np.float32),
        np.full(COUNT, 1999),
        MATURITY,
        PEOPLE,
        np.array([70, 71]),
        np.ones(COUNT, dtype=bool),
    )


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(3)
    pairs = [
        (profile, item)
        for profile in range(40)
        for item in (FIRST if profile < 20 else SECOND)
        if rng.random() < 0.6
    ]
    interactions = Interactions.from_pairs(*np.array(pairs).T)
    config = IalsConfig(embedding_size=8, epochs=8, num_threads=1)
    return Ials(config).fit(interactions), Popularity().fit(interactions)


@pytest.fixture(scope="module")
def recommender(catalogue, models):
    return Recommender(catalogue, TasteModel(models[0]), models[1])


@pytest.fixture(scope="module")
def with_neighbours(catalogue, models):
    """Title 100 speaks for 130 and, less, for 101; 131 for 101; nothing else is kept."""
    items = Vocabulary([100, 101, 130, 131, 999])
    kept = np.array([1, 2])
    towards = np.array([[0, 3], [0, 4]], dtype=np.int32)
    weights = np.array([[0.1, 0.4], [0.9, 0.5]], dtype=np.float32)
    neighbours = Neighbours(items, kept, towards, weights)
    return Recommender(catalogue, TasteModel(models[0]), models[1], neighbours)


def ids(recommender, row):
    return recommender.catalogue.titles.ids_of(row.items).tolist()


def home(recommender, viewer):
    return recommender.home(viewer, CONTEXT, recommender.taste(viewer, CONTEXT))


def affinity(recommender, viewer):
    return recommender.affinity(recommender.taste(viewer, CONTEXT))


def rows_of(recommender, viewer):
    return {row.kind: row for row in home(recommender, viewer)}


def test_taste_is_folded_in_from_what_was_liked_a_moment_ago(recommender):
    viewer = Viewer(liked={100: 1.0, 101: 1.0})
    assert set(ids(recommender, rows_of(recommender, viewer)["top_picks"])[:8]) <= set(FIRST)
    affinity = recommender.affinity(recommender.taste(viewer, CONTEXT))
    assert affinity.shape == (COUNT,)
    assert affinity[:18].mean() > 5 * abs(affinity[20:38].mean())


def test_a_heavier_weight_pulls_the_taste_towards_its_title(recommender):
    even = affinity(recommender, Viewer(liked={100: 1.0, 120: 1.0}))
    pulled = affinity(recommender, Viewer(liked={100: 1.0, 120: 3.0}))
    assert (pulled[20:38] - pulled[:18].mean()).mean() > (even[20:38] - even[:18].mean()).mean()


@pytest.mark.parametrize("liked", [{}, {9999: 1.0}, {int(COLD[0]): 1.0}])
def test_a_viewer_the_model_knows_nothing_of_has_no_picks_but_a_page(recommender, liked):
    viewer = Viewer(liked=liked, reasons=list(liked))
    assert recommender.taste(viewer, CONTEXT) is None
    assert recommender.affinity(recommender.taste(viewer, CONTEXT)) is None
    rows = rows_of(recommender, viewer)
    assert "top_picks" not in rows
    assert "trending" in rows


def test_what_was_seen_is_not_recommended_again_and_what_is_excluded_never(recommender):
    viewer = Viewer(
        liked={100: 1.0}, reasons=[100], seen=frozenset([100, 101]), excluded=frozenset([102])
    )
    rows = home(recommender, viewer)
    for row in rows:
        assert 102 not in ids(recommender, row)
        if row.kind in ("top_picks", "because_watched"):
            assert not {100, 101} & set(ids(recommender, row))


def test_rows_that_name_a_reason_hold_its_neighbours_without_itself(recommender):
    row = rows_of(recommender, Viewer(liked={120: 1.0}, reasons=[120]))["because_watched"]
    assert row.key == 120
    assert set(ids(recommender, row)) <= set(IDS[20:]) - {120}


def test_neighbours_of_a_title_without_history_are_of_its_genre(recommender):
    row = recommender.more_like(int(COLD[0]), Viewer(), CONTEXT, None)
    assert set(ids(recommender, row)) <= set(IDS[:20]) - {int(COLD[0])}


def test_an_unknown_title_has_no_neighbours(recommender):
    assert recommender.more_like(9999, Viewer(), CONTEXT, None) is None
    assert PopularTitles(recommender.catalogue).more_like(9999, Viewer(), CONTEXT, None) is None


def test_what_the_viewer_keeps_stands_in_the_viewers_order(recommender):
    rows = rows_of(recommender, Viewer(unfinished=[125, 101], listed=[103, 9999, 122]))
    assert ids(recommender, rows["continue_watching"]) == [125, 101]
    assert ids(recommender, rows["my_list"]) == [103, 122]


def test_the_same_viewer_gets_the_same_page(recommender):
    viewer = Viewer(liked={100: 1.0, 121: 2.0}, reasons=[121, 100])
    pages = [
        [(row.kind, row.items.tolist(), row.scores.tolist()) for row in page]
        for page in (home(recommender, viewer) for _ in range(2))
    ]
    assert pages[0] == pages[1]


def test_the_catalogue_may_lose_and_gain_titles_after_training(catalogue, models):
    kept = np.r_[1:COUNT]
    smaller = Catalogue(
        Vocabulary(np.append(IDS[kept], 999)),
        sparse.csr_array(np.vstack([catalogue.genres.toarray()[kept], [[1, 0]]])),
        catalogue.genre_ids,
        np.arange(COUNT, dtype=float),
        np.ones(COUNT, np.float32),
        np.full(COUNT, 1999),
        MATURITY,
        PEOPLE,
        np.array([70, 71]),
        np.ones(COUNT, dtype=bool),
    )
    recommender = Recommender(smaller, TasteModel(models[0]), models[1])
    rows = home(recommender, Viewer(liked={100: 1.0, 101: 1.0}, reasons=[999]))
    shown = {id_ for row in rows for id_ in ids(recommender, row)}
    assert 100 not in shown
    assert 999 in shown


def test_a_release_written_and_read_answers_the_same(recommender, models, catalogue, tmp_path):
    models[0].save(tmp_path / "ials")
    models[1].save(tmp_path / "popularity")
    loaded = Recommender.load(tmp_path, catalogue)
    viewer = Viewer(liked={100: 1.0})
    np.testing.assert_array_equal(
        loaded.affinity(loaded.taste(viewer, CONTEXT)),
        recommender.affinity(recommender.taste(viewer, CONTEXT)),
    )


def test_popular_titles_need_no_model(catalogue):
    liked_by = np.arange(COUNT, dtype=np.float32)
    popular = PopularTitles(replace(catalogue, liked_by=liked_by))
    rows = {row.kind: row for row in popular.home(Viewer(unfinished=[101]), CONTEXT, None)}
    assert rows["popular"].items.tolist() == list(range(COUNT - 1, COUNT - 11, -1))
    assert rows["continue_watching"].items.tolist() == [1]
    assert popular.affinity(popular.taste(Viewer(liked={100: 1.0}), CONTEXT)) is None


def test_a_model_that_learned_nothing_is_refused(catalogue):
    with pytest.raises(NotFittedError):
        Recommender(catalogue, TasteModel(Ials()), Popularity())


def test_arrays_that_do_not_fit_the_catalogue_are_refused(catalogue):
    with pytest.raises(InvalidInputError, match="liked_by"):
        replace(catalogue, liked_by=np.ones(3, np.float32))


def test_neighbours_say_what_is_like_a_title_where_they_know_it(with_neighbours, recommender):
    context = RequestContext(page=PageConfig(row_size=40, min_row_size=1))
    near = with_neighbours.more_like(100, Viewer(), context, None)
    others = [id_ for id_ in ids(with_neighbours, near) if id_ in SECOND]
    assert others[0] == 130
    before = ids(recommender, recommender.more_like(100, Viewer(), context, None))
    assert 130 not in before[: len(FIRST)]


def test_a_title_without_neighbours_is_left_to_the_history_model(with_neighbours, recommender):
    context = RequestContext(page=PageConfig(row_size=10, min_row_size=1))
    asked = [
        source.more_like(110, Viewer(), context, None) for source in (with_neighbours, recommender)
    ]
    assert ids(with_neighbours, asked[0]) == ids(recommender, asked[1])


def test_what_was_liked_before_speaks_for_its_neighbours(with_neighbours):
    context = RequestContext(page=PageConfig(row_size=10, min_row_size=1))
    before = {131: 1.0, 100: 1.0, 999: 1.0}
    viewer = Viewer(liked={131: 1.0}, liked_before=before, seen=frozenset({131}))
    taste = with_neighbours.taste(viewer, CONTEXT)
    candidates = {
        row.kind: row for row in with_neighbours._candidate_rows(viewer, CONTEXT, taste, (), ())
    }
    row = candidates["from_likes"]
    assert ids(with_neighbours, row) == [130, 101]
    assert row.scores.tolist() == pytest.approx([0.9, 0.5])
    assert "from_likes" not in {r.kind for r in with_neighbours.home(Viewer(), context, None)}


@pytest.mark.parametrize("limit", [None, 0, 6, 12, 16, 18])
def test_nothing_above_the_limit_is_shown_anywhere(recommender, limit):
    fits = {
        int(id_) for id_, age in zip(IDS, MATURITY, strict=True) if limit is None or age <= limit
    }
    viewer = Viewer(
        liked={100: 1.0}, reasons=[100], unfinished=[124, 101], listed=[123], maturity_limit=limit
    )
    context = RequestContext(page=PageConfig(row_size=40, min_row_size=1))
    taste = recommender.taste(viewer, CONTEXT)
    for source in (recommender, PopularTitles(recommender.catalogue)):
        rows = source.home(viewer, context, taste)
        rows += source.suggestions(viewer, context, taste)
        rows += [source.more_like(100, viewer, context, taste)]
        shown = {id_ for row in rows for id_ in ids(recommender, row)}
        assert shown <= fits
        assert {id_ for id_ in fits if id_ not in (100, 101)} <= shown | {124, 123}


def test_who_hides_what_was_watched_finds_it_only_where_it_is_kept_by_hand(recommender):
    viewer = Viewer(seen=frozenset([138, 139, 137]), unfinished=[139], hides_watched=True)
    context = RequestContext(page=PageConfig(row_size=40, min_row_size=1))
    for source in (recommender, PopularTitles(recommender.catalogue)):
        rows = {row.kind: ids(recommender, row) for row in source.home(viewer, context, None)}
        assert rows.pop("continue_watching") == [139]
        assert not {138, 139, 137} & {id_ for row in rows.values() for id_ in row}
        told = source.home(replace(viewer, hides_watched=False), context, None)
        assert {138, 137} <= {id_ for row in told for id_ in ids(recommender, row)}
