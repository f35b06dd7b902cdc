"""What is shown, from what is known: one function that pages ask, and that a replay asks again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.page import PageConfig, Row
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from recommender.serving.request import Viewer
from recommender.serving.taste import Taste
from recommender.vocabulary import UNKNOWN
from search.engine import SearchEngine
from webapp.events.models import Surface

Source = Recommender | PopularTitles

SEARCH_HITS = 40


@dataclass(frozen=True)
class Question:
    """All that an answer depends on, besides the release and the catalogue.

    Attributes:
        viewer: who asks, from where, and when.
        page: the limits of rows.
        title_id: what a title's page is about.
        text: what was typed.
        hidden: titles that not even a search may find.
    """

    viewer: Viewer
    page: PageConfig
    title_id: int | None = None
    text: str = ""
    hidden: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Answer:
    """Rows over the item numbers of the source's catalogue; the taste that ordered them."""

    rows: list[Row]
    taste: Taste | None = None
    corrected: str | None = None
    """The name that a search with a mistake in it meant."""


def answer(question: Question, source: Source, search: SearchEngine) -> Answer:
    """Answer for the surface that the viewer looks at.

    Home, suggestions and search are ordered by one and the same taste: that of this viewer, in
    this visit, on this surface, now. Same question, same release, same catalogue: same answer.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    viewer, page = question.viewer, question.page
    taste = source.taste(viewer)
    if question.title_id is not None:
        row = source.more_like(question.title_id, viewer, taste, page)
        return Answer([row] if row else [], taste)
    if viewer.surface == Surface.HOME:
        return Answer(source.home(viewer, taste, page), taste)
    corrected = None
    if viewer.surface == Surface.SEARCH:
        found, corrected = _found(question, taste, source, search)
        if len(found.items):
            return Answer([found], taste, corrected)
    return Answer(source.suggestions(viewer, taste, page), taste, corrected)


def _found(
    question: Question, taste: Taste | None, source: Source, search: SearchEngine
) -> tuple[Row, str | None]:
    """Search; a hit's score is its band of evidence, 0 best, -1 next, plus the ranker's chance."""
    items = source.catalogue.titles.items_of(search.document_ids)  # (N,)
    limit = question.viewer.maturity_limit
    above = np.where(items == UNKNOWN, limit is not None, source.catalogue.above(limit)[items])
    refused = np.isin(search.document_ids, list(question.hidden))
    affinity = source.affinity(taste)
    result = search.search(
        question.text,
        SEARCH_HITS,
        affinity=None if affinity is None else _on_documents(affinity, items),
        popularity=_on_documents(source.catalogue.liked_by, items),
        allowed=~(above | refused),
    )
    found = source.catalogue.titles.items_of([hit.id for hit in result.hits])
    evidence = np.array([hit.band for hit in result.hits], dtype=np.int64)
    known = found != UNKNOWN
    ordered = source.ordered_hits(found[known], evidence[known], question.viewer, taste)
    return Row("results", *ordered), result.corrected


def _on_documents(values: NDArray[np.float32], items: NDArray[np.int64]) -> NDArray[np.float32]:
    """Bring (I,) values of a catalogue to the order of search's documents, 0 where unknown."""
    return np.where(items == UNKNOWN, 0, values[items]).astype(np.float32)
