"""Answer a question (home, title, listing, search) with ranked rows.

Pure: the same question, release and catalogue give the same answer, for a page and for its replay.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from recommender.ranking.interleaving import draft_row
from recommender.ranking.page import Row
from recommender.ranking.row_kinds import RESULTS, row_id, row_kind
from recommender.serving.candidates import (
    catalogue_items,
    excluded_mask,
    listing_items,
    not_hidden_as_watched,
    title_mask,
)
from recommender.serving.request import RequestContext, Viewer
from recommender.serving.stages import stage
from recommender.serving.taste import Taste
from recommender.serving.utility import request_rng
from search.engine import SearchEngine, SearchResult
from search.facets import FacetCount
from webapp.discovery.hits import (
    near_row,
    results_row,
    search_catalogue,
    seen_mask,
    similar_in_meaning,
)
from webapp.discovery.questions import (
    HomeQuestion,
    ListingQuestion,
    Question,
    RowsBelowQuestion,
    SearchQuestion,
    SuggestionsQuestion,
    TitleQuestion,
)
from webapp.discovery.selection import sort_keys
from webapp.discovery.source import RecommendationSource
from webapp.discovery.treatments import treated_viewer


@dataclass(frozen=True)
class Answer:
    """Rows over the item numbers of the source's catalogue, and how they came about.

    Attributes:
        rows: what is shown. A search has the rows `results` and `near`, in meaning; one without
            any match has suggestions.
        taste: what ordered them.
        search_result: what a search understood and matched, without what may not be shown.
        total: how many titles a listing or search has in all.
        facets: how many of them have each value that would narrow them.
    """

    rows: list[Row]
    taste: Taste | None = None
    search_result: SearchResult = field(default_factory=SearchResult)
    total: int = 0
    facets: tuple[FacetCount, ...] = ()


def answer(question: Question, source: RecommendationSource, search: SearchEngine) -> Answer:
    """Answer any question.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    match question:
        case HomeQuestion():
            return answer_home(question, source)
        case RowsBelowQuestion():
            return answer_rows_below(question, source)
        case TitleQuestion():
            return answer_title(question, source, search)
        case ListingQuestion():
            return answer_listing(question, source, search)
        case SearchQuestion():
            return answer_search(question, source, search)
        case SuggestionsQuestion():
            return answer_suggestions(question, source)


def answer_home(question: HomeQuestion | RowsBelowQuestion, source: RecommendationSource) -> Answer:
    """Return the rows of the home page, those on screen in their places."""
    viewer, context = question.viewer, question.context
    taste = _taste(viewer, context, source)
    rows = source.home(viewer, context, taste, question.on_screen, question.played_today)
    return Answer(rows, taste)


def answer_rows_below(question: RowsBelowQuestion, source: RecommendationSource) -> Answer:
    """Return the rows of the home page below the last one that is on screen."""
    page = answer_home(question, source)
    shown = {row_id(row.kind, row.key) for row in question.on_screen}
    last = max(
        (n for n, row in enumerate(page.rows) if row_id(row.kind, row.key) in shown), default=-1
    )
    return replace(page, rows=page.rows[last + 1 :])


def answer_title(
    question: TitleQuestion, source: RecommendationSource, search: SearchEngine
) -> Answer:
    """Return titles like one, or near in meaning where no model knows it, and those played next."""
    viewer, context = question.viewer, question.context
    taste = _taste(viewer, context, source)
    similar = source.more_like(question.title_id, viewer, context, taste)
    similar = similar or similar_in_meaning(question, source, search)
    rows = (similar, _played_next(question, source))
    return Answer([row for row in rows if row is not None], taste)


def answer_listing(
    question: ListingQuestion, source: RecommendationSource, search: SearchEngine
) -> Answer:
    """Return a part of a genre's or a person's titles, without what the viewer hid."""
    viewer, context, catalogue = question.viewer, question.context, source.catalogue
    chosen, facets = question.selection.chosen, search.facets
    taste = _taste(viewer, context, source)
    hidden = title_mask(catalogue, viewer.hidden) | catalogue.above(viewer.maturity_limit)
    items, seen = listing_items(catalogue, question.listing, hidden), seen_mask(viewer, catalogue)
    counts = facets.counts(items, chosen, seen)
    wanted = facets.mask(chosen, seen)
    keys = sort_keys(question.selection.sort, catalogue, search)
    hidden = hidden if wanted is None else hidden | ~wanted
    row, total = source.listing(question.listing, hidden, viewer, context, taste, keys)
    return Answer([row], taste, total=total, facets=counts)


def answer_search(
    question: SearchQuestion, source: RecommendationSource, search: SearchEngine
) -> Answer:
    """Return what a text means; a list shared with a rival ranking is drafted from both.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    own = _ranked_search(question, source, search)
    if not question.rival:
        return own
    rival = replace(question, viewer=treated_viewer(question.viewer, question.rival))
    return _drafted(question, own, _ranked_search(rival, source, search))


def answer_suggestions(question: SuggestionsQuestion, source: RecommendationSource) -> Answer:
    """Return titles to offer; a list shared with a rival ranking is drafted from both."""
    own = _ranked_suggestions(question.viewer, question.context, source)
    if not question.rival:
        return own
    rival = treated_viewer(question.viewer, question.rival)
    return _drafted(question, own, _ranked_suggestions(rival, question.context, source))


def _taste(viewer: Viewer, context: RequestContext, source: RecommendationSource) -> Taste | None:
    with stage("taste"):
        return source.taste(viewer, context)


def _ranked_search(
    question: SearchQuestion, source: RecommendationSource, search: SearchEngine
) -> Answer:
    """Return the results and what is near in meaning; suggestions where nothing matches."""
    viewer, context = question.viewer, question.context
    taste = _taste(viewer, context, source)
    found = search_catalogue(question, taste, source, search)
    result = found.result
    rows = [results_row(question, taste, source, found), near_row(source, result.near)]
    rows = [row for row in rows if len(row.items)]
    rows = rows or source.suggestions(viewer, context, taste)
    counts: tuple[FacetCount, ...] = ()
    if question.selection is not None:
        seen = seen_mask(viewer, source.catalogue)
        counts = search.facets.counts(found.matching, question.selection.chosen, seen)
    return Answer(rows, taste, result, result.total, counts)


def _ranked_suggestions(
    viewer: Viewer, context: RequestContext, source: RecommendationSource
) -> Answer:
    taste = _taste(viewer, context, source)
    return Answer(source.suggestions(viewer, context, taste), taste)


def _drafted(question: SearchQuestion | SuggestionsQuestion, own: Answer, rival: Answer) -> Answer:
    """Let two rankings share the rows that may be drafted; the titles of a search are `own`'s."""
    rng = request_rng(question.viewer, question.context)
    rival_rows = {row.kind: row for row in rival.rows}
    rows = []
    for row in own.rows:
        rival_row = rival_rows.get(row.kind) if row_kind(row.kind).is_drafted else None
        if rival_row is not None and row.kind == RESULTS:
            is_shared = np.isin(rival_row.items, row.items)
            rival_row = replace(
                rival_row, items=rival_row.items[is_shared], scores=rival_row.scores[is_shared]
            )
        rows.append(row if rival_row is None else draft_row(row, rival_row, rng))
    return replace(own, rows=rows)


def _played_next(question: TitleQuestion, source: RecommendationSource) -> Row | None:
    """Return what people began next and this viewer may and wants to see; None if too few."""
    viewer, page = question.viewer, question.context.page
    items = catalogue_items(source.catalogue, question.played_next)
    allowed = ~excluded_mask(source.catalogue, viewer)
    allowed &= not_hidden_as_watched(source.catalogue, viewer)
    items = items[allowed[items]][: page.row_size]
    if len(items) < page.min_row_size:
        return None
    scores = np.arange(len(items), 0, -1, dtype=np.float32)
    return Row("played_next", items, scores, question.title_id)
