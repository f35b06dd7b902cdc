"""Which of the people, genres or languages that a text names are well known, and for what.

N documents, L labels.
"""

from collections.abc import Sequence

import numpy as np

from recommender.arrays import Float32, Float64, Int64
from search.index.changed import AnyLabels
from search.text import is_unspaced, words

COMPARED = 50
"""So many labels are compared by how well known they are, those of most documents."""
SURNAME = 4.0
"""A surname is typed so much likelier than a first name."""
NAME_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})


def by_billing(position: int, count: int) -> float:
    """Return how much a document counts for a person at a position: half as much at the fourth."""
    return float((1 + position) ** -0.5)


def commonest(labels: AnyLabels, numbers: Int64) -> Int64:
    """Return the `COMPARED` of these labels that most documents have."""
    order: Int64 = np.lexsort((numbers, -labels.counts[numbers]))[:COMPARED]
    return numbers[order]


def fame(labels: AnyLabels, numbers: Int64, popularity: Float32 | None) -> Float64:
    """Return how well known each of these labels is: (1 + documents)(1 + how liked they are).

    A document counts as much as its label counts in it.

    Args:
        labels: of the documents.
        numbers: of the labels.
        popularity: (N,) how many people like each document; None counts documents alone.
    """
    known = np.ones(len(numbers), dtype=np.float64)
    for place, number in enumerate(numbers.tolist()):
        documents, weights = labels.weighed(number)
        known[place] += weights.sum()
        if popularity is not None:
            known[place] *= 1 + (np.maximum(popularity[documents], 0) * weights).sum()
    return known


def best_known(
    labels: AnyLabels,
    numbers: Int64,
    popularity: Float32 | None,
    k: int,
    surname: Sequence[str] = (),
) -> Int64:
    """Return the k best known of these labels, of the commonest.

    Args:
        labels: of the documents.
        numbers: of the labels.
        popularity: (N,) how many people like each document, or None.
        k: how many at most.
        surname: folded words; labels that end with them count `SURNAME` times.
    """
    numbers = commonest(labels, numbers)
    known = fame(labels, numbers, popularity)
    if surname:
        known[np.isin(numbers, named_last(labels, surname, numbers))] *= SURNAME
    order: Int64 = np.argsort(-known, kind="stable")[:k]
    return numbers[order]


def most_liked(
    labels: AnyLabels, number: int, popularity: Float32 | None, tie_break: Int64
) -> list[int]:
    """Return a label's documents: liked by many and much its own first, then by the tie break."""
    documents, weights = labels.weighed(number)
    score = weights.astype(np.float64)
    if popularity is not None:
        liked = np.log1p(np.maximum(popularity[documents], 0))
        score += liked / max(float(liked.max(initial=0)), 1e-9)
    best: list[int] = documents[np.lexsort((tie_break[documents], -score))].tolist()
    return best


def named_last(labels: AnyLabels, typed: Sequence[str], among: Int64 | None = None) -> Int64:
    """Return the labels that end with these folded words, "Jr." and the like apart.

    Args:
        labels: of the documents.
        typed: the words.
        among: numbers of labels that hold the words; None looks for them.
    """
    if among is None:
        masks = [labels.in_names.with_word(word) for word in typed]
        among = commonest(labels, np.flatnonzero(np.logical_and.reduce(masks)))
    numbers = among.tolist()
    last = [n for n in numbers if _ends_with(words(labels.labels[n]), list(typed))]
    return np.array(last, dtype=np.int64)


def _ends_with(name: list[str], typed: list[str]) -> bool:
    while len(name) > 1 and name[-1] in NAME_SUFFIXES and name[-1] not in typed:
        name = name[:-1]
    if len(name) == 1 and is_unspaced(name[0]):  # 宮崎駿, the family's name first
        return name[0].startswith("".join(typed))
    return name[-len(typed) :] == typed
