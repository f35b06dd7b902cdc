"""The taste of a viewer now: who has history alone, who the visit alone, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind, Sessions
from recommender.errors import ArtifactError, NotFittedError
from recommender.models.fusion import FusionGate
from recommender.models.ials import Ials, IalsConfig
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from recommender.serving.taste import Taste, TasteModel, recent_events
from recommender.vocabulary import Vocabulary

IDS = np.arange(100, 120)
HALF = 10
NOW = 1_000_000.0
CONTEXT = RequestContext(now=NOW)


@pytest.fixture(scope="module")
def sessions():
    """Every viewer stays within one half of the titles."""
    rng = np.random.default_rng(0)
    viewers = np.repeat(np.arange(120), 6)
    items = rng.integers(0, HALF, (120, 6)) + HALF * (np.arange(120) % 2)[:, None]
    return Sessions.from_events(viewers, items.ravel(), np.tile(np.arange(6) * 60.0, 120))


@pytest.fixture(scope="module")
def ials(sessions):
    pairs = sessions.viewers[sessions.viewer_of], IDS[sessions.items]
    return Ials(IalsConfig(6, 6, num_threads=1)).fit(Interactions.from_pairs(*pairs))


@pytest.fixture(scope="module")
def encoder(sessions, ials):
    config = SessionEncoderConfig(
        width=8, num_blocks=1, epochs=15, max_events=6, patience=None, learning_rate=1e-2
    )
    return SessionEncoder(config).fit(sessions, ials.items, ials.item_factors)


@pytest.fixture(scope="module")
def tastes(ials, encoder):
    return TasteModel(ials, encoder, FusionGate())


def opened(*title_ids, kind=EventKind.OPEN, is_this_visit=True):
    return [ViewerEvent(kind, id_, NOW - 60, is_this_visit) for id_ in title_ids]


def prefers_first_half(tastes, taste):
    scores = tastes.space @ taste.vector
    return scores[:HALF].mean() > scores[HALF:].mean()


def test_a_newcomer_has_the_visit_alone(tastes):
    taste = tastes.taste(Viewer(events=opened(112, 113)), CONTEXT)
    assert taste.visit_share == 1
    assert not prefers_first_half(tastes, taste)
    assert np.array_equal(taste.vector, taste.visit_vector)


def test_a_fresh_visit_has_the_history_alone(tastes):
    before = opened(112, 113, is_this_visit=False)
    viewer = Viewer(liked_before={101: 1.0, 102: 1.0}, events=before)
    taste = tastes.taste(viewer, CONTEXT)
    assert taste.visit_share == 0
    assert taste.visit_vector is None
    assert prefers_first_half(tastes, taste)


def test_both_are_weighed_against_each_other(tastes):
    viewer = Viewer(liked_before={101: 1.0, 102: 1.0}, events=opened(112, 113))
    taste = tastes.taste(viewer, CONTEXT)
    assert 0 < taste.visit_share < 1
    assert not prefers_first_half(tastes, replace(taste, vector=taste.visit_vector))


def test_sides_are_multiplied_out_when_they_are_first_read(tastes):
    """A keystroke reads neither side: one product with the catalogue instead of three."""
    products = []

    class Space(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **_):
            products.append(ufunc)
            return ufunc(*(np.asarray(one) for one in inputs))

    viewer = Viewer(liked_before={101: 1.0, 102: 1.0}, events=opened(112, 113))
    vectors = tastes.taste(viewer, CONTEXT)
    taste = Taste.of_vectors(vectors, tastes.space.view(Space))
    assert np.array_equal(taste.scores, tastes.space @ vectors.vector)
    assert products == [np.matmul]
    for _ in range(2):
        assert taste.history is not None
        assert taste.visit is not None
        assert np.array_equal(taste.history, tastes.space @ vectors.history_vector)
        assert np.array_equal(taste.visit, tastes.space @ vectors.visit_vector)
    assert products == [np.matmul] * 3


def test_a_taste_has_the_sides_that_its_vectors_have(tastes):
    vectors = tastes.taste(Viewer(events=opened(112)), CONTEXT)
    assert Taste.of_vectors(vectors, tastes.space).history is None
    vectors = tastes.taste(Viewer(liked_before={101: 1.0}), CONTEXT)
    assert Taste.of_vectors(vectors, tastes.space).visit is None


def test_one_more_event_changes_the_very_next_taste(tastes):
    one = tastes.taste(Viewer(events=opened(112)), CONTEXT).vector
    two = tastes.taste(Viewer(events=opened(112, 103)), CONTEXT).vector
    assert not np.array_equal(one, two)


@pytest.mark.parametrize(
    "events",
    [
        [],
        opened(112, 113, kind=EventKind.HIDE),
        opened(112, kind=EventKind.DISLIKE),
        opened(998, 999),
        [ViewerEvent(EventKind.SEARCH, None, NOW - 5, query="western")],
    ],
)
def test_a_visit_that_says_nothing_positive_is_a_fresh_one(tastes, events):
    assert tastes.taste(Viewer(events=events), CONTEXT) is None
    known = Viewer(liked_before={101: 1.0}, events=events)
    assert tastes.taste(known, CONTEXT).visit_share == 0


def test_refusals_beside_a_choice_are_read(tastes):
    chosen = opened(112)
    refused = opened(103, kind=EventKind.HIDE) + chosen
    one, other = (tastes.taste(Viewer(events=e), CONTEXT).vector for e in (chosen, refused))
    assert not np.allclose(one, other)


def test_ten_thousand_events_are_served_from_the_newest():
    events = opened(*np.resize(IDS, 10_000).tolist())
    recent = recent_events(events, NOW, Vocabulary(IDS), 50)
    assert recent.items.shape == (1, 50)
    assert recent.items[0, -1] == np.resize(IDS, 10_000)[-1] - 100


def test_a_title_played_on_counts_once():
    played = [
        ViewerEvent(kind, 101, NOW + n)
        for n, kind in enumerate([EventKind.PLAY, *[EventKind.PROGRESS] * 80, EventKind.STOP])
    ]
    recent = recent_events([*opened(105), *played], NOW + 99, Vocabulary(IDS), 50)
    assert recent.items[0].tolist() == [5, 1]
    assert recent.kinds[0].tolist() == [EventKind.OPEN, EventKind.STOP]


def test_a_release_without_an_encoder_folds_the_visit_into_the_history(ials):
    tastes = TasteModel(ials)
    taste = tastes.taste(Viewer(liked={101: 1.0, 112: 2.0}, events=opened(112)), CONTEXT)
    assert taste.visit_share is None
    assert taste.vector.shape == (ials.item_factors.shape[1],)


def test_models_of_different_items_are_refused(ials, encoder, sessions):
    fewer = Ials(IalsConfig(6, 2)).fit(
        Interactions.from_pairs(sessions.viewer_of[:30], IDS[sessions.items[:30]])
    )
    with pytest.raises(ArtifactError, match="must be trained together"):
        TasteModel(fewer, encoder, FusionGate())
    with pytest.raises(ArtifactError, match="needs its fusion gate"):
        TasteModel(ials, encoder)
    with pytest.raises(NotFittedError):
        TasteModel(Ials())


def test_what_was_written_answers_as_before(tastes, ials, encoder, tmp_path):
    ials.save(tmp_path / "ials")
    encoder.save(tmp_path / "session_encoder")
    with pytest.raises(ArtifactError):
        TasteModel.load(tmp_path)
    FusionGate().save(tmp_path / "fusion")
    viewer = Viewer(liked_before={101: 1.0}, events=opened(112, 113))
    loaded = TasteModel.load(tmp_path).taste(viewer, CONTEXT)
    assert np.array_equal(loaded.vector, tastes.taste(viewer, CONTEXT).vector)


def test_like_is_the_taste_of_one_title(tastes):
    vector = tastes.like(101)
    scores = tastes.space @ vector
    assert scores[:HALF].mean() > scores[HALF:].mean()
    assert tastes.like(999) is None
