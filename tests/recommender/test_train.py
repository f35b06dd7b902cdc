import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import sparse

from recommender.arrays import unit_rows
from recommender.artifacts import load_artifact
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.splits import stable_holdout
from recommender.errors import ArtifactError, InvalidInputError
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.models.content_vectors import ContentVectors
from recommender.models.ease import Ease, EaseConfig
from recommender.models.ials import Ials, IalsConfig
from recommender.models.item_to_item import Neighbours
from recommender.models.larm import LarmConfig
from recommender.models.visit_intents import VisitIntents, VisitIntentsConfig
from recommender.training.config import ReleaseConfig
from recommender.training.train import Progress, evaluate_release, train_release
from recommender.vocabulary import Vocabulary

CONFIG = ReleaseConfig(
    ials=IalsConfig(embedding_size=8, epochs=4),
    larm=LarmConfig(regularization=5, rounds=3, patience=None),
    neighbours=12,
    held_out_share=0.25,
)
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def likes(seed=0, items=40):
    """Four kinds of profile, each liking its own quarter of the items."""
    rng = np.random.default_rng(seed)
    kind = np.arange(120) % 4
    share = np.where(np.arange(items) * 4 // items == kind[:, None], 0.6, 0.02)
    profiles, liked = (rng.random(share.shape) < share).nonzero()
    return Interactions.from_pairs(profiles + 7, liked + 300, 1.7e9 + rng.random(len(liked)) * 1e6)


def test_a_release_is_written_whole_and_judged(tmp_path):
    told: list[Progress] = []
    interactions = likes()
    release = train_release(
        interactions, CONFIG, tmp_path / "r", seed=3, now=NOW, on_progress=told.append
    )
    metrics = json.loads(json.dumps(release.metrics))
    assert metrics["ials"]["ndcg@100"] > metrics["popularity"]["ndcg@100"] + 0.1
    assert metrics["larm"]["recall@20"] > 0.5
    curve = metrics["ials"]["curve"]
    assert [point["epoch"] for point in curve] == [1, 2, 3, 4]
    assert set(curve[0]) == {
        "epoch", "observed_loss", "unobserved_loss", "regularization", "ndcg@100", "seconds"
    }  # fmt: skip
    assert curve[-1]["ndcg@100"] == metrics["ials"]["ndcg@100"]
    assert [(p.model, p.done, p.total) for p in told] == [
        ("popularity", 1, 1),
        *(("ials", n, 4) for n in range(1, 5)),
        *(("larm", n, 3) for n in range(1, 4)),
    ]  # fmt: skip
    manifest = load_artifact(tmp_path / "r" / "ials", "ials").manifest
    assert manifest.data["sha256"] == interactions.fingerprint()
    assert manifest.data["interactions"] == interactions.matrix.nnz
    assert manifest.created_at == NOW.isoformat()
    assert manifest.metrics["ndcg@100"] == metrics["ials"]["ndcg@100"]
    assert set(manifest.versions) >= {"python", "numpy", "scipy", "numba"}


def catalogue_of(first_title):
    """Forty titles, each quarter of a genre of its own."""
    return Catalogue(
        Vocabulary(first_title + np.arange(40)),
        sparse.csr_array(np.kron(np.eye(4), np.ones((10, 1))).astype(np.float32)),
        np.arange(4),
        np.zeros(40),
        np.zeros(40, dtype=np.float32),
        np.full(40, 1999),
        np.zeros(40, dtype=np.int64),
        sparse.csr_array(np.zeros((40, 0), dtype=np.float32)),
        np.empty(0, dtype=np.int64),
        np.ones(40, dtype=bool),
    )


def test_a_catalogue_gives_content_vectors(tmp_path):
    release = train_release(likes(), CONFIG, tmp_path / "r", catalogue=catalogue_of(300))
    placed = ContentVectors.load(tmp_path / "r" / "content_vectors").place(catalogue_of(300))
    cosine = unit_rows(placed) @ unit_rows(release.ials.item_factors).T
    assert cosine[:10, :10].mean() > cosine[:10, 10:].mean() + 0.3
    assert release.metrics["content_vectors"]["titles"] == 40
    assert release.metrics["content_vectors"]["seconds"] > 0
    noted = VisitIntents.load(tmp_path / "r" / "visit_intents").config
    assert noted == VisitIntentsConfig()


def test_a_catalogue_without_any_liked_title_has_no_content_vectors(tmp_path):
    release = train_release(likes(), CONFIG, tmp_path / "r", catalogue=catalogue_of(9000))
    assert "skipped" in release.metrics["content_vectors"]
    assert not (tmp_path / "r" / "content_vectors").exists()


def test_held_out_profiles_are_served_by_vectors_but_not_learned_from(tmp_path):
    interactions = likes()
    release = train_release(interactions, CONFIG, tmp_path / "r", seed=3)
    train, held_out = stable_holdout(interactions, 3, CONFIG.held_out_share)
    alone = Ials(replace(CONFIG.ials, seed=3)).fit(train)
    np.testing.assert_array_equal(release.ials.item_factors, alone.item_factors)
    assert len(release.ials.profile_factors) == interactions.num_profiles
    assert release.ials.profile_factors[held_out.rows].any(axis=1).all()


def test_an_old_release_is_judged_on_the_profiles_it_never_saw(tmp_path):
    release = train_release(likes(), CONFIG, tmp_path / "r", seed=3)
    again = evaluate_release(tmp_path / "r", likes(), seed=3, config=CONFIG)
    for name in ("ials", "larm"):
        for metric in ("ndcg@100", "recall@20", "recall@50"):
            assert again[name][metric] == pytest.approx(release.metrics[name][metric])


def test_an_old_release_is_judged_though_items_came_and_went(tmp_path):
    train_release(likes(), CONFIG, tmp_path / "r", seed=3)
    now = likes(seed=1, items=44)
    judged = evaluate_release(tmp_path / "r", now, seed=3, config=CONFIG)
    assert 0 < judged["ials"]["ndcg@100"] < 1


def test_the_same_seed_trains_the_same_release(tmp_path):
    releases = [train_release(likes(), CONFIG, tmp_path / name, seed=5) for name in "ab"]
    for name in ("ials", "larm", "popularity"):
        first, second = (load_artifact(r.folder / name).manifest.checksums for r in releases)
        assert first == second


def test_neighbours_are_left_out_with_the_reason_where_they_would_not_fit(tmp_path):
    config = replace(CONFIG, larm=LarmConfig(max_bytes=100))
    release = train_release(likes(), config, tmp_path / "r")
    assert release.neighbours is None
    assert "LARM over 40 items" in release.metrics["larm"]["skipped"]
    assert not (tmp_path / "r" / "larm").exists()
    assert "larm" not in evaluate_release(tmp_path / "r", likes(), config=config)


def test_the_lists_of_a_release_stand_beside_ease_on_the_same_profiles(tmp_path):
    interactions = likes()
    told = train_release(interactions, CONFIG, tmp_path / "r", seed=3).metrics["larm"]
    train, held_out = stable_holdout(interactions, 3, CONFIG.held_out_share)
    ease = Ease(EaseConfig(regularization=5)).fit(train)
    lists = Neighbours.load(tmp_path / "r" / "larm", "larm")
    for found, model in ((told["systems"]["EASE"], ease), (told, lists)):
        expected = means(strong_generalisation(model.score, held_out))["ndcg@100"]
        assert found["ndcg@100"] == pytest.approx(expected)
    assert [point["epoch"] for point in told["curve"]] == [1, 2, 3]
    assert told["curve"][0]["ndcg@100"] == pytest.approx(told["systems"]["EASE"]["ndcg@100"])
    buckets = told["by_history_size"]
    assert sum(bucket["profiles"] for bucket in buckets) == len(held_out.rows)
    mean = sum(b["profiles"] * b["larm"] for b in buckets) / len(held_out.rows)
    assert mean == pytest.approx(told["ndcg@100"])


def test_a_handful_of_profiles_can_be_trained_on_but_not_judged(tmp_path):
    few = Interactions.from_pairs([1, 1, 2], [10, 11, 10])
    release = train_release(few, CONFIG, tmp_path / "r")
    assert "ndcg@100" not in release.metrics["ials"]
    assert release.metrics["ials"]["held_out_profiles"] == 0
    assert release.metrics["ials"]["curve"][0]["ndcg@100"] is None


def test_nothing_to_learn_from_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(InvalidInputError, match="nothing to learn from"):
        train_release(Interactions.from_pairs([], []), CONFIG, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_release_is_written_once(tmp_path):
    train_release(likes(), CONFIG, tmp_path / "r")
    with pytest.raises(ArtifactError, match="exists already"):
        train_release(likes(), CONFIG, tmp_path / "r")


def test_a_release_starts_warm_from_an_earlier_one(tmp_path):
    first = train_release(likes(), CONFIG, tmp_path / "a", seed=3)
    second = train_release(likes(), CONFIG, tmp_path / "b", seed=3, warm_start=first.ials)
    losses = [sum(p[k] for k in ("observed_loss", "unobserved_loss", "regularization"))
              for r in (first, second) for p in r.metrics["ials"]["curve"][:1]]  # fmt: skip
    assert losses[1] < losses[0]
