"""A visit read over a part of a large catalogue leads to the titles that all of it would."""

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.sessions import EventKind
from recommender.models.item_to_item import Neighbours
from recommender.models.likeness import Likeness
from recommender.serving import visit_taste
from recommender.serving.request import Viewer, ViewerEvent
from recommender.serving.visit_scope import HEADS, READ_WHOLE, VisitScope
from recommender.serving.visit_taste import VisitTaste
from recommender.vocabulary import Vocabulary

SIZE, FIRST, LISTED = READ_WHOLE + 10_000, 1000, 200


@pytest.fixture(scope="module")
def large():
    """A catalogue whose titles have genres, casts, years, likers and places of their own."""
    rng = np.random.default_rng(11)
    genres = sparse.csr_array((rng.random((SIZE, 20)) < 0.12).astype(np.float32))
    cast = rng.integers(0, 30_000, SIZE * 8)
    people = sparse.csr_array(
        (np.ones(SIZE * 8, dtype=np.float32), (np.repeat(np.arange(SIZE), 8), cast)),
        shape=(SIZE, 30_000),
    )
    liked_by = np.floor(rng.pareto(1.0, SIZE) * 2).astype(np.float32)
    catalogue = Catalogue(
        Vocabulary(FIRST + np.arange(SIZE)), genres, np.arange(20), np.zeros(SIZE), liked_by,
        rng.integers(1930, 2025, SIZE), np.zeros(SIZE, dtype=np.int64), people,
        np.arange(30_000), rng.random(SIZE) < 0.95,
    )  # fmt: skip
    tastes = rng.normal(size=(20, 16))
    vectors = (genres @ tastes + rng.normal(size=(SIZE, 16))).astype(np.float32)
    kept = np.argsort(-liked_by)[:3000]
    near = rng.choice(kept, (3000, 20)).astype(np.int32)
    strengths = rng.random((3000, 20), dtype=np.float32)
    neighbours = Neighbours(catalogue.titles, np.sort(kept), near, strengths)
    return catalogue, Likeness(catalogue, vectors, neighbours), vectors


def tastes_of(large, viewer, history, monkeypatch):
    """Return the taste by a part of the titles, and by all of them."""
    catalogue, likeness, _ = large
    visits = VisitTaste(catalogue, likeness)
    part = visits.long_term(history)
    assert part.scope is not None
    with monkeypatch.context() as whole:
        whole.setattr(visit_taste, "READ_WHOLE", SIZE)
        all_of_it = visits.long_term(history)
    assert all_of_it.scope is None
    return visits.taste(viewer, part), visits.taste(viewer, all_of_it)


@pytest.mark.parametrize("opened", [1, 3, 8])
@pytest.mark.parametrize("depth", [100, 20_000])
def test_the_first_titles_are_those_of_the_whole(large, opened, depth, monkeypatch):
    catalogue, _, vectors = large
    rng = np.random.default_rng(opened)
    history = vectors @ rng.normal(size=16).astype(np.float32) + np.log1p(catalogue.liked_by)
    ranked = np.argsort(-history)
    items = rng.choice(ranked[:depth], opened, replace=False)
    events = [
        ViewerEvent(EventKind.OPEN, FIRST + int(item), 1.0)
        for item in items
        if catalogue.is_available[item]
    ]
    seen = frozenset((FIRST + ranked[:50:3]).tolist())
    passed_over = (FIRST + ranked[100:120]).tolist()
    viewer = Viewer(events=events, seen=seen, passed_over=passed_over)
    part, whole = tastes_of(large, viewer, history.astype(np.float32), monkeypatch)
    for name in ("scores", "visit"):
        mine, all_ = (np.argsort(-getattr(taste, name))[:LISTED] for taste in (part, whole))
        assert len(np.intersect1d(mine, all_)) >= 0.99 * LISTED, name
    assert part.visit_share == pytest.approx(whole.visit_share, abs=0.02)
    assert part.aspects == pytest.approx(whole.aspects, abs=0.02)
    others = np.setdiff1d(np.arange(SIZE), ranked[:HEADS])
    assert abs(part.scores[others].mean() - whole.scores[others].mean()) < 0.1  # of some 2


def test_the_sample_weighs_what_it_stands_for(large):
    odds = VisitTaste(large[0], large[1]).long_term(large[2][:, 0]).odds
    scope = VisitScope.of(odds)
    assert (np.diff(scope.items) > 0).all()
    total = float(scope.masses @ odds.relative[scope.items])
    assert total == pytest.approx(float(odds.relative.sum()), rel=1e-3)
    more = scope.with_titles(np.array([5, 5, 7, int(scope.items[0])]))
    assert set(more.items) == {*scope.items, 5, 7}
    assert float(more.masses.sum()) == pytest.approx(float(scope.masses.sum()))


def test_a_small_catalogue_is_read_whole(large):
    small = large[0].part_from(SIZE - 100)
    likeness = Likeness(small, large[2][-100:])
    assert VisitTaste(small, likeness).long_term(large[2][-100:, 0]).scope is None
