"""The recommender of one release over one moment of the catalogue: retrieve, rank, build the page.

I items of the catalogue, M of them with a vector in the models, D of its size.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.data.catalogue import Catalogue
from recommender.models.popularity import Popularity
from recommender.ranking.page import CandidateRow, PageConfig, Row, build_page
from recommender.retrieval.vector_index import VectorIndex
from recommender.serving.request import Viewer
from recommender.serving.rows import (
    CANDIDATES,
    genre_rows,
    genres_by_size,
    kept_rows,
    known_items,
    likeness_by_genre,
    mask_of,
    new_row,
    news_of,
    ordered_row,
    pinned_rows,
)
from recommender.serving.taste import Taste, TasteModel
from recommender.vocabulary import UNKNOWN

Floats = NDArray[np.float32]

BECAUSE_ROWS = 3
"""Most rows that name a title as their reason."""
GENRE_ROWS = 8
DOUBT = 10.0
"""A title liked by this many is judged half by the model and half by its genres."""


class Recommender:
    """Answers for one release; immutable, so threads may share it."""

    def __init__(self, catalogue: Catalogue, tastes: TasteModel, popularity: Popularity) -> None:
        # what is shown must not depend on ratings made after the release
        likes = _spread(popularity.counts, popularity.items.ids, catalogue)
        self.catalogue = replace(catalogue, liked_by=likes)
        self._tastes = tastes
        place = tastes.items.items_of(catalogue.titles.ids)  # (I,)
        self._modelled = np.flatnonzero(place != UNKNOWN)  # (M,)
        factors = tastes.space[place[self._modelled]]  # (M, D)
        self._factors = np.zeros((len(catalogue), factors.shape[1]), dtype=np.float32)  # (I, D)
        self._factors[self._modelled] = factors
        self._by_taste = VectorIndex(factors)
        self._trending = _spread(popularity.trending, popularity.items.ids, catalogue)  # (I,)

    @classmethod
    def load(cls, folder: Path, catalogue: Catalogue) -> "Recommender":
        """Read a release's artifacts.

        Raises:
            ArtifactError: one of them is missing or broken.
        """
        return cls(catalogue, TasteModel.load(folder), Popularity.load(folder / "popularity"))

    def home(self, viewer: Viewer, taste: Taste | None, config: PageConfig) -> list[Row]:
        """Build the home page's rows for this viewer at this moment.

        Cost: one solve of iALS's system, one encoding of at most `max_events`, one scan of the
        factors, and a few sorts of `CANDIDATES` items.
        """
        candidates = self._candidate_rows(viewer, taste)
        excluded = mask_of(self.catalogue, viewer.excluded)
        return build_page(candidates, excluded, config, pinned_rows(self.catalogue, viewer))

    def suggestions(self, viewer: Viewer, taste: Taste | None, config: PageConfig) -> list[Row]:
        """Build the row to offer where no text says what is wanted; none if it were too short."""
        excluded = mask_of(self.catalogue, viewer.excluded)
        if taste is None:
            row = ordered_row("suggestions", np.arange(len(self.catalogue)), self._trending)
        else:
            news = news_of(self.catalogue, viewer)
            row = _only(self._taste_row("suggestions", taste.vector, len(viewer.seen)), news)
        return build_page([row], excluded, config)

    def taste(self, viewer: Viewer) -> Taste | None:
        """Return what the viewer wants at this moment, None where nothing is known."""
        return self._tastes.taste(viewer)

    def affinity(self, taste: Taste | None) -> Floats | None:
        """Return (I,) how well each title of the catalogue fits the taste, None where it is."""
        return None if taste is None else self._factors @ taste.vector

    def more_like(self, title_id: int, viewer: Viewer, config: PageConfig) -> Row | None:
        """Return the titles nearest to one, without what the viewer refused; None if too few."""
        excluded = mask_of(self.catalogue, viewer.excluded | {title_id})
        rows = build_page([self._likeness_row("more_like", title_id)], excluded, config)
        return rows[0] if rows else None

    def _candidate_rows(self, viewer: Viewer, taste: Taste | None) -> Iterator[CandidateRow]:
        """Yield the rows in the order they should stand."""
        kept = {row.kind: row for row in kept_rows(self.catalogue, viewer)}
        news = news_of(self.catalogue, viewer)  # (I,)
        because = [
            _only(self._likeness_row("because_watched", id_), news)
            for id_ in viewer.reasons
            if id_ in self.catalogue.titles
        ][:BECAUSE_ROWS]
        genre_order = self._genre_order(viewer)
        scores = self._trending if taste is None else self._factors @ taste.vector
        genres = [
            _only(row, news) for row in genre_rows(self.catalogue, genre_order[:GENRE_ROWS], scores)
        ]
        yield kept["continue_watching"]
        if taste is not None and taste.visit_vector is not None:
            yield _only(self._taste_row("this_visit", taste.visit_vector, len(viewer.seen)), news)
        yield from because[:1]
        if taste is not None:
            yield _only(self._taste_row("top_picks", taste.vector, len(viewer.seen)), news)
        yield ordered_row("trending", np.arange(len(self.catalogue)), self._trending)
        yield kept["my_list"]
        yield from because[1:2]
        yield from genres[:1]
        yield new_row(self.catalogue)
        yield from because[2:]
        yield from genres[1:]

    def _taste_row(self, kind: str, taste: Floats, spare: int) -> CandidateRow:
        scores, places = self._by_taste.search(taste[None, :], CANDIDATES + spare)
        return CandidateRow(kind, self._modelled[places[0]], scores[0])

    def _likeness_row(self, kind: str, title_id: int) -> CandidateRow:
        """What someone who liked this title alone would be shown, steadied by genre.

        The model's word counts n / (n + `DOUBT`) for a title that n profiles liked; the rest is
        how alike the genres are. So a title hardly anyone knows still has sensible neighbours.
        """
        item = int(self.catalogue.titles.items_of([title_id])[0])
        if item == UNKNOWN:
            nothing = np.empty(0, dtype=np.int64)
            return CandidateRow(kind, nothing, nothing.astype(np.float32), title_id)
        likeness = likeness_by_genre(self.catalogue, item)  # (I,)
        taste = self._tastes.like(title_id)
        if taste is not None:
            support = float(self.catalogue.liked_by[item])
            trust = np.float32(support / (support + DOUBT))
            fit = self._factors @ taste  # (I,)
            likeness = trust * fit / max(float(fit.max()), 1e-9) + (1 - trust) * likeness
        likeness[item] = 0
        return ordered_row(kind, np.flatnonzero(likeness > 0), likeness, title_id)

    def _genre_order(self, viewer: Viewer) -> NDArray[np.int64]:
        """Genre columns, those the viewer likes more than others do first.

        Each genre's share of what was liked is held against its share of all that people like,
        with one liked title's worth of doubt; without a history the largest genres come first.
        """
        items = known_items(self.catalogue, viewer.liked)
        weights = np.fromiter(
            (w for id_, w in viewer.liked.items() if id_ in self.catalogue.titles),
            dtype=np.float32,
        )
        if not len(items):
            return genres_by_size(self.catalogue)
        mine = np.asarray(self.catalogue.genres[items].T @ weights).ravel()  # (G,)
        all_ = np.asarray(self.catalogue.genres.T @ (self.catalogue.liked_by + 1e-3)).ravel()
        expected = all_ / max(all_.sum(), 1e-9) * mine.sum()
        lift = np.sqrt(mine) * (mine + 1) / (expected + 1)
        return np.argsort(-lift, kind="stable")


def _only(row: CandidateRow, allowed: NDArray[np.bool_]) -> CandidateRow:
    """Return the row without the items that are not allowed."""
    keep = allowed[row.items]
    return CandidateRow(row.kind, row.items[keep], row.scores[keep], row.key, row.is_kept_by_viewer)


def _spread(values: Floats, ids: NDArray[np.int64], catalogue: Catalogue) -> Floats:
    """Return (I,) the values at the catalogue's item numbers, 0 where there is none."""
    spread = np.zeros(len(catalogue), dtype=np.float32)
    items = catalogue.titles.items_of(ids)
    spread[items[items != UNKNOWN]] = values[items != UNKNOWN]
    return spread
