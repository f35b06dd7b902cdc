"""Hits of the search engine as rows over a source's catalogue: allowed, and re-ranked.

I items of the catalogue, which are the documents of search.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recommender.arrays import Bool
from recommender.data.catalogue import Catalogue
from recommender.ranking.page import Row
from recommender.ranking.row_kinds import RESULTS
from recommender.serving.candidates import title_mask
from recommender.serving.request import Viewer
from recommender.serving.taste import Taste
from recommender.vocabulary import UNKNOWN
from search.engine import Hit, Part, SearchEngine, SearchResult
from webapp.discovery.questions import SearchQuestion, TitleQuestion
from webapp.discovery.selection import EVERYTHING, Sort, sort_keys
from webapp.discovery.source import RecommendationSource

SEARCH_HITS = 40


def search_catalogue(
    question: SearchQuestion,
    taste: Taste | None,
    source: RecommendationSource,
    search: SearchEngine,
) -> SearchResult:
    """Search what the viewer may be shown, by taste and popularity where evidence is equal.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    catalogue, selection = source.catalogue, question.selection or EVERYTHING
    seen = seen_mask(question.viewer, catalogue)
    result = search.search(
        question.text,
        SEARCH_HITS,
        affinity=source.affinity(taste),
        popularity=catalogue.liked_by,
        allowed=_allowed(question.viewer, catalogue),
        part=Part(
            search.facets.mask(selection.chosen, seen),
            sort_keys(selection.sort, catalogue, search),
            question.begin,
        ),
    )
    near = tuple(hit for hit in result.near if hit.id not in question.viewer.excluded)
    return replace(result, near=near)


def similar_in_meaning(
    question: TitleQuestion, source: RecommendationSource, search: SearchEngine
) -> Row | None:
    """Return what is near in meaning to a title that no model knows; None if nothing is.

    Such a title is for example one that is not available here.
    """
    hits = search.alike(question.title_id, allowed=_allowed(question.viewer, source.catalogue))
    row = near_row(source, [hit for hit in hits if hit.id not in question.viewer.excluded])
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
    if question.selection is not None and question.selection.sort is not Sort.MATCH:
        return row
    return source.rerank_hits(row, question.viewer, question.context, taste)


def near_row(source: RecommendationSource, hits: Sequence[Hit]) -> Row:
    """Return the titles near in meaning; a score is how near."""
    items = source.catalogue.titles.items_of([hit.id for hit in hits])
    scores = np.array([hit.parts["meaning"] for hit in hits], dtype=np.float32)
    return Row("near", items, scores)


def seen_mask(viewer: Viewer, catalogue: Catalogue) -> Bool | None:
    """Return (I,) which titles the viewer has seen, None where none is known."""
    return title_mask(catalogue, viewer.seen) if viewer.seen else None


def _allowed(viewer: Viewer, catalogue: Catalogue) -> Bool | None:
    """Return (I,) which titles a search of this viewer may match, None for all.

    A profile with a maturity limit gets no titles that are unavailable.
    """
    if viewer.maturity_limit is None and not viewer.hidden:
        return None
    allowed = np.ones(len(catalogue), dtype=bool)
    if viewer.maturity_limit is not None:
        allowed = catalogue.is_available & ~catalogue.above(viewer.maturity_limit)
    hidden = catalogue.titles.items_of(list(viewer.hidden))
    allowed[hidden[hidden != UNKNOWN]] = False
    return allowed
