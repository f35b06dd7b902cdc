"""The session encoder: what it learns, what it must not see, and what it refuses."""

from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest
import torch

from recommender.artifacts import load_artifact, save_artifact
from recommender.data.sessions import EventKind, RecentEvents, Sessions, last_of_each, next_in_visit
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from recommender.models.session_events import gap_buckets, silence_buckets
from recommender.models.session_windows import Windows
from recommender.vocabulary import UNKNOWN, Vocabulary

ITEMS = Vocabulary(np.arange(100, 112))
SMALL = SessionEncoderConfig(
    width=16, num_blocks=1, epochs=30, max_events=6, batch_events=256, dropout=0.0, hide_recent=0.0,
    learning_rate=1e-2, patience=None,
)  # fmt: skip


def circling(viewers=80, length=5, seed=0):
    """Everyone walks the circle of items from somewhere: the next item follows from the last."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, len(ITEMS), viewers)
    items = (start[:, None] + np.arange(length)) % len(ITEMS)
    owners = np.repeat(np.arange(viewers), length)
    return Sessions.from_events(owners, items.ravel(), np.tile(np.arange(length) * 60.0, viewers))


def recent(items, kinds=None, at=None, this_visit=None, now=1000.0, queries=None):
    there = np.ones((1, len(items)), dtype=bool)
    return RecentEvents(
        np.array([items]),
        np.array([kinds or [0] * len(items)], dtype=np.int8),
        np.array([at or [float(60 * n) for n in range(len(items))]]),
        there,
        np.array([this_visit or [True] * len(items)]),
        np.array([now]),
        queries or {},
    )


@pytest.fixture(scope="module")
def fitted():
    return SessionEncoder(SMALL).fit(circling(), ITEMS)


@pytest.mark.parametrize("loss", ["softmax", "sampled_softmax", "gbce", "bce"])
def test_it_learns_what_follows_what(loss):
    config = replace(SMALL, loss=loss, num_negatives=6, epochs=80)
    requests = next_in_visit(circling(seed=1))
    scores = SessionEncoder(config).fit(circling(), ITEMS).score(requests, slice(0, len(requests)))
    assert (scores.argmax(axis=1) == requests.targets).mean() > 0.8


def test_what_comes_later_is_not_seen(fitted):
    sessions = circling(3, 5)
    requests = next_in_visit(sessions)
    changed = replace(sessions, items=np.where(np.arange(15) % 5 < 3, sessions.items, 0))
    early = np.flatnonzero(requests.events % 5 < 3)
    before = fitted.score(requests, slice(None))[early]
    after = fitted.score(replace(requests, sessions=changed), slice(None))[early]
    assert np.array_equal(before, after)


def test_free_places_change_nothing(fitted):
    requests = next_in_visit(circling(4, 5))
    together = fitted.encode(requests.recent(slice(None), 6))
    alone = [fitted.encode(requests.recent(slice(n, n + 1), 6))[0] for n in range(len(requests))]
    assert np.allclose(together, alone, atol=1e-5)


def test_the_same_seed_gives_the_same_bits():
    config = replace(SMALL, epochs=2, dropout=0.2, hide_recent=0.3, loss="sampled_softmax")
    torch.manual_seed(1)
    one = SessionEncoder(config).fit(circling(), ITEMS)
    torch.manual_seed(2)
    other = SessionEncoder(config).fit(circling(), ITEMS)
    assert np.array_equal(one.item_vectors, other.item_vectors)
    assert not np.array_equal(
        SessionEncoder(replace(config, seed=1)).fit(circling(), ITEMS).item_vectors,
        one.item_vectors,
    )


def test_a_saved_encoder_answers_as_before(fitted, tmp_path):
    fitted.save(tmp_path / "encoder")
    loaded = SessionEncoder.load(tmp_path / "encoder")
    requests = next_in_visit(circling(4, 5))
    assert np.array_equal(loaded.score(requests, slice(None)), fitted.score(requests, slice(None)))
    assert loaded.config == fitted.config


def test_an_artifact_of_another_shape_is_refused(fitted, tmp_path):
    broken = SessionEncoder(replace(SMALL, width=32))
    broken.items, broken._network = fitted.items, fitted._network
    broken.save(tmp_path / "encoder")
    with pytest.raises(ArtifactError, match="no readable artifact"):
        SessionEncoder.load(tmp_path / "encoder")


@dataclass(frozen=True)
class EarlierConfig(SessionEncoderConfig):
    """Settings as artifacts hold them that were written while there was a second architecture."""

    architecture: str = "transformer"


EARLIER_NAMES = {
    "blocks.0.attention.qkv.weight": "blocks.0.attention.weight",
    "blocks.0.attention.out_proj.weight": "blocks.0.merge.weight",
    "blocks.0.mlp_norm.weight": "blocks.0.feed_norm.weight",
    "blocks.0.mlp_norm.bias": "blocks.0.feed_norm.bias",
    "blocks.0.mlp.0.weight": "blocks.0.feed.0.weight",
    "blocks.0.mlp.0.bias": "blocks.0.feed.0.bias",
    "blocks.0.mlp.3.weight": "blocks.0.feed.3.weight",
    "blocks.0.mlp.3.bias": "blocks.0.feed.3.bias",
}


def save_as_before(encoder, folder, architecture):
    arrays = {"item_ids": encoder.items.ids}
    for name, tensor in encoder._network.state_dict().items():
        arrays[EARLIER_NAMES.get(name, name)] = tensor.numpy()
    config = EarlierConfig(**asdict(encoder.config), architecture=architecture)
    save_artifact(folder, "session_encoder", config, arrays)


def test_an_artifact_with_earlier_parameter_names_loads(fitted, tmp_path):
    save_as_before(fitted, tmp_path / "encoder", "transformer")
    arrays = load_artifact(tmp_path / "encoder").arrays
    assert "blocks.0.merge.weight" in arrays
    assert "blocks.0.mlp.0.weight" not in arrays
    loaded = SessionEncoder.load(tmp_path / "encoder")
    assert loaded.config == fitted.config
    np.testing.assert_array_equal(loaded.item_vectors, fitted.item_vectors)
    request = recent([1, 2, 3])
    np.testing.assert_array_equal(loaded.encode(request), fitted.encode(request))


def test_an_artifact_of_a_removed_architecture_is_refused(fitted, tmp_path):
    save_as_before(fitted, tmp_path / "encoder", "gru")
    with pytest.raises(ArtifactError, match="architecture = 'gru' is no longer supported"):
        SessionEncoder.load(tmp_path / "encoder")


def test_nothing_remembered_is_the_zero_vector(fitted):
    nothing = RecentEvents(
        np.full((1, 1), UNKNOWN), np.zeros((1, 1), np.int8), np.zeros((1, 1)),
        np.zeros((1, 1), bool), np.zeros((1, 1), bool), np.zeros(1),
    )  # fmt: skip
    assert not fitted.encode(nothing).any()


def test_unknown_titles_and_refusals_alone_are_encoded(fitted):
    for each in (
        recent([UNKNOWN, UNKNOWN]),
        recent([1, 2], kinds=[EventKind.DISLIKE, EventKind.HIDE]),
        recent([UNKNOWN], kinds=[EventKind.SEARCH], queries={(0, 0): "space robots"}),
    ):
        vector = fitted.encode(each)
        assert np.isfinite(vector).all()
        assert vector.any()


def test_a_refusal_points_away_from_its_title():
    encoder = SessionEncoder(SMALL).fit(circling(), ITEMS)
    liked = encoder.encode(recent([3], kinds=[EventKind.LIKE]))
    hidden = encoder.encode(recent([3], kinds=[EventKind.HIDE]))
    assert not np.allclose(liked, hidden, atol=0.05)


def test_words_typed_and_silence_are_read(fitted):
    typed = [
        fitted.encode(recent([1, UNKNOWN], kinds=[0, EventKind.SEARCH], queries={(0, 1): words}))
        for words in ("western", "musical")
    ]
    assert not np.array_equal(*typed)
    same_night = fitted.encode(recent([1, 2], now=200.0, this_visit=[False, False]))
    assert same_night.any()


def test_buckets():
    assert gap_buckets(np.array([[0.0, 1.0, 4.0, 1e12]])).tolist() == [[0, 1, 2, 23]]
    minutes = np.array([[0.0, 30.0, 31.0, 60.0 * 24]]) * 60
    assert silence_buckets(minutes).tolist() == [[0, 0, 1, 6]]


def test_agreement_is_a_cosine_in_the_encoders_space():
    factors = np.eye(len(ITEMS), 8, dtype=np.float32)
    encoder = SessionEncoder(replace(SMALL, epochs=1)).fit(circling(), ITEMS, factors)
    projected = encoder._network.project(torch.from_numpy(factors[:3])).detach().numpy()
    vectors = np.concatenate([projected, np.zeros((3, 1), np.float32)], axis=1)
    assert np.allclose(encoder.agreement(factors[:3], 5 * vectors), 1, atol=1e-5)
    assert not encoder.agreement(np.zeros((3, 8), np.float32), vectors).any()
    without = SessionEncoder(replace(SMALL, epochs=1)).fit(circling(), ITEMS)
    assert not without.agreement(factors[:3], vectors).any()


def test_old_windows_are_read_less_often():
    days = np.array([0.0, 1.0, 2.0]) * 86_400
    at = (days[:, None] + np.arange(2.0)).ravel()
    sessions = Sessions.from_events([1, 1, 2, 2, 3, 3], [0, 1] * 3, at)
    windows = Windows.of(sessions, 6, half_life_hours=24)
    assert windows.share.tolist() == pytest.approx([0.25, 0.5, 1.0], rel=1e-3)
    rng = np.random.default_rng(0)
    read = np.concatenate([row for _ in range(400) for row in windows.batches(2, rng)])
    counts = np.bincount(read, minlength=3)
    assert counts[2] == 400
    assert 60 < counts[0] < 140 < counts[1] < 260


def test_the_best_epoch_is_kept():
    values = iter([0.1, 0.9, 0.3, 0.2, 0.1])
    kept = []

    def judge(encoder):
        kept.append(encoder.item_vectors.copy())
        return next(values)

    encoder = SessionEncoder(replace(SMALL, patience=2, epochs=5))
    encoder.fit(circling(), ITEMS, validation=judge)
    assert len(kept) == 4
    assert np.array_equal(encoder.item_vectors, kept[1])


def test_every_event_but_a_viewers_first_is_foretold_once():
    sessions = circling(3, 23)
    windows = Windows.of(sessions, 6)
    config = replace(SMALL, max_events=6)
    rng = np.random.default_rng(0)
    foretold = []
    for rows in windows.batches(40, rng):
        _, targets, is_target = windows.batch(rows, config.hide_recent, rng)
        foretold.extend(targets[is_target].tolist())
    assert len(foretold) == 3 * 22 == windows.num_targets


def test_only_positive_events_of_known_titles_are_foretold():
    kinds = [EventKind.OPEN, EventKind.HIDE, EventKind.SEARCH, EventKind.LIKE, EventKind.OPEN]
    sessions = Sessions.from_events(
        [1] * 5, [0, 1, UNKNOWN, 2, UNKNOWN], np.arange(5.0), kinds=kinds
    )
    assert Windows.of(sessions, 6).num_targets == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss": "hinge"}, "loss must be one of"),
        ({"width": 15}, "width must be a multiple"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"epochs": 0}, "epochs must be"),
        ({"half_life_hours": -1.0}, "half_life_hours must be"),
        ({"temperature": 0.0}, "temperature must be"),
    ],
)
def test_a_bad_setting_is_named(change, words):
    with pytest.raises(InvalidInputError, match=words):
        replace(SMALL, **change)


def test_nothing_to_learn_from_is_said():
    lonely = Sessions.from_events([1, 2], [0, 1], [0.0, 0.0])
    with pytest.raises(InvalidInputError, match="nothing to learn from"):
        SessionEncoder(SMALL).fit(lonely, ITEMS)
    with pytest.raises(InvalidInputError, match="a factor for each"):
        SessionEncoder(SMALL).fit(circling(), ITEMS, np.zeros((3, 4), np.float32))
    with pytest.raises(NotFittedError):
        SessionEncoder(SMALL).encode(recent([1]))


def test_leave_one_out_asks_for_each_viewers_last():
    requests = last_of_each(circling(4, 5))
    assert len(requests) == 4
