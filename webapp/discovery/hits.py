"""Hits of the search engine as rows over a source's catalogue: allowed, available and re-ranked.

I items of the catalogue, N documents of search.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import Bool, Float32, Int64
from recommender.ranking.page import Row
from recommender.ranking.row_kinds import RESULTS
from recommender.serving.request import Viewer
from recommender.serving.taste import Taste
from recommender.vocabulary import UNKNOWN, Vocabulary
from search.engine import Hit, SearchEngine, SearchResult
from webapp.discovery.questions import SearchQuestion, TitleQuestion
from webapp.discovery.source import RecommendationSource

SEARCH_HITS = 40


def search_catalogue(
    question: SearchQuestion,
    taste: Taste | None,
    source: RecommendationSource,
    search: SearchEngine,
) -> SearchResult:
    """Search, and leave out what may not be shown and what the source's catalogue lacks.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    placed = _placed(search, source.catalogue.titles)
    affinity = source.affinity(taste)
    result = search.search(
        question.text,
        SEARCH_HITS,
        affinity=None if affinity is None else placed.values(affinity),
        popularity=placed.values(source.catalogue.liked_by),
        allowed=_allowed(question.viewer, source, search, placed),
    )
    titles = source.catalogue.titles
    return replace(
        result,
        hits=_shown(result.hits, titles),
        near=_shown(result.near, titles, question.viewer.excluded),
    )


def similar_in_meaning(
    question: TitleQuestion, source: RecommendationSource, search: SearchEngine
) -> Row | None:
    """Return what is near in meaning to a title that no model knows; None if nothing is.

    Such a title is for example one that is not available here.
    """
    placed = _placed(search, source.catalogue.titles)
    allowed = _allowed(question.viewer, source, search, placed)
    hits = search.alike(question.title_id, allowed=allowed)
    row = near_row(source, _shown(hits, source.catalogue.titles, question.viewer.excluded))
    return replace(row, key=question.title_id) if len(row.items) else None


def results_row(
    question: SearchQuestion,
    taste: Taste | None,
    source: RecommendationSource,
    hits: Sequence[Hit],
) -> Row:
    """Return the titles that match, those with the same evidence in the ranker's order."""
    items = source.catalogue.titles.items_of([hit.id for hit in hits])
    evidence = np.array([hit.band for hit in hits], dtype=np.int64)
    row = Row(RESULTS, items, np.zeros(len(items), dtype=np.float32), evidence=evidence)
    return source.rerank_hits(row, question.viewer, question.context, taste)


def near_row(source: RecommendationSource, hits: Sequence[Hit]) -> Row:
    """Return the titles near in meaning; a score is how near."""
    items = source.catalogue.titles.items_of([hit.id for hit in hits])
    scores = np.array([hit.parts["meaning"] for hit in hits], dtype=np.float32)
    return Row("near", items, scores)


@dataclass(frozen=True)
class _Placed:
    """Where a catalogue's items are among the documents of search.

    Attributes:
        titles: of the catalogue.
        items: (N,) each document's item, `UNKNOWN` where it has none.
        strangers: the documents without an item.
        is_same: each item is the document of its own number.
    """

    titles: Vocabulary
    items: Int64
    strangers: Int64
    is_same: bool

    def values(self, of_items: NDArray[Any]) -> Float32:
        """Bring (I,) values to (N,) documents, 0 where there is no item; not to be written to."""
        if self.is_same:
            return of_items
        if not len(of_items):
            return np.zeros(len(self.items), dtype=np.float32)
        of_documents = np.asarray(of_items[self.items], dtype=np.float32)
        of_documents[self.strangers] = 0
        return of_documents


_PLACED: WeakKeyDictionary[SearchEngine, _Placed] = WeakKeyDictionary()
"""Worked out once for a search engine and the catalogue that is served beside it."""


def _placed(search: SearchEngine, titles: Vocabulary) -> _Placed:
    known = _PLACED.get(search)
    if known is None or known.titles is not titles:
        items = titles.items_of(search.document_ids)  # (N,)
        is_same = np.array_equal(items, np.arange(len(titles)))
        known = _Placed(titles, items, np.flatnonzero(items == UNKNOWN), is_same)
        _PLACED[search] = known
    return known


def _allowed(
    viewer: Viewer, source: RecommendationSource, search: SearchEngine, placed: _Placed
) -> Bool | None:
    """Return (N,) which documents this viewer may find, None for all.

    Those without an item have no age.
    """
    limit, hidden = viewer.maturity_limit, viewer.hidden
    if limit is None and not hidden:
        return None
    allowed = np.ones(len(placed.items), dtype=bool)
    if limit is not None:
        allowed = placed.values(~source.catalogue.above(limit)) > 0
    allowed[np.isin(search.document_ids, list(hidden))] = False
    return allowed


def _shown(
    hits: Sequence[Hit], titles: Vocabulary, refused: frozenset[int] = frozenset()
) -> tuple[Hit, ...]:
    known = titles.items_of([hit.id for hit in hits]) != UNKNOWN
    pairs = zip(hits, known.tolist(), strict=True)
    return tuple(hit for hit, is_known in pairs if is_known and hit.id not in refused)
