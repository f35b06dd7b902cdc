"""Training evaluates what a release serves; what visits teach is served where it has won."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import EventKind, Requests, Sessions
from recommender.errors import ArtifactError
from recommender.models.content_vectors import ContentVectors
from recommender.models.ials import Ials, IalsConfig
from recommender.models.item_to_item import Neighbours
from recommender.models.larm import Larm, LarmConfig
from recommender.models.popularity import Popularity, spread
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from recommender.models.visit_counts import VisitCounts
from recommender.serving.learned_taste import LearnedRelease
from recommender.serving.recommender import Recommender
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from recommender.training import visits
from recommender.training.config import ReleaseConfig
from recommender.training.served_visits import ServedCatalogue, ServedVisits
from recommender.training.train import train_release
from recommender.vocabulary import Vocabulary

COUNT, RATED, FIRST = 90, 60, 100
PAIRS = 30
"""Title n and title n + 30 are opened one after the other, whatever their genres."""
CONFIG = ReleaseConfig(
    ials=IalsConfig(embedding_size=8, epochs=5, num_threads=1),
    larm=LarmConfig(rounds=1, patience=None),
    session_encoder=SessionEncoderConfig(
        width=8, num_blocks=1, epochs=2, max_events=8, learning_rate=1e-2,
        loss="sampled_softmax", num_negatives=32,
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def catalogue():
    """Three genres in turn; the last thirty titles nobody rated."""
    return Catalogue(
        Vocabulary(FIRST + np.arange(COUNT)),
        sparse.csr_array(np.eye(3, dtype=np.float32)[np.arange(COUNT) % 3]),
        np.array([1, 2, 3]),
        np.zeros(COUNT),
        np.zeros(COUNT, dtype=np.float32),
        1960 + np.arange(COUNT) % 50,
        np.zeros(COUNT, dtype=np.int64),
        sparse.csr_array((np.arange(COUNT) < 30).astype(np.float32)[:, None]),
        np.array([7]),
        np.ones(COUNT, dtype=bool),
    )


@pytest.fixture(scope="module")
def interactions():
    rng = np.random.default_rng(2)
    likes = rng.random((400, RATED)) < np.where(
        np.arange(400)[:, None] % 3 == np.arange(RATED) % 3, 0.3, 0.05
    )
    people, titles = likes.nonzero()
    return Interactions.from_pairs(people, FIRST + titles, np.arange(len(people)) * 1.0)


@pytest.fixture(scope="module")
def sessions():
    """400 people's visits of three opens, months later: a title, its pair, and the next pair."""
    rng = np.random.default_rng(3)
    people, items, at = [], [], []
    for person in range(400):
        for visit in range(4):
            start = int(rng.integers(PAIRS))
            opened = [start, start + PAIRS, (start + 1) % PAIRS + 2 * PAIRS]
            for n, item in enumerate(opened):
                people.append(person)
                items.append(item)
                at.append(1e7 + visit * 86_400 + person + 60.0 * n)
    return Sessions.from_events(people, items, at)


@pytest.fixture(scope="module")
def release(tmp_path_factory, catalogue, interactions, sessions):
    folder = tmp_path_factory.mktemp("learned") / "r"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visits, "MIN_TARGETS", 500)
        trained = train_release(
            interactions, CONFIG, folder, sessions=sessions, catalogue=catalogue
        )
    return folder, trained


def test_learned_weights_win_where_visits_repeat_themselves(release):
    _, trained = release
    sides = trained.metrics["visits"]
    assert sides["visit_side"] == "mixture", sides
    assert sides["sides"]["mixture"]["hr@20"] > sides["sides"]["prior"]["hr@20"] + 0.1
    weights = sides["weights"]["1"]
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["counts"] + weights["encoder"] > 0.3


def served_and_evaluated(release, catalogue, interactions, sessions, *, is_learned):
    """Return served scores of a request's viewer, and those that training computes for it."""
    folder, trained = release
    recommender = Recommender.load(folder, catalogue)
    popularity = Popularity.load(folder / "popularity")
    ials = Ials.load(folder / "ials")
    own = replace(catalogue, liked_by=spread(popularity.counts, popularity.items, catalogue))
    content = ContentVectors.load(folder / "content_vectors")
    served = ServedCatalogue(
        ials, own, content.placed(own, ials.items, ials.item_factors),
        Neighbours.load(folder / "larm", Larm.kind).over(own.titles, own.is_available),
        interactions.over(own.titles),
    )  # fmt: skip
    assert recommender._visits is not None
    if is_learned:
        reader = ServedVisits(served, SessionEncoder.load(folder / "session_encoder"))
        score = reader.by(trained.visits.learned)
    else:
        recommender._visits._learned = None
        score = ServedVisits(served).prior
    kinds = [EventKind.OPEN, EventKind.PLAY, EventKind.HIDE, EventKind.LIKE, EventKind.OPEN]
    titles, when = [4, 70, 8, 34, 50], 2e7 + 60.0 * np.arange(5)
    asked = Sessions.from_events([5] * 5, titles, when, kinds=kinds)
    evaluated = score(Requests(asked, np.array([4])), slice(None))[0]
    liked = interactions.items.ids[interactions.matrix[[5]].indices].tolist()
    viewer = Viewer(
        liked_before=dict.fromkeys(liked, 1.0),
        seen=frozenset(liked),
        excluded=frozenset([FIRST + 8]),
        profile_id=5,
        events=[
            ViewerEvent(kind, FIRST + title, at)
            for kind, title, at in zip(kinds[:4], titles[:4], when[:4].tolist(), strict=True)
        ],
    )
    taste = recommender.taste(viewer, RequestContext(now=float(when[4])))
    others = np.setdiff1d(np.arange(COUNT), [4, 70, 34])  # opened: served no higher than before
    return taste.scores[others], evaluated[others]


@pytest.mark.parametrize("is_learned", [False, True], ids=["prior", "mixture"])
def test_training_evaluates_what_is_served(release, catalogue, interactions, sessions, is_learned):
    served, evaluated = served_and_evaluated(
        release, catalogue, interactions, sessions, is_learned=is_learned
    )
    assert np.allclose(served, evaluated, atol=1e-3)
    assert np.ptp(served) > 1


def test_served_scores_follow_the_counts_of_visits(release, catalogue):
    """Of two unrated titles of one genre and nearly one year, one is opened after title 4."""
    folder, _ = release
    recommender = Recommender.load(folder, catalogue)
    viewer = Viewer(events=[ViewerEvent(EventKind.OPEN, FIRST + 34, 2e7)])
    scores = recommender.taste(viewer, RequestContext(now=2e7 + 30)).scores
    assert scores[65] > np.delete(scores, [4, 34, 65]).max()


def test_a_release_whose_mixture_did_not_win_is_read_by_the_prior(release, catalogue, tmp_path):
    folder, trained = release
    copied = tmp_path / "r"
    for part in ("ials", "popularity", "content_vectors", "visit_counts"):
        (copied / part).mkdir(parents=True)
        for file in (folder / part).iterdir():
            (copied / part / file.name).write_bytes(file.read_bytes())
    assert LearnedRelease.load(copied) is None, "an older release has no mixture"
    trained.visits.learned.mixture.save(copied / "visit_mixture")
    assert LearnedRelease.load(copied) is None, "it does not say that it won"
    assert LearnedRelease.load(folder) is not None


def test_a_broken_mixture_is_an_error(release, tmp_path):
    broken = tmp_path / "visit_mixture"
    broken.mkdir()
    (broken / "manifest.json").write_text("{}")
    with pytest.raises(ArtifactError):
        LearnedRelease.load(tmp_path)


def test_few_visits_teach_counts_without_an_encoder(catalogue, interactions, sessions, tmp_path):
    """Ten people's visits: no encoder, hardly changed weights, and the prior goes on reading."""
    few = sessions.of(np.arange(10))
    trained = train_release(interactions, CONFIG, tmp_path / "r", sessions=few, catalogue=catalogue)
    assert trained.visits.encoder is None
    assert trained.metrics["visits"]["visit_side"] == "prior"
    assert "encoder" not in trained.metrics["visits"]["weights"]["1"]
    assert VisitCounts.load(tmp_path / "r" / "visit_counts").support.any()
    recommender = Recommender.load(tmp_path / "r", catalogue)
    assert recommender._visits is not None
    assert recommender._visits._learned is None
