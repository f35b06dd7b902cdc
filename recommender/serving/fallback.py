"""What is served when the recommender cannot: popular, new, and what the viewer keeps.

It answers the same questions as the recommender, from the catalogue alone.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np

from recommender.arrays import Bool, Float64
from recommender.data.catalogue import Catalogue
from recommender.mapped import grown
from recommender.ranking.page import CandidateRow, Row, Utility, build_page
from recommender.ranking.reasons import NO_REASON, Because, Reason
from recommender.serving.candidates import (
    Listing,
    excluded_mask,
    filtered,
    genre_rows,
    genre_similarity,
    genres_by_size,
    listed,
    new_row,
    not_hidden_as_watched,
    ordered_row,
    pinned_rows,
    popular_row,
    rows_kept_by_viewer,
    top_row,
)
from recommender.serving.request import RequestContext, ShownRow, Viewer
from recommender.serving.taste import Taste
from recommender.serving.utility import similarity_vectors, utilities
from recommender.vocabulary import UNKNOWN


class PopularTitles:
    """The fallback for one moment of the catalogue; it needs no release."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._similarity = similarity_vectors(catalogue)

    def with_changed(self, changed: Catalogue) -> "PopularTitles":
        """Return the same over a catalogue of which some titles changed, as `Recommender` does."""
        popular = copy(self)
        popular.catalogue = self.catalogue.with_changed(changed)
        added = popular.catalogue.part_from(len(self.catalogue))
        if len(added):
            popular._similarity = grown(self._similarity, similarity_vectors(added))
        return popular

    def taste(self, viewer: Viewer, context: RequestContext) -> None:
        """Nothing is known of taste here."""

    def home(
        self,
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
        on_screen: Sequence[ShownRow] = (),
        played_today: Sequence[int] = (),
    ) -> list[Row]:
        popular = self.catalogue.liked_by
        rows: list[CandidateRow] = [
            *rows_kept_by_viewer(self.catalogue, viewer),
            popular_row("popular", self.catalogue, popular),
            top_row(self.catalogue, played_today),
            new_row(self.catalogue),
            *genre_rows(self.catalogue, genres_by_size(self.catalogue), popular),
        ]
        allowed = not_hidden_as_watched(self.catalogue, viewer)
        rows = [row if row.is_kept_by_viewer else filtered(row, allowed) for row in rows]
        excluded = excluded_mask(self.catalogue, viewer)
        utility, pinned = self._utility(context), pinned_rows(self.catalogue, viewer, on_screen)
        return build_page(rows, excluded, context.page, utility, pinned)

    def suggestions(
        self, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> list[Row]:
        popular = self.catalogue.liked_by
        row = popular_row("suggestions", self.catalogue, popular)
        row = filtered(row, not_hidden_as_watched(self.catalogue, viewer))
        excluded = excluded_mask(self.catalogue, viewer)
        return build_page([row], excluded, context.page, self._utility(context))

    def more_like(
        self, title_id: int, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Row | None:
        item = int(self.catalogue.items_of([title_id])[0])
        if item == UNKNOWN:
            return None
        likeness = genre_similarity(self.catalogue, item)
        row = ordered_row("more_like", np.flatnonzero(likeness), likeness, title_id)
        row = replace(row, reason=Reason(Because.GENRES))
        row = filtered(row, not_hidden_as_watched(self.catalogue, viewer))
        excluded = excluded_mask(self.catalogue, viewer)
        excluded[item] = True
        rows = build_page([row], excluded, context.page, self._utility(context))
        return rows[0] if rows else None

    def listing(
        self,
        listing: Listing,
        hidden: Bool,
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
        keys: Float64 | None = None,
    ) -> tuple[Row, int]:
        """Return a part of a genre's or a person's titles, and how many there are.

        By `keys`, (I,), the greatest first; without them what most people like stands first.
        """
        liked_by = self.catalogue.liked_by
        row, total = listed(self.catalogue, listing, hidden, liked_by if keys is None else keys)
        return Row(row.kind, row.items, row.scores, row.key), total

    def reasons(
        self, rows: Sequence[Row], viewer: Viewer, taste: Taste | None
    ) -> list[list[Reason]]:
        """Return no reason for each title: its row says all there is to say."""
        return [[NO_REASON] * len(row.items) for row in rows]

    def rerank_hits(
        self, row: Row, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Row:
        """Return search's hits as they are: without a ranker evidence alone orders them."""
        return row

    def features(
        self, rows: Sequence[Row], viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> None:
        """No ranker learns from what was popular."""

    def _utility(self, context: RequestContext) -> Utility:
        affinity = np.log1p(self.catalogue.liked_by)
        return Utility(utilities(self.catalogue, affinity, context), self._similarity)

    def affinity(self, taste: Taste | None) -> None:
        """Without a taste no title fits better than another."""
