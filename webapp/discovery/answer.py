"""What is shown, from what is known: one function that pages ask, and that a replay asks again."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.interleaving import draft_row
from recommender.ranking.page import PageConfig, Row
from recommender.ranking.row_kinds import RESULTS, row_id, row_kind
from recommender.serving.candidates import (
    Listing,
    catalogue_items,
    excluded_mask,
    not_hidden_as_watched,
    title_mask,
)
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from recommender.serving.request import Viewer
from recommender.serving.stages import stage
from recommender.serving.taste import Taste
from recommender.serving.utility import request_rng
from recommender.vocabulary import UNKNOWN, Vocabulary
from search.engine import Hit, SearchEngine, SearchResult
from webapp.discovery.surface import Surface
from webapp.discovery.treatments import treated_viewer

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
        listing: the part of a genre's or a person's titles that is wanted.
        played_next: what people began next after `title_id`.
        rival: the treatment of another ranking that shares lists of titles found or suggested.
        goes_on: whether only the rows below what is on screen are wanted.
    """

    viewer: Viewer
    page: PageConfig
    title_id: int | None = None
    text: str = ""
    hidden: frozenset[int] = frozenset()
    goes_on: bool = False
    listing: Listing | None = None
    played_next: tuple[int, ...] = ()
    rival: str = ""


@dataclass(frozen=True)
class Answer:
    """Rows over the item numbers of the source's catalogue, and how they came about.

    Attributes:
        rows: what is shown. A search has the rows `results` and `near`, in meaning; one that finds
            nothing at all has suggestions.
        taste: what ordered them.
        found: what a search understood and found, without what may not be shown.
        total: how many titles a listing has in all.
    """

    rows: list[Row]
    taste: Taste | None = None
    found: SearchResult = field(default_factory=SearchResult)
    total: int = 0


def answer(question: Question, source: Source, search: SearchEngine) -> Answer:
    """Answer for the surface that the viewer looks at.

    Home, suggestions and search are ordered by one and the same taste: that of this viewer, in
    this visit, on this surface, now. Same question, same release, same catalogue: same answer.
    With a rival, what is found or suggested is drafted from this order and the rival's.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    ours = _ordered(question, source, search)
    if not question.rival:
        return ours
    rival = replace(question, viewer=treated_viewer(question.viewer, question.rival))
    return _drafted(ours, _ordered(rival, source, search), request_rng(question.viewer))


def _drafted(ours: Answer, theirs: Answer, rng: np.random.Generator) -> Answer:
    """Draft the rows that can be shared. What a search finds is ours, its order is drafted."""
    rivals = {row.kind: row for row in theirs.rows}
    rows = []
    for row in ours.rows:
        rival = rivals.get(row.kind) if row_kind(row.kind).is_drafted else None
        if rival is not None and row.kind == RESULTS:
            here = np.isin(rival.items, row.items)
            rival = replace(rival, items=rival.items[here], scores=rival.scores[here])
        rows.append(row if rival is None else draft_row(row, rival, rng))
    return replace(ours, rows=rows)


def _ordered(question: Question, source: Source, search: SearchEngine) -> Answer:
    viewer, page = question.viewer, question.page
    with stage("taste"):
        taste = source.taste(viewer)
    if question.title_id is not None:
        likes = source.more_like(question.title_id, viewer, taste, page)
        likes = likes or _alike(question, question.title_id, source, search)
        found_rows = (likes, _played_next(question, source))
        return Answer([row for row in found_rows if row is not None], taste)
    if question.listing is not None:
        hidden = title_mask(source.catalogue, question.hidden)
        hidden |= source.catalogue.above(viewer.maturity_limit)
        row, total = source.listing(question.listing, hidden, viewer, taste)
        return Answer([row], taste, total=total)
    if viewer.surface == Surface.HOME:
        rows = source.home(viewer, taste, page)
        return Answer(_below(rows, viewer) if question.goes_on else rows, taste)
    found = SearchResult()
    if viewer.surface == Surface.SEARCH:
        found = _found(question, taste, source, search)
        rows = [_results(question, taste, source, found.hits), _near(source, found.near)]
        if any(len(row.items) for row in rows):
            return Answer([row for row in rows if len(row.items)], taste, found)
    return Answer(source.suggestions(viewer, taste, page), taste, found)


def _played_next(question: Question, source: Source) -> Row | None:
    """What people began next, without what this viewer may or wants not see; None if too few."""
    viewer, catalogue = question.viewer, source.catalogue
    items = catalogue_items(catalogue, question.played_next)
    shown = ~excluded_mask(catalogue, viewer) & not_hidden_as_watched(catalogue, viewer)
    items = items[shown[items]][: question.page.row_size]
    if len(items) < question.page.min_row_size:
        return None
    scores = np.arange(len(items), 0, -1, dtype=np.float32)
    return Row("played_next", items, scores, question.title_id)


def _below(rows: list[Row], viewer: Viewer) -> list[Row]:
    """Return the rows that stand below all that is on screen."""
    shown = {row_id(row.kind, row.key) for row in viewer.on_screen}
    names = [row_id(row.kind, row.key) for row in rows]
    last = max((n for n, name in enumerate(names) if name in shown), default=-1)
    return rows[last + 1 :]


def _found(
    question: Question, taste: Taste | None, source: Source, search: SearchEngine
) -> SearchResult:
    """Search, and leave out what may not be shown, and what the source's catalogue lacks."""
    placed = _placed(search, source.catalogue.titles)
    affinity = source.affinity(taste)
    result = search.search(
        question.text,
        SEARCH_HITS,
        affinity=None if affinity is None else placed.values(affinity),
        popularity=placed.values(source.catalogue.liked_by),
        allowed=_allowed(question, source, search, placed),
    )
    titles = source.catalogue.titles
    return replace(
        result,
        hits=_shown(result.hits, titles),
        near=_shown(result.near, titles, question.viewer.excluded),
    )


def _alike(question: Question, title_id: int, source: Source, search: SearchEngine) -> Row | None:
    """What is near in meaning to a title that no model knows, for example one not to be had."""
    placed = _placed(search, source.catalogue.titles)
    hits = search.alike(title_id, allowed=_allowed(question, source, search, placed))
    row = _near(source, _shown(hits, source.catalogue.titles, question.viewer.excluded))
    return replace(row, key=title_id) if len(row.items) else None


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
    items: NDArray[np.int64]
    strangers: NDArray[np.int64]
    is_same: bool

    def values(self, of_items: NDArray[Any]) -> NDArray[np.float32]:
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
    question: Question, source: Source, search: SearchEngine, placed: _Placed
) -> NDArray[np.bool_] | None:
    """Return (N,) which documents this viewer may find, None for all.

    Those without an item have no age.
    """
    limit, hidden = question.viewer.maturity_limit, question.hidden
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


def _results(question: Question, taste: Taste | None, source: Source, hits: Sequence[Hit]) -> Row:
    """Rank hits by evidence, and within equal evidence by the ranker, where there is one."""
    items = source.catalogue.titles.items_of([hit.id for hit in hits])
    evidence = np.array([hit.band for hit in hits], dtype=np.int64)
    row = Row(RESULTS, items, np.zeros(len(items), dtype=np.float32), evidence=evidence)
    return source.rerank_hits(row, question.viewer, taste)


def _near(source: Source, hits: Sequence[Hit]) -> Row:
    """A score is how near the title is in meaning."""
    items = source.catalogue.titles.items_of([hit.id for hit in hits])
    scores = np.array([hit.parts["meaning"] for hit in hits], dtype=np.float32)
    return Row("near", items, scores)
