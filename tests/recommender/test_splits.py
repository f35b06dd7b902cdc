import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.data.splits import (
    leave_share_out,
    stable_holdout,
    strong_generalisation_split,
    uniform_hash,
)
from recommender.errors import InvalidInputError


@pytest.fixture
def interactions():
    rng = np.random.default_rng(0)
    profiles, items = (rng.random((200, 60)) < 0.2).nonzero()
    return Interactions.from_pairs(profiles, items, rng.random(len(items)) * 1e6)


def cells(matrix):
    return set(zip(*(axis.tolist() for axis in matrix.nonzero()), strict=True))


def test_hashes_are_uniform_and_belong_to_the_id_alone():
    drawn = uniform_hash(np.arange(20_000), 7)
    assert abs(np.histogram(drawn, 10, (0, 1))[0] - 2000).max() < 200
    np.testing.assert_array_equal(uniform_hash(np.array([41, 5]), 7), drawn[[41, 5]])
    assert not np.array_equal(drawn, uniform_hash(np.arange(20_000), 8))


def test_held_out_profiles_stay_held_out_when_others_come(interactions):
    _, before = stable_holdout(interactions, seed=1, profile_share=0.3)
    grown = Interactions.from_pairs(
        np.concatenate([interactions.matrix.nonzero()[0], np.repeat(np.arange(500, 560), 6)]),
        np.concatenate([interactions.matrix.nonzero()[1], np.tile(np.arange(80, 86), 60)]),
    )
    train, after = stable_holdout(grown, seed=1, profile_share=0.3)
    old = grown.profiles.ids[after.rows]
    np.testing.assert_array_equal(old[old < 500], interactions.profiles.ids[before.rows])
    same = after.targets[np.flatnonzero(old < 500)]
    assert cells(same) == cells(before.targets)
    assert not np.diff(train.matrix.indptr)[after.rows].any()


def test_history_and_targets_part_what_a_held_out_profile_has(interactions):
    train, held_out = stable_holdout(interactions, seed=2, profile_share=0.5)
    shown = interactions.matrix[held_out.rows]
    assert not cells(held_out.histories) & cells(held_out.targets)
    assert cells(held_out.histories) | cells(held_out.targets) == cells(shown)
    wanted = np.maximum(np.diff(shown.indptr) // 5, 1)
    np.testing.assert_array_equal(np.diff(held_out.targets.indptr), wanted)
    assert train.matrix.nnz + shown.nnz == interactions.matrix.nnz
    assert train.last_at.nnz == train.matrix.nnz


def test_no_more_profiles_are_held_out_than_allowed(interactions):
    _, held_out = stable_holdout(interactions, seed=2, profile_share=0.9, max_profiles=7)
    assert len(held_out.rows) == 7


def test_strong_generalisation_keeps_to_items_the_training_profiles_know():
    interactions = Interactions.from_pairs(
        np.repeat(np.arange(40), 6), (np.arange(240) * 7) % 31, None
    )
    train, validation, test = strong_generalisation_split(
        interactions, np.random.default_rng(5), num_validation=8, num_test=9
    )
    assert (train.num_profiles, validation.histories.shape[0], test.histories.shape[0]) == (
        23,
        8,
        9,
    )
    assert np.bincount(train.matrix.indices, minlength=train.num_items).min() >= 1
    assert validation.targets.shape[1] == train.num_items
    parts = [train.profiles.ids, validation.rows, test.rows]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(40))
    for held_out in (validation, test):
        sizes = np.diff(held_out.histories.indptr) + np.diff(held_out.targets.indptr)
        expected = np.where(sizes >= 5, sizes // 5, 0)
        np.testing.assert_array_equal(np.diff(held_out.targets.indptr), expected)


def test_too_many_held_out_are_refused(interactions):
    with pytest.raises(InvalidInputError, match=r"100 \+ 100 profiles cannot be held out of 200"):
        strong_generalisation_split(interactions, np.random.default_rng(0), 100, 100)


def test_a_share_of_each_profile_with_enough_is_left_out(interactions):
    train, held_out = leave_share_out(interactions, np.random.default_rng(1), 0.2, min_items=10)
    sizes = np.diff(interactions.matrix.indptr)
    expected = np.where(sizes >= 10, np.maximum((0.2 * sizes).astype(int), 1), 0)
    left = np.zeros(len(sizes), dtype=int)
    left[held_out.rows] = np.diff(held_out.targets.indptr)
    assert left.tolist() == expected.tolist()
    assert (sizes < 10).sum() > 0
    np.testing.assert_array_equal(np.diff(train.matrix.indptr), sizes - left)
    assert not cells(held_out.histories) & cells(held_out.targets)
