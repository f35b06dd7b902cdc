"""An index with some documents changed or added, without building it anew.

Beside the large index stands a small one of the changed documents. What the large one says of them
is left out, what the small one says takes its place, in the numbers of all documents. The classes
answer as `Names`, `Postings`, `Labels` and `Strings` over all documents would.

N documents of the large index, M with those added, C of them changed or added.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.arrays import Bool, Float32, Int16, Int64
from search.index.labels import Labels, by_share
from search.index.names import Names
from search.index.postings import Postings
from search.index.strings import Strings
from search.text import fold, words

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Places:
    """Where the changed documents stand.

    Attributes:
        of_changed: (C,) the number of each; of an added one, N or more.
        is_replaced: (M,) True at the changed documents.
    """

    of_changed: Int64
    is_replaced: Bool

    @classmethod
    def of(cls, of_changed: Int64, num_documents: int) -> "Places":
        """Return the places among M documents."""
        is_replaced = np.zeros(num_documents, dtype=bool)
        is_replaced[of_changed] = True
        return cls(of_changed, is_replaced)

    @property
    def num_documents(self) -> int:
        """M."""
        return len(self.is_replaced)

    def kept(self, documents: Int64) -> Bool:
        """Return True at those of the documents that the large index still speaks for."""
        return ~self.is_replaced[documents]

    def joined(self, large: Int64, small: Int64) -> Int64:
        """Return what both indexes found, in the numbers of all documents."""
        return np.concatenate([large[self.kept(large)], self.of_changed[small]])

    def replaced(self, values: NDArray[Scalar], of_changed: ArrayLike) -> NDArray[Scalar]:
        """Return (M,) values of all documents, from (N,) and (C,)."""
        joined = np.empty(self.num_documents, dtype=values.dtype)
        joined[: len(values)] = values
        joined[self.of_changed] = of_changed
        return joined

    def joined_masks(self, large: Bool, small: Bool) -> Bool:
        """Return (M,) the same of masks: (N,) and (C,)."""
        return self.replaced(large, small)


class ChangedStrings:
    """Strings of which some are others, and some were added."""

    def __init__(self, large: "AnyStrings", changed: Mapping[int, str]) -> None:
        self._large, self._changed = large, changed
        self._length = max(len(large), max(changed, default=-1) + 1)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> str:
        """Return one string.

        Raises:
            IndexError: there is none; indices are from 0.
        """
        changed = self._changed.get(index)
        return self._large[index] if changed is None else changed

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))


class ChangedNames:
    """Names of documents of which some changed."""

    def __init__(self, large: "AnyNames", small: Names, places: Places) -> None:
        self._large, self._small, self._places = large, small, places

    def written(self, text: str) -> Int64:
        return self._places.joined(self._large.written(text), self._small.written(text))

    def with_initials(self, letters: str) -> Int64:
        large, small = (names.with_initials(letters) for names in (self._large, self._small))
        return self._places.joined(large, small)

    def equal_to(self, joined: str) -> Int64:
        return self._places.joined(self._large.equal_to(joined), self._small.equal_to(joined))

    def beginning_with(self, joined: str) -> tuple[Int64, Int16]:
        large, left = self._large.beginning_with(joined)
        small, small_left = self._small.beginning_with(joined)
        left = left[self._places.kept(large)]
        return self._places.joined(large, small), np.concatenate([left, small_left])

    def near(self, joined: str, mistakes: int) -> Int64:
        large, small = (names.near(joined, mistakes) for names in (self._large, self._small))
        return self._places.joined(large, small)

    def beginning_near(self, joined: str) -> Int64:
        large, small = (names.beginning_near(joined) for names in (self._large, self._small))
        return self._places.joined(large, small)


class ChangedPostings:
    """Words of documents of which some changed."""

    def __init__(self, large: "AnyPostings", small: Postings, places: Places) -> None:
        self._large, self._small, self._places = large, small, places
        self.num_documents = places.num_documents

    def __contains__(self, word: str) -> bool:
        return word in self._small or (word in self._large and bool(self.with_word(word).any()))

    def with_word(self, word: str) -> Bool:
        large, small = (postings.with_word(word) for postings in (self._large, self._small))
        return self._places.joined_masks(large, small)

    def with_prefix(self, prefix: str) -> Bool:
        large, small = (postings.with_prefix(prefix) for postings in (self._large, self._small))
        return self._places.joined_masks(large, small)

    def with_word_like(self, word: str, mistakes: int, *, is_open: bool) -> Bool:
        large, small = (
            postings.with_word_like(word, mistakes, is_open=is_open)
            for postings in (self._large, self._small)
        )
        return self._places.joined_masks(large, small)

    def nearest(self, word: str, mistakes: int) -> str | None:
        """Return the word that fewest mistakes lie between, of those the most frequent."""
        near = self.ranked_nearest(word, mistakes)
        return None if near is None else near[-1]

    def ranked_nearest(self, word: str, mistakes: int) -> tuple[int, int, str] | None:
        """Return the same behind what it is chosen by, as `Postings` does."""
        found = (p.ranked_nearest(word, mistakes) for p in (self._large, self._small))
        return min((near for near in found if near is not None and near[-1] in self), default=None)


class ChangedLabels:
    """Labels of documents of which some changed; labels that no document had come last."""

    def __init__(
        self,
        large: "AnyLabels",
        labels_of_changed: Iterable[Iterable[str]],
        places: Places,
        weigh: Callable[[int, int], float] = by_share,
    ) -> None:
        self._large, self._places = large, places
        self._small = Labels(labels_of_changed, weigh)
        known = [large.number_of(fold(label)) for label in self._small.labels]
        added = [n for n, number in enumerate(known) if number is None]
        first = len(large)
        numbers = dict(zip(added, range(first, first + len(added)), strict=True))
        self._small_numbers: dict[int, list[int]] = {}
        """By number, the small index's numbers of the same label."""
        for small, number in enumerate(known):
            of_all = numbers[small] if number is None else number
            self._small_numbers.setdefault(of_all, []).append(small)
        names = {numbers[n]: self._small.labels[n] for n in added}
        self._numbers = {fold(name): number for number, name in names.items()}
        self.labels: AnyStrings = ChangedStrings(large.labels, names)
        self.counts = self.counts_among(np.ones(places.num_documents, dtype=bool))
        self.names: AnyNames = large.names
        self.in_names: AnyPostings = large.in_names
        if added:
            new = Places.of(np.arange(first, first + len(added)), first + len(added))
            self.names = ChangedNames(large.names, Names([name] for name in names.values()), new)
            in_names = Postings([words(name)] for name in names.values())
            self.in_names = ChangedPostings(large.in_names, in_names, new)

    def __len__(self) -> int:
        return len(self.labels)

    def number_of(self, folded: str) -> int | None:
        """Return the label's number, None where there is no such label."""
        number = self._numbers.get(folded)
        return self._large.number_of(folded) if number is None else number

    def mask_of(self, number: int, num_documents: int) -> Bool:
        """Return (M,) True at the label's documents."""
        large = np.zeros(num_documents, dtype=bool)
        if number < len(self._large):
            large = self._large.mask_of(number, num_documents)
        small = np.zeros(len(self._places.of_changed), dtype=bool)
        for other in self._small_numbers.get(number, ()):
            small |= self._small.mask_of(other, len(small))
        return self._places.joined_masks(large, small)

    def counts_among(self, documents: Bool) -> Int64:
        """Return (L,) how many of the documents, (M,) True, have each label."""
        places = self._places
        counts = np.zeros(len(self), dtype=np.int64)
        documents = documents[: places.num_documents]
        kept = documents & ~places.is_replaced
        counts[: len(self._large)] = self._large.counts_among(kept)
        small = self._small.counts_among(documents[places.of_changed])
        for number, others in self._small_numbers.items():
            counts[number] += small[others].sum()
        return counts

    def documents_of(self, numbers: Int64) -> Int64:
        """Return the documents of these labels; one may come twice."""
        parts = (self.weighed(number)[0] for number in numbers.tolist())
        return np.concatenate([np.empty(0, np.int64), *parts])

    def weighed(self, number: int) -> tuple[Int64, Float32]:
        """Return the label's documents, and how much each counts for it."""
        documents, weights = np.empty(0, np.int64), np.empty(0, np.float32)
        if number < len(self._large):
            documents, weights = self._large.weighed(number)
        small = [self._small.weighed(other) for other in self._small_numbers.get(number, ())]
        kept = self._places.kept(documents)
        changed = [self._places.of_changed[found] for found, _ in small]
        return (
            np.concatenate([documents[kept], *changed]),
            np.concatenate([weights[kept], *(weights for _, weights in small)]),
        )


AnyStrings = Strings | ChangedStrings
AnyNames = Names | ChangedNames
AnyPostings = Postings | ChangedPostings
AnyLabels = Labels | ChangedLabels
