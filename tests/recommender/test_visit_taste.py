"""The taste of a visit by its prior, and what a release with content vectors serves."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.artifacts import Provenance
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind, Sessions
from recommender.models.fusion import FusionGate
from recommender.models.ials import Ials, IalsConfig
from recommender.models.popularity import Popularity
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from recommender.models.visit_intents import FIRST_CONFIG, VisitIntents, VisitIntentsConfig
from recommender.ranking.page import PageConfig
from recommender.serving.recommender import Recommender
from recommender.serving.request import RequestContext, ShownRow, Viewer, ViewerEvent
from recommender.serving.taste import TasteModel
from recommender.training.config import ReleaseConfig
from recommender.training.train import train_release
from recommender.vocabulary import Vocabulary

COUNT, RATED = 90, 60
FIRST = 100
WESTERN, ROMANCE, COMEDY = 1, 2, 3
CONTEXT = RequestContext(now=1000.0, page=PageConfig(row_size=12))
WESTERNS = FIRST + np.arange(0, COUNT, 3)
ROMANCES = WESTERNS + 1


def catalogue_of(count: int = COUNT) -> Catalogue:
    """Westerns, romances and comedies in turn; a person directed the first thirty."""
    return Catalogue(
        Vocabulary(FIRST + np.arange(count)),
        sparse.csr_array(np.eye(3, dtype=np.float32)[np.arange(count) % 3]),
        np.array([WESTERN, ROMANCE, COMEDY]),
        np.zeros(count),
        np.zeros(count, dtype=np.float32),
        np.full(count, 1990),
        np.zeros(count, dtype=np.int64),
        sparse.csr_array((np.arange(count) < 30).astype(np.float32)[:, None]),
        np.array([7]),
        np.ones(count, dtype=bool),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A release of sixty people who like a genre each; the last thirty titles nobody rated."""
    rng = np.random.default_rng(2)
    likes = rng.random((60, RATED)) < np.where(
        np.arange(60)[:, None] % 3 == np.arange(RATED) % 3, 0.6, 0.05
    )
    people, titles = likes.nonzero()
    folder = tmp_path_factory.mktemp("release") / "r"
    config = ReleaseConfig(ials=IalsConfig(embedding_size=8, epochs=5, num_threads=1), larm=None)
    train_release(
        Interactions.from_pairs(people, FIRST + titles, np.arange(len(people)) * 1.0),
        config,
        folder,
        catalogue=catalogue_of(),
    )
    return folder


@pytest.fixture(scope="module")
def recommender(folder):
    return Recommender.load(folder, catalogue_of())


def lover_of_romance(*events: ViewerEvent, **fields) -> Viewer:
    liked = dict.fromkeys(ROMANCES[:8].tolist(), 1.0)
    return Viewer(liked_before=liked, liked=liked, events=events, profile_id=4, **fields)


def did(kind: EventKind, title_id, at=990.0, **fields) -> ViewerEvent:
    return ViewerEvent(kind, None if title_id is None else int(title_id), at, **fields)


def rank_of(scores, titles):
    """The mean rank of some titles, 0 the best."""
    return np.argsort(np.argsort(-scores))[titles - FIRST].mean()


def scores_of(recommender, viewer):
    return recommender.taste(viewer, CONTEXT).scores


def test_without_events_the_order_is_the_history_s(recommender):
    taste = recommender.taste(lover_of_romance(), CONTEXT)
    assert np.array_equal(taste.scores, taste.history)
    assert taste.visit is None
    assert taste.visit_share == 0
    assert rank_of(taste.scores, ROMANCES) < rank_of(taste.scores, WESTERNS)


def test_an_open_raises_what_is_like_it_rated_or_not(recommender):
    before = scores_of(recommender, lover_of_romance())
    viewer = lover_of_romance(did(EventKind.OPEN, WESTERNS[3]))
    taste = recommender.taste(viewer, CONTEXT)
    others = np.delete(WESTERNS, 3)
    assert rank_of(taste.scores, others) < rank_of(before, others)
    unrated = WESTERNS[WESTERNS >= FIRST + RATED]
    assert rank_of(taste.scores, unrated) < rank_of(before, unrated)
    assert 0 < taste.visit_share < 1
    assert set(taste.aspects) == set(VisitIntentsConfig().aspects)


def test_the_opened_title_itself_gains_nothing(recommender):
    opened = WESTERNS[3] - FIRST
    before = scores_of(recommender, lover_of_romance())
    taste = recommender.taste(lover_of_romance(did(EventKind.OPEN, WESTERNS[3])), CONTEXT)
    assert taste.scores[opened] <= before[opened]
    assert taste.visit[opened] == taste.visit.min()


def test_an_unrated_title_that_is_opened_speaks_too(recommender):
    viewer = lover_of_romance(did(EventKind.OPEN, WESTERNS[-1]))
    before = scores_of(recommender, lover_of_romance())
    assert rank_of(scores_of(recommender, viewer), WESTERNS[:-1]) < rank_of(before, WESTERNS[:-1])


def test_a_refusal_lowers_what_is_like_it_and_makes_no_row(recommender):
    before = scores_of(recommender, lover_of_romance())
    taste = recommender.taste(lover_of_romance(did(EventKind.HIDE, WESTERNS[3])), CONTEXT)
    assert (taste.scores - before)[WESTERNS - FIRST].max() < 0
    assert taste.visit is None
    rows = recommender.home(lover_of_romance(did(EventKind.HIDE, WESTERNS[3])), CONTEXT, taste)
    assert "this_visit" not in {row.kind for row in rows}


def test_what_was_refused_after_it_was_opened_is_a_refusal(recommender):
    events = did(EventKind.OPEN, WESTERNS[3]), did(EventKind.STOP, WESTERNS[3], 995.0)
    assert recommender.taste(lover_of_romance(*events), CONTEXT).visit is None


def test_a_search_for_a_genre_or_a_person_counts_like_an_open(recommender):
    before = scores_of(recommender, lover_of_romance())
    searched = lover_of_romance(did(EventKind.SEARCH, None, query="western", genre_ids=(WESTERN,)))
    assert rank_of(scores_of(recommender, searched), WESTERNS) < rank_of(before, WESTERNS)
    by_person = lover_of_romance(did(EventKind.SEARCH, None, query="ford", person_ids=(7,)))
    of_person = FIRST + np.arange(30)
    assert rank_of(scores_of(recommender, by_person), of_person) < rank_of(before, of_person)
    words_alone = lover_of_romance(did(EventKind.SEARCH, None, query="zzz"))
    assert np.array_equal(scores_of(recommender, words_alone), before)


def test_events_of_earlier_visits_are_history(recommender):
    before = did(EventKind.OPEN, WESTERNS[3], is_this_visit=False)
    taste = recommender.taste(lover_of_romance(before), CONTEXT)
    assert taste.visit_share == 0


def test_a_later_play_says_more_than_an_open_and_a_newer_title_more_than_an_older(recommender):
    lifts = [
        scores_of(recommender, lover_of_romance(did(kind, WESTERNS[3])))[WESTERNS[5] - FIRST]
        for kind in (EventKind.OPEN, EventKind.PLAY, EventKind.FINISH)
    ]
    assert lifts == sorted(lifts)
    events = did(EventKind.OPEN, WESTERNS[3]), did(EventKind.OPEN, WESTERNS[3] + 2, 995.0)
    one = scores_of(recommender, lover_of_romance(*events))
    other = scores_of(recommender, lover_of_romance(*events[::-1]))
    assert one[WESTERNS[5] - FIRST] < other[WESTERNS[5] - FIRST]


def test_a_newcomer_is_served_by_the_visit_and_by_what_people_like(recommender):
    assert recommender.taste(Viewer(), CONTEXT) is None
    viewer = Viewer(events=[did(EventKind.OPEN, WESTERNS[3])])
    taste = recommender.taste(viewer, CONTEXT)
    assert taste.history is None
    assert taste.visit_share == 1
    assert rank_of(taste.scores, WESTERNS) < rank_of(taste.scores, ROMANCES)
    assert recommender.taste(Viewer(events=[did(EventKind.HIDE, WESTERNS[3])]), CONTEXT) is None


def test_unrated_titles_stand_in_rows_of_taste_and_beside_what_they_are_like(recommender):
    rated = WESTERNS[WESTERNS < FIRST + RATED].tolist()
    liked = dict.fromkeys(rated, 1.0)
    opened = did(EventKind.OPEN, WESTERNS[3])
    viewer = Viewer(liked_before=liked, events=[opened], seen=frozenset(rated))
    rows = recommender.home(viewer, CONTEXT, recommender.taste(viewer, CONTEXT))
    shown = {row.kind: recommender.catalogue.titles.ids_of(row.items) for row in rows}
    assert np.isin(WESTERNS[20:], shown["this_visit"]).any()
    similar = recommender.more_like(int(WESTERNS[-1]), Viewer(), CONTEXT, None)
    assert set(recommender.catalogue.titles.ids_of(similar.items)) <= set(WESTERNS.tolist())


def test_a_title_new_in_the_catalogue_is_recommended_without_training(folder):
    later = Recommender.load(folder, catalogue_of(COUNT + 6))
    taste = later.taste(lover_of_romance(), CONTEXT)
    new_romance, new_western = COUNT + 1, COUNT
    assert taste.scores[new_romance] > taste.scores[new_western]


def test_a_history_of_rated_titles_says_what_it_said(folder, recommender):
    viewer = lover_of_romance()
    older = Ials.load(folder / "ials")
    row = np.zeros((1, len(older.items)), dtype=np.float32)
    row[0, older.items.items_of(list(viewer.liked_before))] = 1
    vector = older.fold_in(sparse.csr_array(row))[0]
    assert np.allclose(recommender._tastes.history(viewer.liked_before), vector, atol=1e-6)


def test_a_kept_history_says_after_an_event_what_a_fresh_one_does(folder, recommender):
    """A history is worked out once; another event, or another history, is not taken for it."""
    for events in ([], [WESTERNS[3]], [WESTERNS[3], ROMANCES[2]]):
        for liked in (lover_of_romance().liked_before, {int(WESTERNS[7]): 1.0}, {}):
            viewer = replace(
                lover_of_romance(*(did(EventKind.OPEN, title) for title in events)),
                liked_before=liked,
            )
            kept = recommender.taste(viewer, CONTEXT)
            fresh = Recommender.load(folder, catalogue_of()).taste(viewer, CONTEXT)
            assert (kept is None) == (fresh is None) == (not events and not liked)
            if kept is not None and fresh is not None:
                assert np.array_equal(kept.scores, fresh.scores)
                assert kept.aspects == fresh.aspects


def test_rows_kept_with_a_taste_are_those_of_a_fresh_release(folder):
    """What the rows are made from beside the viewer may change from page to page."""
    used = Recommender.load(folder, catalogue_of())
    wide = RequestContext(page=replace(CONTEXT.page, min_row_size=2, visit_leads=True))
    viewer = lover_of_romance(did(EventKind.OPEN, WESTERNS[3]))
    seen = replace(viewer, seen=frozenset(ROMANCES[:9].tolist()))
    shown = [ShownRow("this_visit", None, WESTERNS[4:8].tolist(), [1.0] * 4, 2)]
    for who in (viewer, seen, viewer):
        for context in (CONTEXT, wide):
            for on_screen, played in (((), ()), (shown, ()), ((), ROMANCES[:9].tolist())):
                fresh = Recommender.load(folder, catalogue_of())
                one, other = (
                    source.home(who, context, source.taste(who, context), on_screen, played)
                    for source in (used, fresh)
                )
                assert [row.kind for row in one] == [row.kind for row in other]
                for a, b in zip(one, other, strict=True):
                    assert np.array_equal(a.items, b.items)
                    assert np.array_equal(a.scores, b.scores)
                    assert a.reason == b.reason
    taste = used.taste(viewer, CONTEXT)
    assert used.taste(seen, CONTEXT) is not taste
    assert len(taste.derived) == 2


def test_a_taste_of_another_viewer_brings_no_rows_of_theirs(folder):
    used, fresh = (Recommender.load(folder, catalogue_of()) for _ in range(2))
    viewer = lover_of_romance()
    used.home(viewer, CONTEXT, used.taste(viewer, CONTEXT))
    other = replace(viewer, seen=frozenset(ROMANCES[:9].tolist()))
    rows, twins = (
        source.home(other, CONTEXT, source.taste(viewer, CONTEXT)) for source in (used, fresh)
    )
    assert [row.items.tolist() for row in rows] == [row.items.tolist() for row in twins]


def test_without_the_artifact_a_release_works_as_before(folder):
    older = Recommender(
        catalogue_of(),
        TasteModel.load(folder),
        Popularity.load(folder / "popularity"),
    )
    opened = lover_of_romance(did(EventKind.OPEN, WESTERNS[3]))
    liked = {**opened.liked, int(WESTERNS[3]): 1.0}
    taste = older.taste(replace(opened, liked=liked), CONTEXT)
    assert taste.visit_share is None
    assert not taste.scores[RATED:].any()
    assert older.similarity(3) is None


def test_a_release_is_read_by_the_constants_that_it_notes(folder, tmp_path):
    """One that notes none was made before constants were noted, and its slates need the first."""
    config = VisitIntentsConfig(reliability=0.5)
    viewer = lover_of_romance(did(EventKind.OPEN, WESTERNS[3]))
    catalogue = catalogue_of()
    scores = {}
    for name, noted in {"none": None, "first": FIRST_CONFIG, "own": config}.items():
        release = tmp_path / name
        for part in ("ials", "popularity", "content_vectors"):
            shutil.copytree(folder / part, release / part)
        if noted is not None:
            VisitIntents(noted).save(release / "visit_intents")
        scores[name] = Recommender.load(release, catalogue).taste(viewer, CONTEXT).scores
    assert np.allclose(scores["none"], scores["first"], atol=1e-5)  # by aspects in another order
    assert not np.allclose(scores["none"], scores["own"])


def test_the_encoder_reads_visits_only_where_the_release_says_that_it_won(folder, tmp_path):
    ials = Ials.load(folder / "ials")
    rng = np.random.default_rng(1)
    config = SessionEncoderConfig(width=8, num_blocks=1, epochs=1, patience=None)
    sessions = Sessions.from_events(
        np.repeat(np.arange(40), 6), rng.integers(0, RATED, 240), np.tile(np.arange(6) * 60.0, 40)
    )
    encoder = SessionEncoder(config).fit(sessions, ials.items, ials.item_factors)
    viewer = lover_of_romance(did(EventKind.OPEN, WESTERNS[3]))
    is_prior = {}
    for side in ("prior", "encoder"):
        release = tmp_path / side
        for part in ("ials", "popularity", "content_vectors"):
            shutil.copytree(folder / part, release / part)
        encoder.save(release / "session_encoder")
        FusionGate().save(release / "fusion", Provenance(metrics={"visit_side": side}))
        taste = Recommender.load(release, catalogue_of()).taste(viewer, CONTEXT)
        is_prior[side] = bool(taste.aspects)
        assert taste.scores[RATED:].any(), "unrated titles are scored either way"
    assert is_prior == {"prior": True, "encoder": False}


def test_what_was_passed_over_lowers_what_is_like_it_by_a_bounded_share(recommender):
    """Passing over a dozen romances lowers their like by less than a standard deviation."""
    viewer = lover_of_romance(did(EventKind.OPEN, WESTERNS[0]))
    plain = recommender.taste(viewer, CONTEXT)
    other = ROMANCES[20:]
    shares = []
    for passed in (ROMANCES[8:9], ROMANCES[8:20], np.repeat(ROMANCES[8:20], 5)):
        taste = recommender.taste(replace(viewer, passed_over=passed.tolist()), CONTEXT)
        gap = np.mean([plain.scores[id_ - FIRST] - taste.scores[id_ - FIRST] for id_ in other])
        shares.append(gap - np.mean(plain.scores - taste.scores))
    assert 0 < shares[0] < shares[1]
    assert shares[2] == pytest.approx(shares[1], rel=1e-5)  # a title counts once, all are capped
    assert shares[1] < 1.0  # of a standard deviation of the long-term score
