"""Which documents hold a word: sorted words, so that a prefix is one slice.

N documents, W words, P postings.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from recommender.arrays import Bool
from search.index.near import NearStrings
from search.index.strings import sorted_groups
from search.text import in_digits, is_unspaced, pieces_typed, searchable


class Postings:
    """Words to documents, built once."""

    def __init__(
        self, texts_of_documents: Iterable[Iterable[Sequence[str]]], *, joins: bool = False
    ) -> None:
        """Index the documents in their order, each given by the words of its texts.

        A document is found by each word and by the word in digits; where a script puts no blanks
        between words, by whatever a run of letters holds. Mistakes are looked for in words alone.

        Args:
            texts_of_documents: the words of each text of each document.
            joins: whether two words that follow each other are found written as one, too.
        """
        documents: defaultdict[str, list[int]] = defaultdict(list)
        whole: set[str] = set()
        self.num_documents = 0
        for document, texts in enumerate(texts_of_documents):
            self.num_documents = document + 1
            held: dict[str, None] = {}
            for words in texts:
                if all(map(str.isascii, words)):
                    whole.update(words)
                    held.update(dict.fromkeys(words))
                else:
                    whole.update(word for word in words if not is_unspaced(word))
                    held.update(dict.fromkeys(searchable(words)))
                held.update(dict.fromkeys(in_digits(words)))
                if joins:
                    held.update(dict.fromkeys(map("".join, pairwise(words))))
            for word in held:
                documents[word].append(document)
        self._words, self._documents = sorted_groups(documents)  # (W,), (P,) in W groups
        self._whole = np.array(
            [n for n, word in enumerate(self._words) if word in whole], dtype=np.int64
        )
        self._near = NearStrings(self._words.take(self._whole))

    def __contains__(self, word: str) -> bool:
        if is_unspaced(word):
            return bool(self._with_run(word).any())
        return self._words.find(word) is not None

    def with_word(self, word: str) -> Bool:
        """(N,) True where a document holds this word, a run without blanks anywhere."""
        if is_unspaced(word):
            return self._with_run(word)
        return self._mask([self._words.equal_to(word)])

    def with_prefix(self, prefix: str) -> Bool:
        """(N,) True where a document holds a word that begins so, a run without blanks anywhere."""
        if is_unspaced(prefix):
            return self._with_run(prefix)
        return self._mask([self._words.beginning_with(prefix)])

    def with_word_like(self, word: str, mistakes: int, *, is_open: bool) -> Bool:
        """(N,) True where a document holds a word at most so many mistakes away.

        Args:
            word: as typed.
            mistakes: letters put in, left out, replaced, or swapped with the next.
            is_open: whether the word may be the beginning of a longer one.
        """
        if word.isdigit() or not mistakes:
            return np.zeros(self.num_documents, dtype=bool)
        places, _ = self._near.near(word, mistakes)
        if is_open:
            places = np.union1d(places, self._near.beginning_near(word))
        return self._mask((place, place + 1) for place in self._whole[places].tolist())

    def nearest(self, word: str, mistakes: int) -> str | None:
        """Return the word that fewest mistakes lie between, of those the most frequent."""
        near = self.ranked_nearest(word, mistakes)
        return None if near is None else near[-1]

    def ranked_nearest(self, word: str, mistakes: int) -> tuple[int, int, str] | None:
        """Return the same behind what it is chosen by: the mistakes, and less how frequent it is.

        Of two indexes the lesser tuple is nearer.
        """
        places, distances = self._near.near(word, mistakes)
        if not len(places):
            return None
        places = self._whole[places]
        counts = self._documents.counts[places]
        best = np.lexsort((places, -counts, distances))[0]
        return int(distances[best]), -int(counts[best]), self._words[int(places[best])]

    def _with_run(self, run: str) -> Bool:
        masks = [self._mask([self._words.beginning_with(p)]) for p in pieces_typed(run)]
        held: Bool = np.logical_and.reduce(masks)
        return held

    def _mask(self, ranges: Iterable[tuple[int, int]]) -> Bool:
        mask = np.zeros(self.num_documents, dtype=bool)
        for first, last in ranges:
            mask[self._documents.between(first, last)] = True
        return mask
