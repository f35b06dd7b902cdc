"""Hits of the search engine as rows over a source's catalogue: allowed, and re-ranked.

I items of the catalogue, which are the documents of search.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.arrays import Bool, Int64
from recommender.data.catalogue import Catalogue
from recommender.ranking.page import Row
from recommender.ranking.row_kinds import RESULTS
from recommender.serving.candidates import excluded_mask, title_mask
from recommender.serving.request import Viewer
from recommender.serving.taste import Taste
from recommender.vocabulary import UNKNOWN
from search.engine import Hit, Part, SearchEngine, SearchResult
from search.retrieve import Band
from webapp.discovery.questions import SearchQuestion, TitleQuestion
from webapp.discovery.selection import EVERYTHING, Sort, sort_keys
from webapp.discovery.source import RecommendationSource

SEARCH_HITS = 40


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        result: of the engine.
        pinned: items that operators put among the results, each with its position from 1, in
            their order; those that this viewer is shown.
        matching: (M,) items that match or are pinned, listed or not.
    """

    result: SearchResult
    pinned: Sequence[tuple[int, int]]
    matching: Int64


def search_catalogue(
    question: SearchQuestion,
    taste: Taste | None,
    source: RecommendationSource,
    search: SearchEngine,
) -> Found:
    """Search what the viewer may be shown, by taste and popularity where evidence is equal.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    catalogue, selection = source.catalogue, question.selection or EVERYTHING
    wanted = search.facets.mask(selection.chosen, seen_mask(question.viewer, catalogue))
    pinned = [] if selection.sort is not Sort.MATCH else _pinned(question, catalogue)
    shown = [(item, position) for item, position in pinned if wanted is None or wanted[item]]
    items = np.array([item for item, _ in pinned], dtype=np.int64)
    listed = wanted
    if pinned:
        listed = np.ones(len(catalogue), dtype=bool) if wanted is None else wanted.copy()
        listed[items] = False
    result = search.search(
        question.text,
        SEARCH_HITS,
        affinity=source.affinity(taste),
        popularity=catalogue.liked_by,
        allowed=_allowed(question.viewer, catalogue, question.curation.hidden),
        variants=question.curation.variants,
        part=Part(
            listed,
            sort_keys(selection.sort, catalogue, search),
            question.begin,
            num_ahead=len(shown),
        ),
        is_submitted=question.is_submitted,
    )
    left_out = question.viewer.excluded | {pin.title_id for pin in question.curation.pins}
    near = tuple(hit for hit in result.near if hit.id not in left_out)
    matching = np.union1d(result.matching, items) if pinned else result.matching
    return Found(replace(result, near=near), shown, matching)


def _pinned(question: SearchQuestion, catalogue: Catalogue) -> list[tuple[int, int]]:
    """Return the pinned items and their positions, without those not for this viewer.

    What is above the viewer's age limit, hidden or refused is not, nor what is not available.
    """
    curation = question.curation
    if not curation.pins:
        return []
    allowed = ~excluded_mask(catalogue, question.viewer)
    by_position = sorted(curation.pins, key=lambda pin: pin.position)
    items = catalogue.items_of([pin.title_id for pin in by_position])
    return [
        (int(item), pin.position)
        for item, pin in zip(items, by_position, strict=True)
        if item != UNKNOWN and allowed[item] and pin.title_id not in curation.hidden
    ]


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
    question: SearchQuestion, taste: Taste | None, source: RecommendationSource, found: Found
) -> Row:
    """Return the titles that match, those with the same evidence in the ranker's order.

    Pinned ones stand where they were pinned.
    """
    hits = found.result.hits
    items = source.catalogue.titles.items_of([hit.id for hit in hits])
    evidence = np.array([hit.band for hit in hits], dtype=np.int64)
    row = Row(RESULTS, items, np.zeros(len(items), dtype=np.float32), evidence=evidence)
    if question.selection is None or question.selection.sort is Sort.MATCH:
        row = source.rerank_hits(row, question.viewer, question.context, taste)
    return _with_pinned(row, found.pinned) if found.result.begin == 0 else row


def _with_pinned(row: Row, pinned: Sequence[tuple[int, int]]) -> Row:
    """Return the row with items put in at their positions, from 1, the lowest first."""
    if not pinned or row.evidence is None:
        return row
    items, scores, evidence = row.items.tolist(), row.scores.tolist(), row.evidence.tolist()
    for item, position in pinned:
        place = min(position - 1, len(items))
        items.insert(place, item)
        scores.insert(place, 0.0)
        evidence.insert(place, Band.PINNED.value)
    return replace(
        row,
        items=np.array(items, dtype=np.int64),
        scores=np.array(scores, dtype=np.float32),
        evidence=np.array(evidence, dtype=np.int64),
    )


def near_row(source: RecommendationSource, hits: Sequence[Hit]) -> Row:
    """Return the titles near in meaning; a score is how near."""
    items = source.catalogue.titles.items_of([hit.id for hit in hits])
    scores = np.array([hit.parts["meaning"] for hit in hits], dtype=np.float32)
    return Row("near", items, scores)


def seen_mask(viewer: Viewer, catalogue: Catalogue) -> Bool | None:
    """Return (I,) which titles the viewer has seen, None where none is known."""
    return title_mask(catalogue, viewer.seen) if viewer.seen else None


def _allowed(
    viewer: Viewer, catalogue: Catalogue, hidden_by_operators: Sequence[int] = ()
) -> Bool | None:
    """Return (I,) which titles a search of this viewer may match, None for all.

    A profile with a maturity limit gets no titles that are unavailable.
    """
    hidden_ids = [*viewer.hidden, *hidden_by_operators]
    if viewer.maturity_limit is None and not hidden_ids:
        return None
    allowed = np.ones(len(catalogue), dtype=bool)
    if viewer.maturity_limit is not None:
        allowed = catalogue.is_available & ~catalogue.above(viewer.maturity_limit)
    hidden = catalogue.titles.items_of(hidden_ids)
    allowed[hidden[hidden != UNKNOWN]] = False
    return allowed
