"""The recommender of one release over one moment of the catalogue: retrieve, rank, build the page.

I items of the catalogue, M of them with a vector in the models, D of its size.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Float32, Float64
from recommender.artifacts import loading
from recommender.data.catalogue import Catalogue
from recommender.data.examples import Examples
from recommender.errors import InvalidInputError
from recommender.mapped import grown
from recommender.models.content_vectors import ContentVectors
from recommender.models.item_to_item import Neighbours
from recommender.models.larm import Larm
from recommender.models.likeness import Likeness
from recommender.models.popularity import Popularity, spread
from recommender.models.visit_intents import FIRST_CONFIG, VisitIntents
from recommender.ranking.features import RankingFeatures
from recommender.ranking.page import (
    CandidateRow,
    Row,
    Utility,
    build_page,
)
from recommender.ranking.ranker import Ranker
from recommender.ranking.reasons import NO_REASON, Because, Reason
from recommender.ranking.row_kinds import BECAUSE_WATCHED, CONTINUE_WATCHING, MY_LIST, THIS_VISIT
from recommender.serving.candidates import (
    Listing,
    age_allowed_items,
    excluded_mask,
    filtered,
    genre_similarity,
    listed,
    new_row,
    not_hidden_as_watched,
    ordered_row,
    pinned_rows,
    popular_row,
    rows_kept_by_viewer,
    share_a_genre,
    title_mask,
    top_row,
    unseen_mask,
    watch_again_row,
)
from recommender.serving.explainer import Explainer
from recommender.serving.interest_rows import InterestRows
from recommender.serving.kept_tastes import KeptTastes, viewer_key
from recommender.serving.learned_taste import LearnedRelease
from recommender.serving.request import RequestContext, ShownRow, Viewer
from recommender.serving.reranker import Reranker
from recommender.serving.stages import stage
from recommender.serving.taste import Taste, TasteModel, is_read_by_encoder
from recommender.serving.utility import request_rng, similarity_vectors, utilities
from recommender.serving.visit_taste import LongTerm, VisitTaste
from recommender.serving.visit_topics import not_now_mask
from recommender.vocabulary import UNKNOWN, Vocabulary

BECAUSE_ROWS = 3
"""Most rows that name a title as their reason."""
SIMILAR_CACHED = 4096
"""Titles whose similar titles are cached; about 3 kB each."""
LONG_TERM_BYTES = 16 * 2**20
"""Most bytes of what histories say that are cached: of 40 viewers over 17,000 titles."""
HISTORIES_CACHED = 256
"""Histories whose rows of neighbours are cached; about 5 kB each."""
LONG_TERM_ARRAYS = 6
"""(I,) arrays in a `LongTerm`."""
DOUBT = 10.0
"""For a title liked by this many, model and genres count half each."""
TAIL = np.float32(0.01)
"""What iALS adds where a title has neighbours: it orders what comes behind them."""


class Recommender:
    """Answers for one release; immutable, so threads may share it."""

    CACHES = ("_similar", "_kept_tastes", "_long_terms", "_from_likes")
    """What no file holds (`recommender.mapped`)."""

    def __init__(
        self,
        catalogue: Catalogue,
        tastes: TasteModel,
        popularity: Popularity,
        neighbours: Neighbours | None = None,
        content: ContentVectors | None = None,
        intents: VisitIntents | None = None,
        learned: LearnedRelease | None = None,
    ) -> None:
        """Bring what a release has learned to a catalogue.

        Args:
            catalogue: I titles.
            tastes: histories as scores; visits too, where it has a session encoder.
            popularity: how many liked each title when the release was trained.
            neighbours: item to item.
            content: gives every title a vector, and lets visits be read by their prior where there
                is no encoder. None is an older release: what was not liked has no vector.
            intents: that prior with the release's constants; None takes those of today.
            learned: reads visits instead of their stated prior; needs `content`.
        """
        # what is shown must not depend on ratings made after the release
        likes = spread(popularity.counts, popularity.items, catalogue)
        self.catalogue = replace(catalogue, liked_by=likes)
        if content is not None:
            tastes, placed = _with_placed_titles(content, tastes, self.catalogue)
        self._tastes, self._content = tastes, content
        rows = tastes.items.items_of(catalogue.titles.ids)  # (I,)
        self._modelled = np.flatnonzero((rows != UNKNOWN) & catalogue.is_available)  # (M,)
        self._is_modelled = np.zeros(len(catalogue), dtype=bool)  # (I,)
        self._is_modelled[self._modelled] = True
        factors = tastes.space[rows[self._modelled]]  # (M, D)
        self._factors = np.zeros((len(catalogue), factors.shape[1]), dtype=np.float32)  # (I, D)
        self._factors[self._modelled] = factors
        if content is not None:
            self._factors[:, : tastes.history_size] = placed
        self._neighbours = (
            neighbours.over(catalogue.titles, catalogue.is_available) if neighbours else None
        )
        self._trending = spread(popularity.trending, popularity.items, catalogue)  # (I,)
        self._trending_row = popular_row(
            "trending", self.catalogue, self._trending, Because.TRENDING
        )
        self._new_row = new_row(self.catalogue)
        self._similarity = similarity_vectors(self.catalogue, self.space)
        self._likeness, self._visits = None, None
        self.start_caches()
        if content is not None:
            self._likeness = Likeness(self.catalogue, self.space, self._neighbours)
            if not tastes.has_encoder:
                self._visits = VisitTaste(self.catalogue, self._likeness, intents, learned)
        self._explainer = Explainer(self.catalogue, self._similarity)
        self._interest_rows = InterestRows(self.catalogue)
        few = np.median(likes[likes > 0]) if likes.any() else 0
        self._hardly_known = self._modelled[likes[self._modelled] <= few]
        features = RankingFeatures(self.catalogue, self._modelled)
        self.reranker = Reranker(self.catalogue, features)

    def start_caches(self) -> None:
        """Begin with empty caches."""
        self._similar = lru_cache(SIMILAR_CACHED)(self._similar_to)
        self._kept_tastes = KeptTastes()
        room = LONG_TERM_BYTES // (LONG_TERM_ARRAYS * 4 * max(len(self.catalogue), 1))
        self._long_terms = lru_cache(max(room, 2))(self._long_term_of)
        self._from_likes = lru_cache(HISTORIES_CACHED)(self._neighbours_row)

    @classmethod
    def load(cls, folder: Path, catalogue: Catalogue) -> "Recommender":
        """Read a release's artifacts.

        Raises:
            ArtifactError: one of them is missing or broken.
        """
        with loading(folder):
            neighbours = None
            if (folder / "larm").exists():
                neighbours = Neighbours.load(folder / "larm", Larm.kind)
            content = None
            if (folder / "content_vectors").exists():
                content = ContentVectors.load(folder / "content_vectors")
            intents = VisitIntents(FIRST_CONFIG)
            if (folder / "visit_intents").exists():
                intents = VisitIntents.load(folder / "visit_intents")
            tastes = TasteModel.load(folder, with_encoder=is_read_by_encoder(folder))
            popularity = Popularity.load(folder / "popularity")
            learned = LearnedRelease.load(folder)
            return cls(catalogue, tastes, popularity, neighbours, content, intents, learned)

    def with_ranker(self, ranker: Ranker | None) -> "Recommender":
        """Return the same recommender with this ranker, or without any."""
        recommender = copy(self)
        recommender.reranker = self.reranker.with_ranker(ranker)
        return recommender

    @property
    def ranker(self) -> Ranker | None:
        """What has the last word on the order of lists."""
        return self.reranker.ranker

    @property
    def takes_titles(self) -> bool:
        """Whether `with_changed` can add titles: what has learned from visits knows its own."""
        return self._content is not None and self._visits is not None and self._visits.takes_titles

    def with_changed(self, changed: Catalogue) -> "Recommender":
        """Return the same recommender over a catalogue of which some titles changed.

        What is one number of a title is as it is now (`Catalogue.with_changed`), and what models
        say of it stays as it was. An added title lies where its content places it.

        Args:
            changed: titles of the catalogue, as they are now; none that are new unless
                `takes_titles`.

        Raises:
            InvalidInputError: a title is new, and cannot be added.
        """
        first = len(self.catalogue)
        now = self.catalogue.with_changed(changed)
        added = now.part_from(first)
        recommender = copy(self)
        recommender.catalogue = now
        factors = np.empty((0, self._tastes.history_size), dtype=np.float32)
        if len(added):
            factors = recommender._placed(changed.part_from(len(changed) - len(added)))
            recommender._add(added, factors, first)
        recommender._new_row = new_row(now)
        if self._likeness is not None:
            recommender._likeness = likeness = self._likeness.over(
                now, factors, recommender._neighbours
            )
            if self._visits is not None:
                recommender._visits = self._visits.over(now, likeness)
        recommender._explainer = Explainer(now, recommender._similarity)
        recommender._interest_rows = self._interest_rows.over(now)
        recommender.reranker = self.reranker.over(now)
        recommender.start_caches()
        return recommender

    def _placed(self, added: Catalogue) -> Float32:
        """Return (n, D) where the content of added titles places them, by all it is."""
        if self._content is None or not self.takes_titles:
            raise InvalidInputError("this release cannot take titles: build the catalogue anew")
        none = np.zeros((len(added), self._tastes.history_size), dtype=np.float32)
        return self._content.vectors(added, none, np.zeros(len(added), dtype=np.float32))

    def _add(self, added: Catalogue, factors: Float32, first: int) -> None:
        """Make room for (n,) titles behind the `first` ones, which lie at (n, D) factors."""
        items = first + added.available_items
        self._factors = grown(self._factors, factors)
        self._modelled = np.concatenate([self._modelled, items])
        self._is_modelled = np.concatenate([self._is_modelled, added.is_available])
        self._hardly_known = np.concatenate([self._hardly_known, items])
        self._trending = np.concatenate([self._trending, added.liked_by])
        self._similarity = grown(self._similarity, similarity_vectors(added, factors))
        if self._neighbours is not None:
            self._neighbours = self._neighbours.among(self.catalogue.titles)

    def home(
        self,
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
        on_screen: Sequence[ShownRow] = (),
        played_today: Sequence[int] = (),
    ) -> list[Row]:
        """Build the home page's rows for this viewer at this moment.

        Cost: one solve of iALS's system, one encoding of at most `max_events`, one scan of the
        factors, a few sorts of `CANDIDATES` items and, with a ranker, `MAX_RANKED` predictions.
        """
        excluded = excluded_mask(self.catalogue, viewer)
        allowed = ~excluded & not_hidden_as_watched(self.catalogue, viewer)
        with stage("retrieve"):
            rows = [
                filtered(row, ~excluded if row.is_kept_by_viewer else allowed)
                for row in self._candidate_rows(viewer, context, taste, on_screen, played_today)
            ]
        with stage("rank"):
            candidates = self.reranker.rerank(rows, viewer, context, taste)
        with stage("page"):
            return build_page(
                candidates,
                excluded,
                context.page,
                self._utility(taste, context),
                pinned_rows(self.catalogue, viewer, on_screen),
                request_rng(viewer, context),
            )

    def suggestions(
        self, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> list[Row]:
        """Build the row of suggestions for an empty search; none if it were too short."""
        excluded = excluded_mask(self.catalogue, viewer)
        allowed = ~excluded & not_hidden_as_watched(self.catalogue, viewer)
        if taste is None:
            row = replace(self._trending_row, kind="suggestions")
        else:
            unseen = unseen_mask(self.catalogue, viewer)
            row = self._taste_row("suggestions", taste.scores, unseen)
            row = replace(row, reason=self._taste_reason(viewer))
        rows = self.reranker.rerank([filtered(row, allowed)], viewer, context, taste)
        return build_page(rows, excluded, context.page, self._utility(taste, context))

    def taste(self, viewer: Viewer, context: RequestContext) -> Taste | None:
        """Return what the viewer wants at this moment, None where nothing is known."""
        if self._visits is not None:  # they know no moment, so the viewer alone decides
            return self._kept_tastes.get(viewer, partial(self._taste_by, self._visits))
        vectors = self._tastes.taste(viewer, context)
        return None if vectors is None else Taste.of_vectors(vectors, self._factors)

    def _taste_by(self, visits: VisitTaste, viewer: Viewer) -> Taste | None:
        return visits.taste(viewer, self._long_terms(visits, tuple(viewer.liked_before.items())))

    def _long_term_of(
        self, visits: VisitTaste, liked: tuple[tuple[int, float], ...]
    ) -> LongTerm | None:
        vector = self._tastes.history(dict(liked))
        return None if vector is None else visits.long_term(self._factors @ vector)

    @property
    def space(self) -> Float32:
        """(I, D) the iALS vectors of the titles, zeros where there is none."""
        return self._factors[:, : self._tastes.history_size]

    def affinity(self, taste: Taste | None) -> Float32 | None:
        """Return (I,) the affinity of each title with the taste, None without a taste."""
        return None if taste is None else taste.scores

    def similarity(self, item: int) -> Float32 | None:
        """Return (I,) how like a title all others are; None by an older release."""
        return None if self._likeness is None else self._likeness.similarity(item)

    def rerank_hits(
        self, row: Row, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Row:
        """Return search's hits in the ranker's order within each band of evidence."""
        return self.reranker.rerank_hits(row, viewer, context, taste)

    def features(
        self, rows: Sequence[Row], viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Examples:
        """Return the ranker's fields of every title on a page, row by row."""
        return self.reranker.page_features(rows, viewer, context, taste)

    def reasons(
        self, rows: Sequence[Row], viewer: Viewer, taste: Taste | None
    ) -> list[list[Reason]]:
        """Return the reason of each title of each row."""
        return self._explainer.reasons(rows, viewer, taste)

    def more_like(
        self, title_id: int, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Row | None:
        """Return the titles nearest to one, without what the viewer refused; None if too few."""
        excluded = excluded_mask(self.catalogue, viewer) | title_mask(self.catalogue, [title_id])
        allowed = ~excluded & not_hidden_as_watched(self.catalogue, viewer)
        row = filtered(self._similar_row("more_like", title_id), allowed)
        rows = self.reranker.rerank([row], viewer, context, taste)
        page = build_page(rows, excluded, context.page, self._utility(taste, context))
        return page[0] if page else None

    def listing(
        self,
        listing: Listing,
        hidden: Bool,
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
        keys: Float64 | None = None,
    ) -> tuple[Row, int]:
        """Return a part of a genre's or a person's titles for this viewer, and how many there are.

        Args:
            listing: which part of which titles.
            hidden: (I,) True at titles left out.
            viewer: for whom.
            context: when and where.
            taste: orders them; without one, the titles that most people like stand first.
            keys: (I,) order them instead, the greatest first.
        """
        usual = self.catalogue.liked_by if taste is None else self._affinity(taste)
        row, total = listed(self.catalogue, listing, hidden, usual if keys is None else keys)
        if keys is None:
            [row] = self.reranker.rerank([row], viewer, context, taste)
        return Row(row.kind, row.items, row.scores, row.key), total

    def _affinity(self, taste: Taste | None) -> Float32:
        """Return (I,) the affinity with the taste, or without one the trend."""
        return self._trending if taste is None else taste.scores

    def _utility(self, taste: Taste | None, context: RequestContext) -> Utility:
        affinity = np.log1p(self._trending) if taste is None else self._affinity(taste)
        return Utility(utilities(self.catalogue, affinity, context), self._similarity)

    def _candidate_rows(
        self,
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
        on_screen: Sequence[ShownRow],
        played_today: Sequence[int],
    ) -> Iterator[CandidateRow]:
        """Yield the rows that compete for the page; earlier ones win ties."""
        for row in self._rows_of_viewer(viewer, context, taste):
            if row.kind == MY_LIST:
                yield top_row(self.catalogue, played_today)
            is_news = row.kind == THIS_VISIT
            yield self._news(row, viewer, context, on_screen) if is_news else row

    def _rows_of_viewer(
        self, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Sequence[CandidateRow]:
        """Return those of the rows that depend on nothing but the viewer and the taste.

        They are made once for a taste: the rows below a page, and the next page where nothing
        happened meanwhile, find them.
        """
        make = partial(self._made_rows, viewer, context, taste)
        if taste is None:
            return tuple(make())
        page = context.page
        key = (viewer_key(viewer), page.min_row_size, page.visit_leads)
        rows: Sequence[CandidateRow] | None = taste.derived.get(key)
        if rows is None:
            rows = taste.derived[key] = tuple(make())
        return rows

    def _made_rows(
        self, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Iterator[CandidateRow]:
        least = context.page.min_row_size
        kept = {row.kind: row for row in rows_kept_by_viewer(self.catalogue, viewer)}
        unseen = unseen_mask(self.catalogue, viewer)  # (I,)
        nameable = age_allowed_items(self.catalogue, viewer, viewer.reasons)[:BECAUSE_ROWS]
        reasons = self.catalogue.titles.ids_of(nameable).tolist()
        because = [filtered(self._similar_row(BECAUSE_WATCHED, id_), unseen) for id_ in reasons]
        affinity = self._affinity(taste)
        opened = viewer.positive_now() if context.page.visit_leads else []
        is_new = ~(
            title_mask(self.catalogue, opened) | not_now_mask(self.catalogue, viewer)
        )  # (I,)
        yield kept[CONTINUE_WATCHING]
        if taste is not None and taste.visit is not None:
            row = self._taste_row(THIS_VISIT, taste.visit, unseen & is_new)
            reason = Reason(Because.VISIT, titles_now=self._modelled_ids(viewer.positive_now()))
            yield replace(row, is_of_visit=True, reason=reason)
        if because and viewer.is_about(reasons[0]):
            because[0] = replace(filtered(because[0], is_new), is_of_visit=True)
        yield from because
        if taste is not None:
            row = self._taste_row("top_picks", taste.scores, unseen)
            yield replace(row, reason=self._taste_reason(viewer))
        yield self._trending_row
        if viewer.liked_before and self._neighbours is not None:
            yield filtered(self._from_likes(self._neighbours, tuple(viewer.liked_before)), unseen)
        yield kept[MY_LIST]
        liked = self._interest_rows.liked_items(viewer)
        yield from self._interest_rows.person_rows(liked, affinity, unseen, least)
        yield from self._interest_rows.pair_rows(liked, affinity, unseen, least)
        yield from self._interest_rows.genre_rows(liked, affinity, unseen)
        yield self._new_row
        if taste is not None:
            yield filtered(ordered_row("hidden_gems", self._hardly_known, affinity), unseen)
        yield watch_again_row(self.catalogue, viewer, affinity)

    def _news(
        self,
        row: CandidateRow,
        viewer: Viewer,
        context: RequestContext,
        on_screen: Sequence[ShownRow],
    ) -> CandidateRow:
        """Return the row of this visit without what the visit saw elsewhere and passed over.

        What was seen in the row itself may stay, its spotlight makes room for another, and a row
        that would not be full without those titles keeps them.
        """
        if context.page.repeats_passed_over:
            return row
        own = {id_ for shown in on_screen if shown.kind == THIS_VISIT for id_ in shown.titles}
        elsewhere = [id_ for id_ in viewer.passed_over if id_ not in own]
        news = filtered(row, ~title_mask(self.catalogue, elsewhere))
        return news if len(news.items) > context.page.row_size else row

    def _taste_reason(self, viewer: Viewer) -> Reason:
        """Return the reason of rows made by the whole taste: the titles it was made from."""
        before = self._modelled_ids(viewer.liked_before)
        now = self._modelled_ids(id_ for id_ in viewer.liked if id_ not in viewer.liked_before)
        return Reason(Because.TASTE, before, now) if before or now else NO_REASON

    def _modelled_ids(self, title_ids: Iterable[int]) -> tuple[int, ...]:
        """Return those of the titles that the models know."""
        ids = np.fromiter(title_ids, dtype=np.int64)
        return tuple(ids[self._tastes.items.items_of(ids) != UNKNOWN].tolist())

    def _taste_row(self, kind: str, scores: Float32, allowed: Bool) -> CandidateRow:
        """Return the modelled titles of (I,) that are allowed, by (I,) scores."""
        return ordered_row(kind, np.flatnonzero(self._is_modelled & allowed), scores)

    def _neighbours_row(self, neighbours: Neighbours, liked: tuple[int, ...]) -> CandidateRow:
        """Return the neighbours of all titles that were liked before this visit."""
        items = self.catalogue.items_of(np.array(liked, dtype=np.int64))
        known = np.unique(items[items != UNKNOWN])
        ones = np.ones(len(known), dtype=np.float32)
        shape = (1, len(self.catalogue))
        history = sparse.csr_array((ones, known, np.array([0, len(known)])), shape=shape)
        scores = neighbours.score(history)[0]
        row = ordered_row("from_likes", np.flatnonzero(scores > 0), scores)
        speaking = known[np.isin(known, neighbours.kept)]
        titles = tuple(self.catalogue.titles.ids_of(speaking).tolist())
        return replace(row, reason=Reason(Because.SIMILAR, titles) if titles else NO_REASON)

    def _similar_row(self, kind: str, title_id: int) -> CandidateRow:
        """Return the titles similar to one as a row of this kind; cached for the release."""
        return replace(self._similar(title_id), kind=kind)

    def _similar_to(self, title_id: int) -> CandidateRow:
        """Return the titles similar to one: by likeness, or as an older release has it.

        An older release shrinks the model's affinity towards genre similarity: the model, R-LARM
        for the titles it keeps and iALS for the others, counts n / (n + `DOUBT`) for a title that n
        profiles liked.

        The reason names the likers where there are `DOUBT` or more, the genres where nobody likes
        the title and all others share one, and nothing in between.
        """
        item = int(self.catalogue.items_of([title_id])[0])
        if item == UNKNOWN:
            nothing = np.empty(0, dtype=np.int64)
            return CandidateRow(BECAUSE_WATCHED, nothing, nothing.astype(np.float32), title_id)
        support = float(self.catalogue.liked_by[item])
        similarity = self.similarity(item)  # (I,)
        if similarity is None:
            similarity = genre_similarity(self.catalogue, item)
            affinity = self._affinity_to(item, title_id)
            if affinity is not None:
                trust = np.float32(support / (support + DOUBT))
                similarity = trust * affinity + (1 - trust) * similarity
            similarity[item] = 0
        available = self.catalogue.available_items
        items = available[similarity[available] > 0]
        row = ordered_row(BECAUSE_WATCHED, items, similarity, title_id)
        reason = NO_REASON
        if support >= DOUBT:
            reason = Reason(Because.LIKERS, likers=int(support))
        elif not support and share_a_genre(self.catalogue, row.items, item).all():
            reason = Reason(Because.GENRES)
        return replace(row, reason=reason)

    def _affinity_to(self, item: int, title_id: int) -> Float32 | None:
        """Return (I,) how well each title fits one who liked this one; None where no model knows.

        The title's neighbours by what it speaks for, 1 the nearest; behind them all others in the
        order of iALS, which stands alone where the title has no neighbours.
        """
        near = np.zeros(len(self.catalogue), dtype=np.float32)
        if self._neighbours is not None:
            near = _up_to_1(self._neighbours.of(item))
        taste = self._tastes.like(title_id)
        if taste is None:
            return near if near.any() else None
        affinity = _up_to_1(self._factors @ taste)
        return near + TAIL * affinity if near.any() else affinity


def _with_placed_titles(
    content: ContentVectors, tastes: TasteModel, catalogue: Catalogue
) -> tuple[TasteModel, Float32]:
    """Return tastes that know the whole catalogue, and (I, D) vectors to score its titles by.

    A history is read by iALS's own vectors where it has them, so it says what it said; titles are
    scored by vectors shrunk towards their content's.

    Args:
        content: of the release.
        tastes: likewise.
        catalogue: I titles, and how many liked each when the release was trained.
    """
    placed = content.placed(catalogue, tastes.items, tastes.item_factors)
    items = Vocabulary(np.concatenate([tastes.items.ids, catalogue.titles.ids]))
    factors = np.zeros((len(items), placed.shape[1]), dtype=np.float32)
    factors[items.items_of(catalogue.titles.ids)] = placed
    factors[items.items_of(tastes.items.ids)] = tastes.item_factors
    return tastes.with_items(items, factors), placed


def _up_to_1(values: Float32) -> Float32:
    """Return them scaled so that the greatest is 1, and those below 0 as 0."""
    return np.asarray(np.maximum(values, 0) / max(float(values.max()), 1e-9), dtype=np.float32)
