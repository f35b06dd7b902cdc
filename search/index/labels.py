"""Names that many documents share: people, genres, languages; each a thing to look for by itself.

N documents, L labels, P pairs of a label and a document.
"""

from collections.abc import Callable, Iterable

import numpy as np

from recommender.arrays import Bool, Float32, Int64
from search.index.names import Names
from search.index.postings import Postings
from search.index.strings import Groups, Strings, sorted_groups
from search.text import fold, words


def by_share(position: int, count: int) -> float:
    """Return how much a document counts for one of its labels, all alike."""
    return 1 / count


class Labels:
    """Labels to documents, built once."""

    def __init__(
        self,
        labels_of_documents: Iterable[Iterable[str]],
        weigh: Callable[[int, int], float] = by_share,
    ) -> None:
        """Index the documents in their order, each given by its labels.

        Args:
            labels_of_documents: the most important first.
            weigh: how much a document counts for its label at a position, of so many labels.
        """
        documents: dict[str, list[int]] = {}
        weights: dict[str, list[float]] = {}
        for document, labels in enumerate(labels_of_documents):
            once = dict.fromkeys(labels)
            for position, label in enumerate(once):
                documents.setdefault(label, []).append(document)
                weights.setdefault(label, []).append(weigh(position, len(once)))
        self.labels = Strings(documents)  # (L,)
        self._documents = Groups(documents.values())
        self._weights = np.fromiter(
            (weight for of_label in weights.values() for weight in of_label), dtype=np.float32
        )  # (P,)
        numbers = {fold(label): [number] for number, label in enumerate(documents)}
        self._folded, self._numbers = sorted_groups(numbers)
        self.names = Names([label] for label in documents)
        self.in_names = Postings([words(label)] for label in documents)

    @property
    def counts(self) -> Int64:
        """(L,) how many documents have each label."""
        return self._documents.counts

    def __len__(self) -> int:
        return len(self.labels)

    def number_of(self, folded: str) -> int | None:
        """Return the label's number, None where there is no such label."""
        index = self._folded.find(folded)
        return None if index is None else int(self._numbers.of(index)[0])

    def mask_of(self, number: int, num_documents: int) -> Bool:
        """Return (N,) True at the label's documents."""
        mask = np.zeros(num_documents, dtype=bool)
        mask[self._documents.of(number)] = True
        return mask

    def counts_among(self, documents: Bool) -> Int64:
        """Return (L,) how many of the documents, (N,) True, have each label."""
        pairs = np.flatnonzero(documents[self._documents.values])
        return np.diff(np.searchsorted(pairs, self._documents.bounds))

    def documents_of(self, numbers: Int64) -> Int64:
        """Return the documents of these labels; one may come twice."""
        return np.concatenate([np.empty(0, np.int64), *map(self._documents.of, numbers.tolist())])

    def weighed(self, number: int) -> tuple[Int64, Float32]:
        """Return the label's documents, and how much each counts for it."""
        begin, end = self._documents.bounds[number : number + 2].tolist()
        return self._documents.of(number), self._weights[begin:end]
