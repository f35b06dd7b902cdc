"""Candidate rows that need no model, and the masks and filters that all rows share.

I items of the catalogue, G genres, N items of a row.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from recommender.arrays import Bool, Float32, Floating, Int64
from recommender.data.catalogue import Catalogue
from recommender.ranking.page import CandidateRow, PinnedRow
from recommender.ranking.reasons import Because, Reason
from recommender.ranking.row_kinds import CONTINUE_WATCHING, MY_LIST, Subject, row_kind
from recommender.serving.request import ShownRow, Viewer
from recommender.vocabulary import UNKNOWN

CANDIDATES = 200
"""How many titles a row proposes; rows above may take some of them."""
TOP = 10
SAMPLE, SAMPLED_FROM = 4096, 32_768
"""Of more titles than the second, so many are looked at first for where the best begin."""


def catalogue_items(catalogue: Catalogue, title_ids: Iterable[int]) -> Int64:
    """Return (N,) the items of these titles in their order, without those not available."""
    items = catalogue.items_of(np.fromiter(title_ids, dtype=np.int64))
    existing: Int64 = items[items != UNKNOWN]
    return existing


def age_allowed_items(catalogue: Catalogue, viewer: Viewer, title_ids: Iterable[int]) -> Int64:
    """Return (N,) the items of these titles within the viewer's maturity limit, in their order."""
    items = catalogue_items(catalogue, title_ids)
    allowed: Int64 = items[~catalogue.above(viewer.maturity_limit)[items]]
    return allowed


def columns_of(ids: Int64, wanted: Collection[int]) -> list[int]:
    """Return the columns of these genres or people, ascending.

    Args:
        ids: (F,) the outside id of each column; there may be a million, so nothing is looked
            through where none is wanted.
        wanted: outside ids.
    """
    return np.flatnonzero(np.isin(ids, list(wanted))).tolist() if wanted else []


def title_mask(catalogue: Catalogue, title_ids: Iterable[int]) -> Bool:
    """Return (I,) True at these titles."""
    mask = np.zeros(len(catalogue), dtype=bool)
    mask[catalogue_items(catalogue, title_ids)] = True
    return mask


def ordered_row(
    kind: str,
    items: Int64,
    scores: Float32,
    key: int | None = None,
) -> CandidateRow:
    """Order items by score, highest first, ties by item number.

    Args:
        kind: the row's kind.
        items: (N,) ascending item numbers.
        scores: (I,) a score for every item of the catalogue.
        key: what the row is about.
    """
    of_items = scores[items]
    if len(items) > SAMPLED_FROM:
        likely = _likely_best(of_items)
        items, of_items = items[likely], of_items[likely]
    if len(items) > CANDIDATES:
        best = np.argpartition(-of_items, CANDIDATES)[:CANDIDATES]
        floor = of_items[best].min()
        best = np.flatnonzero(of_items >= floor)
        items, of_items = items[best], of_items[best]
    order = np.argsort(-of_items, kind="stable")[:CANDIDATES]
    return CandidateRow(kind, items[order], of_items[order].astype(np.float32), key)


def _likely_best(scores: Float32) -> Int64:
    """Return the places of (N,) scores that hold the best `CANDIDATES` and those equal to the last.

    They are those above a score that a sample puts at eight times `CANDIDATES` from the top; all,
    where it was put too high.
    """
    step = len(scores) // SAMPLE
    sample = scores[::step]
    above = max(8 * CANDIDATES // step, 1)
    places = np.flatnonzero(scores >= np.partition(sample, -above)[-above])
    return places if len(places) >= CANDIDATES else np.arange(len(scores))


def rows_kept_by_viewer(catalogue: Catalogue, viewer: Viewer) -> Iterator[CandidateRow]:
    """Yield Continue Watching and My List, in the viewer's own order."""
    for kind, title_ids in ((CONTINUE_WATCHING, viewer.unfinished), (MY_LIST, viewer.listed)):
        items = catalogue_items(catalogue, title_ids)
        scores = np.arange(len(items), 0, -1, dtype=np.float32)
        yield CandidateRow(kind, items, scores)


def excluded_mask(catalogue: Catalogue, viewer: Viewer) -> Bool:
    """Return (I,) True at titles to show nowhere: refused alone or by genre, or above the limit.

    What the viewer keeps or has begun is not refused by its genre.
    """
    excluded = title_mask(catalogue, viewer.excluded) | catalogue.above(viewer.maturity_limit)
    excluded |= ~catalogue.is_available
    columns = columns_of(catalogue.genre_ids, viewer.refused_genres)
    if columns:
        of_genre = np.zeros(len(catalogue), dtype=bool)
        for column in columns:
            of_genre[catalogue.items_with_genre(column)] = True
        excluded |= of_genre & ~title_mask(catalogue, [*viewer.listed, *viewer.unfinished])
    return excluded


def not_hidden_as_watched(catalogue: Catalogue, viewer: Viewer) -> Bool:
    """Return (I,) True at titles for any row: all, but for a viewer who hides what was watched."""
    if viewer.hides_watched:
        return ~title_mask(catalogue, viewer.seen)
    return np.ones(len(catalogue), dtype=bool)


def filtered(row: CandidateRow, allowed: Bool) -> CandidateRow:
    """Return the row without the items that are not allowed."""
    keep = allowed[row.items]
    return replace(row, items=row.items[keep], scores=row.scores[keep])


def unseen_mask(catalogue: Catalogue, viewer: Viewer) -> Bool:
    """Return (I,) True at titles that the viewer has neither seen nor begun."""
    return ~title_mask(catalogue, viewer.seen | set(viewer.unfinished))


def pinned_rows(
    catalogue: Catalogue, viewer: Viewer, on_screen: Iterable[ShownRow]
) -> list[PinnedRow]:
    """Return the rows of the home page that stay: what this visit has seen of it.

    A title begun leaves the personal rows, a row because of a refused title goes.
    """
    unseen, other = unseen_mask(catalogue, viewer), not_hidden_as_watched(catalogue, viewer)
    pinned = []
    for row in on_screen:
        if not (row.num_seen or row.num_held):
            continue
        kind = row_kind(row.kind)
        if kind.subject == Subject.TITLE and row.key is not None:
            is_gone = not len(age_allowed_items(catalogue, viewer, [row.key]))
            if is_gone or row.key in viewer.excluded:
                continue
        items = catalogue.items_of(np.array(row.titles, dtype=np.int64))
        stays = items != UNKNOWN
        if not kind.is_kept_by_viewer:
            stays &= (unseen if kind.is_personal else other)[items]
        scores = np.array(row.scores, dtype=np.float32)[stays]
        propensities = np.array(row.propensities or [1.0] * len(items), dtype=np.float32)[stays]
        seen, held = (int(stays[:number].sum()) for number in (row.num_seen, row.num_held))
        pinned.append(PinnedRow(row.kind, items[stays], scores, row.key, seen, held, propensities))
    return pinned


def new_row(catalogue: Catalogue) -> CandidateRow:
    """Return the titles added last."""
    return ordered_row("new", catalogue.available_items, catalogue.added_at.astype(np.float32))


def popular_row(
    kind: str, catalogue: Catalogue, likes: Float32, because: Because = Because.POPULAR
) -> CandidateRow:
    """Return the titles that most people like; the reason says so if anybody likes one.

    Args:
        kind: the row's kind.
        catalogue: I titles.
        likes: (I,) how many liked each, or how many lately.
        because: `POPULAR`, or `TRENDING` for likes of late.
    """
    row = ordered_row(kind, catalogue.available_items, likes)
    likers = int(catalogue.liked_by[row.items[0]]) if len(row.items) else 0
    if not likers or row.scores[0] <= 0:
        return row
    return replace(row, reason=Reason(because, likers=likers))


def top_row(catalogue: Catalogue, played_today: Iterable[int]) -> CandidateRow:
    """Return what most viewers play today."""
    items = catalogue_items(catalogue, played_today)[:TOP]
    return CandidateRow("top_10", items, np.arange(len(items), 0, -1, dtype=np.float32))


def watch_again_row(catalogue: Catalogue, viewer: Viewer, affinity: Float32) -> CandidateRow:
    """Return what the viewer liked before and has ended, by affinity."""
    again = [
        id_ for id_ in viewer.liked_before if id_ in viewer.seen and id_ not in viewer.unfinished
    ]
    return ordered_row("watch_again", np.sort(catalogue_items(catalogue, again)), affinity)


def genre_rows(
    catalogue: Catalogue, genres: Iterable[int], scores: Float32
) -> Iterator[CandidateRow]:
    """Yield a row for each genre column, its titles by score."""
    for genre in genres:
        yield ordered_row(
            "genre",
            catalogue.items_with_genre(int(genre)),
            scores,
            int(catalogue.genre_ids[genre]),
        )


def genre_similarity(catalogue: Catalogue, item: int) -> Float32:
    """Return (I,) the cosine of the genres with the item's, up to half less for unpopular titles.

    So values are in [0, 1], and 0 where no genre is shared.
    """
    shared = (catalogue.genres @ catalogue.genres[[item]].T).toarray()[:, 0]  # (I,)
    counts = np.asarray(catalogue.genres.sum(axis=1)).ravel()
    cosine = shared / np.sqrt(np.maximum(counts * counts[item], 1))
    popular = np.log1p(catalogue.liked_by)
    return np.asarray(cosine * (0.5 + 0.5 * popular / max(popular.max(), 1)), dtype=np.float32)


def share_a_genre(catalogue: Catalogue, items: Int64, item: int) -> Bool:
    """Return (N,) which of the items have a genre of the one."""
    shared = catalogue.genres[items] @ catalogue.genres[[item]].T
    return np.asarray(shared.toarray()[:, 0] > 0)


def genres_by_size(catalogue: Catalogue) -> Int64:
    """Return (G,) genre columns, the largest first."""
    return np.argsort(-np.asarray(catalogue.genres.sum(axis=0)).ravel(), kind="stable")


@dataclass(frozen=True)
class Listing:
    """A part of all titles of a genre, or of a person.

    Attributes:
        kind: `genre` or `person`.
        key: which, an outside id.
        begin: the first position, from 0.
        size: how many titles.
    """

    kind: str
    key: int
    begin: int
    size: int


def listing_items(catalogue: Catalogue, listing: Listing, excluded: Bool) -> Int64:
    """Return (N,) all titles of a genre or a person, in item order.

    Args:
        catalogue: I titles.
        listing: of which.
        excluded: (I,) True at titles left out.
    """
    is_genre = listing.kind == "genre"
    ids = catalogue.genre_ids if is_genre else catalogue.person_ids
    columns = np.flatnonzero(ids == listing.key)
    items = np.empty(0, dtype=np.int64)
    if len(columns):
        of = catalogue.items_with_genre if is_genre else catalogue.items_with_person
        items = of(int(columns[0]))
    kept: Int64 = items[~excluded[items]]
    return kept


def listed(
    catalogue: Catalogue,
    listing: Listing,
    excluded: Bool,
    keys: Floating,
) -> tuple[CandidateRow, int]:
    """Return a page of the titles by key, the last one past the end, and their total.

    Args:
        catalogue: I titles.
        listing: which titles, and which page of them.
        excluded: (I,) True at titles left out.
        keys: (I,) what orders the titles, the greatest first.
    """
    items = listing_items(catalogue, listing, excluded)
    last = max(len(items) - 1, 0) // listing.size * listing.size
    begin = min(listing.begin, last)
    order = np.argsort(-keys[items], kind="stable")[begin : begin + listing.size]
    scores = keys[items[order]].astype(np.float32)
    return CandidateRow(listing.kind, items[order], scores, listing.key), len(items)
