"""The search engine: an immutable index over documents, and one question it answers.

N documents, in the order of `document_ids`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.index.names import Names
from search.index.postings import Postings
from search.query import Filter, Query
from search.rerank import order, preference_of
from search.retrieve import Band, bands
from search.text import without_article, words

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Document:
    """What search knows of a title.

    Attributes:
        id: the title's.
        name: as shown.
        alternative_names: other names it is known by, in any script.
        people: who made it and who plays in it, the most important first.
        characters: who they play.
        genres: as shown.
        languages: spoken in it, as shown.
        year: of first release.
        plot: a few sentences.
        chosen_after: queries after which viewers chose it, each with how often.
        is_available: False for a title that is known and not to be had here.
    """

    id: int
    name: str
    alternative_names: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    year: int | None = None
    plot: str = ""
    chosen_after: tuple[tuple[str, int], ...] = ()
    is_available: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.alternative_names)


@dataclass(frozen=True)
class Hit:
    """A document that matches, and how good the evidence is.

    Attributes:
        id: the document's.
        band: the evidence, which no taste outweighs.
        parts: what orders it within the band, by name; they add up to the score.
    """

    id: int
    band: Band
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchResult:
    """What a text means.

    Attributes:
        hits: documents that match, best first.
        corrected: the text that was meant, where something was typed by mistake.
        filters: what was understood of the text besides words to match.
        people: names that match, best first.
        genres: names that match, best first.
        near: documents near in meaning, best first; filled where few match.
        unavailable: names that match of documents that are not to be had.
    """

    hits: tuple[Hit, ...] = ()
    corrected: str | None = None
    filters: tuple[Filter, ...] = ()
    people: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    near: tuple[Hit, ...] = ()
    unavailable: tuple[str, ...] = ()


class SearchEngine:
    """Answers queries over a fixed set of documents; threads may share it."""

    def __init__(self, documents: list[Document]) -> None:
        self.document_ids = np.array([d.id for d in documents], dtype=np.int64)  # (N,)
        self._names = [document.name for document in documents]
        self._joined = Names(_joined_forms(document) for document in documents)
        self._in_names = Postings(_name_words(document) for document in documents)
        self._about = Postings(_all_words(document) for document in documents)
        # Without any preference, shorter names stand first, then earlier documents.
        lengths = np.array([len(name) for name in self._names], dtype=np.int64)
        self._tie_break = np.empty(len(documents), dtype=np.int64)
        self._tie_break[np.argsort(lengths, kind="stable")] = np.arange(len(documents))

    @classmethod
    def build(cls, documents: Iterable[Document]) -> "SearchEngine":
        """Index the documents, by id. Not for the request path."""
        return cls(sorted(documents, key=lambda document: document.id))

    def search(
        self,
        text: str,
        k: int = 40,
        *,
        affinity: Floats | None = None,
        popularity: Floats | None = None,
    ) -> SearchResult:
        """Return the documents that match best.

        An exact name stands first, always: taste and popularity order documents within one band
        of evidence only.

        Args:
            text: as typed so far.
            k: how many at most.
            affinity: (N,) how well each document fits the viewer.
            popularity: (N,) how many people like it.

        Raises:
            QueryTooLongError: the text is longer than any title.
        """
        query = Query.parse(text)
        found = bands(query, self._joined, self._in_names, self._about)
        best = order(found, self._tie_break, k, Band.NONE, preference_of(affinity, popularity))
        hits = tuple(Hit(int(self.document_ids[n]), Band(int(found[n]))) for n in best)
        return SearchResult(hits, self._correction(found, best))

    def _correction(self, found: NDArray[np.uint8], best: NDArray[np.int64]) -> str | None:
        """The name that was meant, where the best match is one but for a mistake."""
        if not len(best) or found[best[0]] not in (Band.NEAR, Band.BEGINS_NEAR, Band.WORDS_NEAR):
            return None
        return self._names[int(best[0])]


def _joined_forms(document: Document) -> Iterator[str]:
    for name in document.names:
        found = words(name)
        yield "".join(found)
        yield "".join(without_article(found))


def _name_words(document: Document) -> Iterator[str]:
    for name in document.names:
        yield from words(name)


def _all_words(document: Document) -> Iterator[str]:
    yield from _name_words(document)
    for text in (*document.people, *document.genres):
        yield from words(text)
    if document.year is not None:
        yield str(document.year)
