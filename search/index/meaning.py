"""What a text is about: documents near in meaning, whether or not they hold its words.

A document's terms are the words of its name, people, characters, genres and plot, and of the
queries after which viewers chose it, weighed by tf-idf. Up to four likenesses add up:

    direct   the cosine of the terms themselves: exact where words are shared
    latent   the cosine after the terms were brought to `RANK` dimensions (latent semantic analysis,
             Deerwester et al. 1990): words that stand in the same documents are near
    space    the cosine in a space of items, where one is given: a text is where the documents lie
             that it is nearest to, so titles that the same people like are near too
    passage  the cosine of a text embedder's vectors, of the text and of the document's nearest
             passage, where both were embedded (`search.passages`): words that mean the same

Without a plot, a choice or a space it works from names, genres and people alone.

N documents, V terms, R latent dimensions, D dimensions of the space.
"""

from collections.abc import Iterable, Sequence
from copy import copy

import numpy as np
from scipy import sparse

from recommender.arrays import Float32, Int64, unit_rows
from recommender.retrieval.vector_index import VectorIndex
from search.index.strings import sorted_groups
from search.text import bigrams, is_unspaced

WeighedWords = Iterable[tuple[str, float]]

STOP_WORDS = frozenset(
    [
        "a", "about", "after", "all", "also", "an", "and", "are", "as", "at", "be", "been",
        "being", "but", "by", "can", "de", "der", "die", "du", "el", "en", "et", "for", "from",
        "has", "have", "he", "her", "him", "his", "how", "i", "il", "in", "into", "is", "it",
        "its", "la", "las", "le", "les", "los", "me", "my", "no", "not", "of", "on", "one",
        "or", "our", "out", "over", "she", "so", "than", "that", "the", "their", "them", "then",
        "there", "these", "they", "this", "to", "un", "una", "up", "was", "we", "were", "what",
        "when", "where", "which", "while", "who", "will", "with", "you", "your",
    ]
)  # fmt: skip
"""Words too common to say what a text is about."""
RANK = 64
OVERSAMPLED = 8
POWER_ITERATIONS = 2
LATENT, SPACE, PASSAGE = 0.5, 0.5, 2.0
"""How much these likenesses count; the direct one counts 1."""
ANCHORS = 20
"""So many documents tell where in the space a text is."""
REACH = 200
"""So many candidates of each likeness are added up."""


class Meaning:
    """An index over the terms of documents; immutable, so threads may share it."""

    def __init__(self, words_of_documents: Iterable[WeighedWords]) -> None:
        """Index the documents in their order, each given by its words and how often they count."""
        terms: dict[str, int] = {}
        counts = _counts(words_of_documents, terms)
        self._terms, self._numbers = sorted_groups({term: [n] for term, n in terms.items()})
        self.num_documents = counts.shape[0]
        frequency = np.bincount(counts.indices, minlength=len(terms))
        self._idf = np.log((1 + self.num_documents) / (1 + frequency)).astype(np.float32)  # (V,)
        counts.data = (1 + np.log(np.maximum(counts.data, 1))) * self._idf[counts.indices]
        _normalise_rows(counts)
        self._documents_of_terms = counts.T.tocsr()  # (V, N)
        self._latent_of_terms = _latent(counts)  # (V, R)
        self._latent = unit_rows(counts @ self._latent_of_terms)  # (N, R)
        self._usual_length = _mean_length(self._latent_of_terms)
        self._space = np.zeros((self.num_documents, 0), dtype=np.float32)  # (N, D)
        self._index = self._joint()

    def with_space(self, vectors: Float32) -> "Meaning":
        """Return the same index with (N, D) vectors of the documents, zeros where unknown."""
        meaning = copy(self)
        meaning._space = unit_rows(vectors.astype(np.float32))
        meaning._index = meaning._joint()
        return meaning

    def __contains__(self, word: str) -> bool:
        return word in STOP_WORDS or bool(self._numbers_of(word))

    def near_words(
        self, words: Sequence[str], k: int, passages: Float32 | None = None
    ) -> tuple[Int64, Float32]:
        """Return the k documents nearest to a text, best first; none if nothing is known of it.

        Args:
            words: of the text.
            k: how many at most.
            passages: (N,) how like each document's nearest passage is to it, where that is known.
        """
        direct, latent, space = self._of_words(words)
        if passages is not None:
            direct = direct + np.float32(PASSAGE) * passages[: self.num_documents]
        if not direct.any():
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        return self._nearest(direct, latent, space, k)

    def nearness_of(
        self, words: Sequence[str], places: Int64, passages: Float32 | None = None
    ) -> Float32:
        """Return how near each of these documents is to a text, 0 if nothing is known of it.

        Args:
            words: of the text.
            places: the documents.
            passages: as of `near_words`.
        """
        direct, latent, space = self._of_words(words)
        nearness: Float32 = direct[places]
        if direct.any():
            joint = np.concatenate([LATENT * latent, SPACE * space])
            nearness = nearness + self._index.vectors[places] @ joint
        return nearness if passages is None else nearness + PASSAGE * passages[places]

    def _of_words(self, words: Sequence[str]) -> tuple[Float32, Float32, Float32]:
        """Return (N,) the direct likeness to a text, its latent vector, and where in the space."""
        direct = np.zeros(self.num_documents, dtype=np.float32)
        terms = [number for word in words for number in self._numbers_of(word)]
        if not terms or not self.num_documents:
            return direct, self._latent[:0].sum(axis=0), self._space[:0].sum(axis=0)
        weights = self._idf[terms] / max(float(np.linalg.norm(self._idf[terms])), 1e-9)
        for term, weight in zip(terms, weights, strict=True):
            begin, end = self._documents_of_terms.indptr[term : term + 2]
            places = self._documents_of_terms.indices[begin:end]
            direct[places] += weight * self._documents_of_terms.data[begin:end]
        latent = unit_rows((weights @ np.stack(list(map(self._latent_of, terms))))[None, :])[0]
        return direct, latent, self._anchored(direct, latent)

    def near_document(self, document: int, k: int) -> tuple[Int64, Float32]:
        """Return the k documents nearest to one, which is not among them, best first.

        None are near to a document behind those of this index.
        """
        if document >= self.num_documents:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        column = self._documents_of_terms[:, [document]]  # (V, 1)
        direct = np.asarray((self._documents_of_terms.T @ column).todense(), np.float32).ravel()
        places, scores = self._nearest(direct, self._latent[document], self._space[document], k + 1)
        others = places != document
        return places[others][:k], scores[others][:k]

    def _numbers_of(self, word: str) -> list[int]:
        """Return the numbers of a word's terms that some document holds."""
        found = (self._terms.find(term) for term in terms_of(word))
        return [int(self._numbers.of(index)[0]) for index in found if index is not None]

    def _latent_of(self, term: int) -> Float32:
        """Return (R,) the term's latent vector; of one that a single document holds, its own."""
        begin, end = self._documents_of_terms.indptr[term : term + 2]
        if end - begin > 1:
            shared: Float32 = self._latent_of_terms[term]
            return shared
        only = self._documents_of_terms.indices[begin]
        return np.asarray(self._usual_length * self._latent[only], dtype=np.float32)

    def _nearest(
        self, direct: Float32, latent: Float32, space: Float32, k: int
    ) -> tuple[Int64, Float32]:
        joint = np.concatenate([LATENT * latent, SPACE * space])
        candidates = _best(direct, REACH)
        if joint.any():
            candidates = np.union1d(candidates, self._index.search(joint, REACH)[1])
        scores = direct[candidates] + self._index.vectors[candidates] @ joint
        order = np.lexsort((candidates, -scores))[:k]
        order = order[scores[order] > 0]
        return candidates[order], scores[order]

    def _anchored(self, direct: Float32, latent: Float32) -> Float32:
        """Return (D,) where in the space the documents lie that are nearest by their terms."""
        if not self._space.shape[1]:
            return np.empty(0, dtype=np.float32)
        anchors = _best(direct, ANCHORS)
        if not len(anchors):
            return np.zeros(self._space.shape[1], dtype=np.float32)
        likeness = direct[anchors] + LATENT * (self._latent[anchors] @ latent)
        mean = np.maximum(likeness, 0) @ self._space[anchors]
        anchored: Float32 = unit_rows(mean[None, :])[0]
        return anchored

    def _joint(self) -> VectorIndex:
        return VectorIndex(np.hstack([self._latent, self._space]))


def terms_of(word: str) -> list[str]:
    """Return what a folded word counts as: its stem; of a run without blanks, its bigrams."""
    if word in STOP_WORDS:
        return []
    return bigrams(word) if is_unspaced(word) else [stem(word)]


def stem(word: str) -> str:
    """Return the word without a plural's ending: robots, robot; parties, party."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _counts(words_of_documents: Iterable[WeighedWords], terms: dict[str, int]) -> sparse.csr_array:
    """Return (N, V) how much each term counts in each document; new terms are numbered."""
    columns: list[int] = []
    values: list[float] = []
    ends = [0]
    numbers: dict[str, list[int]] = {}
    for weighed in words_of_documents:
        here: dict[int, float] = {}
        for word, weight in weighed:
            of_word = numbers.get(word)
            if of_word is None:
                of_word = [terms.setdefault(term, len(terms)) for term in terms_of(word)]
                numbers[word] = of_word
            for term in of_word:
                here[term] = here.get(term, 0.0) + weight
        columns += here.keys()
        values += here.values()
        ends.append(len(columns))
    return sparse.csr_array(
        (np.array(values, np.float32), np.array(columns, np.int32), np.array(ends, np.int64)),
        shape=(len(ends) - 1, len(terms)),
    )


def _latent(matrix: sparse.csr_array) -> Float32:
    """Return (V, R) the right singular vectors by randomised power iterations (Halko et al. 2011).

    Terms of one document alone have no neighbours to bring and stay 0.
    """
    shared = np.bincount(matrix.indices, minlength=matrix.shape[1]) > 1  # (V,)
    columns = np.flatnonzero(shared)
    rank = min(RANK, *matrix.shape, len(columns))
    found = np.zeros((matrix.shape[1], max(rank, 1)), dtype=np.float32)
    if not rank:
        return found
    part = matrix[:, columns]
    back = part.T.tocsr()
    rng = np.random.default_rng(0)
    width = min(rank + OVERSAMPLED, *part.shape)
    basis = rng.standard_normal((len(columns), width), dtype=np.float32)
    for _ in range(POWER_ITERATIONS):
        basis = np.linalg.qr(back @ (part @ basis))[0]
    left = np.linalg.qr(part @ basis)[0]  # (N, width)
    right = back @ left  # (columns, width)
    squares, turned = np.linalg.eigh(right.T @ right)
    strongest = np.argsort(-squares)[:rank]
    found[columns] = right @ turned[:, strongest] / np.sqrt(np.maximum(squares[strongest], 1e-12))
    return found


def _normalise_rows(matrix: sparse.csr_array) -> None:
    """Divide each row by its length, in place."""
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    lengths = np.sqrt(np.maximum(squares, 1e-12))
    matrix.data /= np.repeat(lengths, np.diff(matrix.indptr)).astype(np.float32)


def _mean_length(vectors: Float32) -> float:
    """Return the mean length of the vectors that are not 0."""
    lengths = np.linalg.norm(vectors, axis=1)
    return float(lengths[lengths > 0].mean()) if lengths.any() else 0.0


def _best(scores: Float32, k: int) -> Int64:
    """Return the places of the k greatest scores above 0."""
    places = np.flatnonzero(scores > 0)
    if len(places) <= k:
        return places
    return places[np.argpartition(-scores[places], k)[:k]]
