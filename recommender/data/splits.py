"""Splits: interactions in, training interactions and held-out histories with targets out.

U profiles, I items.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Float64, Int64
from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError
from recommender.vocabulary import Vocabulary


@dataclass(frozen=True)
class HeldOut:
    """Profiles that no model has learned from: a history and targets of each.

    Attributes:
        histories: (B, I), a model's input.
        targets: (B, I), what it should rank first; no cell is in both.
        rows: (B,), the profiles' row numbers in the interactions they come from.
    """

    histories: sparse.csr_array
    targets: sparse.csr_array
    rows: Int64


def uniform_hash(ids: Int64, seed: int) -> Float64:
    """Return a number in [0, 1) for each id that depends on nothing but the id and the seed.

    So an id stays on its side of a split when others come and go.
    """
    with np.errstate(over="ignore"):
        start = (np.asarray([seed]).astype(np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = ids.astype(np.uint64) * np.uint64(0xD1342543DE82EF95) + start
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return np.asarray((z >> np.uint64(11)).astype(np.float64) / 2.0**53)


def stable_holdout(
    interactions: Interactions,
    seed: int,
    profile_share: float = 0.1,
    max_profiles: int = 2000,
    target_share: float = 0.2,
    min_items: int = 5,
) -> tuple[Interactions, HeldOut]:
    """Hold out whole profiles, the same ones for every model and every day.

    Who is held out, and which of their items are targets, follows from the ids and the seed alone.
    So a release trained yesterday has not seen the profiles that evaluate today's, except the few
    items of those that were too short to be held out then.

    Args:
        interactions: everything.
        seed: the split's name; never change it for a live system.
        profile_share: how many of the profiles with `min_items` or more are held out.
        max_profiles: and no more than these.
        target_share: how much of a held-out profile's items is to be predicted, at least one.
        min_items: shorter histories are never held out.

    Returns:
        The interactions with the held-out profiles' rows emptied, and the held-out profiles.
    """
    matrix = interactions.matrix
    lengths = np.diff(matrix.indptr)
    drawn = uniform_hash(interactions.profiles.ids, seed)
    chosen = np.flatnonzero((lengths >= min_items) & (drawn < profile_share))
    chosen = np.sort(chosen[np.argsort(drawn[chosen], kind="stable")[:max_profiles]])
    keep = np.ones(matrix.shape[0], dtype=np.bool_)
    keep[chosen] = False
    train = interactions.with_cells(np.repeat(keep, lengths))
    shown = matrix[chosen]
    draws = _cell_hashes(interactions.profiles.ids[chosen], interactions.items.ids, shown, seed)
    is_target = _lowest_of_each_row(shown, draws, target_share)
    return train, HeldOut(_only(shown, ~is_target), _only(shown, is_target), chosen)


def strong_generalisation_split(
    interactions: Interactions,
    rng: np.random.Generator,
    num_validation: int,
    num_test: int,
    target_share: float = 0.2,
    min_items: int = 5,
) -> tuple[Interactions, HeldOut, HeldOut]:
    """Split the profiles at random into training, validation and test.

    Liang, Krishnan, Hoffman and Jebara, "Variational Autoencoders for Collaborative Filtering",
    WWW 2018: items unknown to the training profiles are left out; of each held-out profile
    with `min_items` or more, int(0.2 n) random items are targets; shorter ones have none.

    Returns:
        The training interactions, over the items they know; validation; test.

    Raises:
        InvalidInputError: no profile is left to train on.
    """
    num_profiles = interactions.num_profiles
    if num_validation + num_test >= num_profiles:
        raise InvalidInputError(
            f"{num_validation} + {num_test} profiles cannot be held out of {num_profiles}"
        )
    order = rng.permutation(num_profiles)
    test, validation, training = np.split(order, [num_test, num_test + num_validation])
    learned = interactions.matrix[np.sort(training)]
    train_items = np.flatnonzero(np.bincount(learned.indices, minlength=interactions.num_items))
    train = Interactions(
        Vocabulary(interactions.profiles.ids[training]),
        Vocabulary(interactions.items.ids[train_items]),
        learned[:, train_items],
    )

    def hold_out(rows: Int64) -> HeldOut:
        rows = np.sort(rows)
        cells = interactions.matrix[rows][:, train_items]
        is_target = _lowest_of_each_row(cells, rng.random(cells.nnz), target_share, min_items)
        return HeldOut(_only(cells, ~is_target), _only(cells, is_target), rows)

    return train, hold_out(validation), hold_out(test)


def leave_share_out(
    interactions: Interactions, rng: np.random.Generator, share: float, min_items: int = 5
) -> tuple[Interactions, HeldOut]:
    """Hold out a random share of each profile's items, int(share · n) and at least one.

    Profiles with fewer than `min_items` keep all.
    """
    matrix = interactions.matrix
    is_target = _lowest_of_each_row(matrix, rng.random(matrix.nnz), share, min_items)
    return _part_cells(interactions, is_target)


def _part_cells(interactions: Interactions, is_target: Bool) -> tuple[Interactions, HeldOut]:
    """Train on the unmarked cells; ask every profile with marked ones for those."""
    train = interactions.with_cells(~is_target)
    targets = _only(interactions.matrix, is_target)
    rows = np.flatnonzero(np.diff(targets.indptr))
    return train, HeldOut(train.matrix[rows], targets[rows], rows)


def _cell_hashes(
    profile_ids: Int64, item_ids: Int64, cells: sparse.csr_array, seed: int
) -> Float64:
    rows = np.repeat(np.arange(cells.shape[0]), np.diff(cells.indptr))
    with np.errstate(over="ignore"):
        keys = profile_ids[rows] * np.int64(1_000_003) + item_ids[cells.indices]
    return uniform_hash(keys, seed + 1)


def _lowest_of_each_row(
    cells: sparse.csr_array, draws: Float64, share: float, min_items: int = 1
) -> Bool:
    """Mark the cells with the lowest draws in each row: int(share · n), at least 1.

    Rows of fewer than `min_items` cells have none marked.
    """
    lengths = np.diff(cells.indptr)
    rows = np.repeat(np.arange(cells.shape[0]), lengths)
    order = np.lexsort((draws, rows))
    rank = np.arange(len(draws)) - np.repeat(cells.indptr[:-1], lengths)
    counts = np.maximum((share * lengths).astype(np.int64), 1)
    counts[lengths < min_items] = 0
    marked = np.zeros(len(draws), dtype=np.bool_)
    marked[order] = rank < counts[rows]
    return marked


def _only(cells: sparse.csr_array, mask: Bool) -> sparse.csr_array:
    """Return the matrix with the marked cells only."""
    kept = np.concatenate([[0], np.cumsum(mask)])[cells.indptr]
    return sparse.csr_array((cells.data[mask], cells.indices[mask], kept), shape=cells.shape)
