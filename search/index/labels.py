"""Names that many documents share: people, genres, languages; each a thing to look for by itself.

N documents, L labels.
"""

from collections.abc import Iterable

import numpy as np

from recommender.arrays import Bool, Int64
from search.index.names import Names
from search.index.postings import Postings
from search.index.strings import Groups, Strings, sorted_groups
from search.text import fold, words


class Labels:
    """Labels to documents, built once."""

    def __init__(self, labels_of_documents: Iterable[Iterable[str]]) -> None:
        """Index the documents in their order, each given by its labels."""
        documents: dict[str, list[int]] = {}
        for document, labels in enumerate(labels_of_documents):
            for label in dict.fromkeys(labels):
                documents.setdefault(label, []).append(document)
        self.labels = Strings(documents)  # (L,)
        self._documents = Groups(documents.values())
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
