"""LightFM's idea in numpy: likes and titles' features in, vectors of people and titles out.

Kula, "Metadata Embeddings for User and Item Cold-start Recommendations" (CBRecSys 2015): an
item's vector and bias are sums over its features, among them the item itself, learned together
with the people's vectors. The loss is WARP (Weston, Bengio and Usunier, IJCAI 2011): of ten
unliked items, drawn evenly, the first that comes within a margin of 1 of the liked one is pushed
down, the harder the fewer draws it took. Adagrad steps.

U people, I items, F features, D vectors, B likes of a batch, N negatives.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.arrays import Float32, Int64

NEGATIVES = 10


@dataclass(frozen=True)
class HybridConfig:
    embedding_size: int = 64
    epochs: int = 30
    learning_rate: float = 0.05
    regularization: float = 1e-5
    """Of the square of every parameter, a batch."""
    identity: float = 1.0
    """The value of the feature that stands for the item itself; 0 leaves it out."""
    batch_size: int = 4096
    seed: int = 7


@dataclass(frozen=True)
class Hybrid:
    people: Float32  # (U, D + 1), the last is 1 and meets the bias
    items: Float32  # (I, D + 1)


def train_hybrid(
    likes: sparse.csr_array, features: sparse.csr_array, config: HybridConfig = HybridConfig()
) -> Hybrid:
    """Learn from (U, I) likes and (I, F) features."""
    rng = np.random.default_rng(config.seed)
    num_people, num_items = likes.shape
    is_liked = np.asarray(likes.sum(axis=0)).ravel() > 0
    identity = sparse.diags_array(config.identity * is_liked.astype(np.float32)).tocsc()
    described = sparse.csr_array(sparse.hstack([features, identity[:, is_liked]], format="csr"))
    transposed = sparse.csr_array(described.T)
    size = config.embedding_size
    people = rng.normal(0, 0.5 / size, (num_people, size + 1)).astype(np.float32)
    people[:, -1] = 1
    weights = rng.normal(0, 0.5 / size, (described.shape[1], size + 1)).astype(np.float32)
    squares = np.full_like(people, 1e-3), np.full_like(weights, 1e-3)
    pairs = np.stack(likes.nonzero(), axis=1)
    codes = set((pairs[:, 0].astype(np.int64) * num_items + pairs[:, 1]).tolist())
    liked = np.sort(np.fromiter(codes, dtype=np.int64))
    for _ in range(config.epochs):
        for batch in np.array_split(
            rng.permutation(len(pairs)), max(len(pairs) // config.batch_size, 1)
        ):
            rows, positives = pairs[batch].T
            items = described @ weights
            negatives, pull = _violators(people, items, rows, positives, liked, rng)
            apart = items[positives] - items[negatives]
            of_people = _summed(rows, -pull[:, None] * apart, num_people)
            of_people[:, -1] = 0
            push = pull[:, None] * people[rows]
            of_items = _summed(negatives, push, num_items) - _summed(positives, push, num_items)
            of_weights = transposed @ of_items
            for values, gradient, square in (
                (people[:, :size], of_people[:, :size], squares[0][:, :size]),
                (weights, of_weights, squares[1]),
            ):
                gradient = gradient + config.regularization * values
                square += gradient**2
                values -= config.learning_rate * gradient / np.sqrt(square)
    return Hybrid(people, np.asarray(described @ weights, dtype=np.float32))


def _violators(
    people: Float32,
    items: Float32,
    rows: Int64,
    positives: Int64,
    liked: Int64,
    rng: np.random.Generator,
) -> tuple[Int64, Float32]:
    """Return (B,) the first drawn item within the margin, and (B,) how hard it is pushed, or 0.

    Args:
        people: (U, D + 1).
        items: (I, D + 1).
        rows: (B,) people.
        positives: (B,) the items that they like.
        liked: sorted, person times I plus item of every like.
        rng: draws the negatives.
    """
    drawn = rng.integers(0, len(items), (len(rows), NEGATIVES))
    codes = rows[:, None].astype(np.int64) * len(items) + drawn
    found = np.searchsorted(liked, codes).clip(0, len(liked) - 1)
    is_unliked = liked[found] != codes
    score = np.einsum("bd,bd->b", people[rows], items[positives])
    scores = np.einsum("bd,bnd->bn", people[rows], items[drawn])
    violates = is_unliked & (scores > score[:, None] - 1)
    first = violates.argmax(axis=1)
    rank = np.maximum((len(items) - 1) // (first + 1), 1)
    pull = np.where(violates.any(axis=1), np.log1p(rank) / np.log(len(items)), 0)
    return drawn[np.arange(len(rows)), first], pull.astype(np.float32)


def _summed(rows: Int64, values: Float32, count: int) -> Float32:
    """Return (count, D) the sum of the values of each row."""
    ones = np.ones(len(rows), dtype=np.float32)
    gather = sparse.csr_array((ones, (rows, np.arange(len(rows)))), shape=(count, len(rows)))
    return np.asarray(gather @ values, dtype=np.float32)
