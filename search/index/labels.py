"""Names that many documents share: people, genres, languages; each a thing to look for by itself.

N documents, L labels.
"""

from collections.abc import Iterable

import numpy as np

from recommender.arrays import Bool
from search.index.names import Names
from search.index.postings import Postings
from search.text import fold, words


class Labels:
    """Labels to documents, built once."""

    def __init__(self, labels_of_documents: Iterable[Iterable[str]]) -> None:
        """Index the documents in their order, each given by its labels."""
        documents: dict[str, list[int]] = {}
        for document, labels in enumerate(labels_of_documents):
            for label in dict.fromkeys(labels):
                documents.setdefault(label, []).append(document)
        self.labels = list(documents)  # (L,)
        self._documents = [np.array(places, dtype=np.int64) for places in documents.values()]
        self.counts = np.array([len(places) for places in self._documents], dtype=np.int64)  # (L,)
        self._numbers = {fold(label): number for number, label in enumerate(self.labels)}
        self.names = Names([label] for label in self.labels)
        self.in_names = Postings([words(label)] for label in self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def number_of(self, folded: str) -> int | None:
        """Return the label's number, None where there is no such label."""
        return self._numbers.get(folded)

    def mask_of(self, number: int, num_documents: int) -> Bool:
        """Return (N,) True at the label's documents."""
        mask = np.zeros(num_documents, dtype=bool)
        mask[self._documents[number]] = True
        return mask
