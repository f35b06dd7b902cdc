"""One function for each thing a page asks: home rows, titles like one, search results.

Each reads the viewer's evidence fresh, asks the live release, writes the slate down and returns
what the template shows. If the recommender fails, popular titles are served; the slate says why.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recommender.ranking.page import PageConfig, Row
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from recommender.serving.request import Viewer, ViewerEvent
from recommender.serving.taste import Taste
from recommender.vocabulary import UNKNOWN
from webapp.catalog.models import Genre, Title
from webapp.engine.live import holder
from webapp.engine.snapshot import viewer_as_json
from webapp.engine.wording import heading_and_reason
from webapp.events.models import Slate, Surface
from webapp.events.sessions import Evidence, evidence_of
from webapp.events.visits import CurrentVisit

logger = logging.getLogger(__name__)

T = TypeVar("T")
Floats = NDArray[np.float32]

SEARCH_HITS = 40
REASONS_KEPT = 10


@dataclass(frozen=True)
class SlotView:
    """A place in a row: its title, why it is there, and how far it was played (0 to 1)."""

    title: Title
    slot: int
    why: str
    progress: float | None = None


@dataclass(frozen=True)
class RowView:
    kind: str
    heading: str
    reason: str
    slots: list[SlotView]
    genre: Genre | None = None


@dataclass(frozen=True)
class HomePage:
    slate_id: uuid.UUID
    rows: list[RowView]
    is_fallback: bool


@dataclass(frozen=True)
class TitlePage:
    slate_id: uuid.UUID
    more_like: RowView | None


@dataclass(frozen=True)
class SearchPage:
    slate_id: uuid.UUID
    text: str
    slots: list[SlotView]
    corrected: str | None = None
    suggestions: list[SlotView] = field(default_factory=list)
    """What to offer where nothing was typed, or nothing matched."""


def is_ready() -> bool:
    """Whether this process has a release loaded; no query."""
    live = holder.peek()
    return live is not None and live.recommender is not None


def home(visit: CurrentVisit, now: datetime) -> HomePage:
    """Build the home page's rows for the visit's viewer and write the slate down.

    Eight queries where a background thread holds the live release: evidence 3, titles and
    their genres 2, genre rows 1, visit and slate 2.
    """
    answer = _Answer(visit, Surface.HOME, now)
    rows = answer.home_rows()
    views = answer.views(rows)
    slate = answer.write_slate(views, rows)
    return HomePage(slate.pk, views, is_fallback=bool(slate.fallback_reason))


def title_page(visit: CurrentVisit, title: Title, now: datetime) -> TitlePage:
    """Find the titles like one and write the slate down."""
    answer = _Answer(visit, Surface.TITLE, now)
    row = answer.ask(lambda source: source.more_like(title.pk, answer.viewer, _page_config()))
    rows = [row] if row else []
    views = answer.views(rows)
    slate = answer.write_slate(views, rows)
    return TitlePage(slate.pk, views[0] if views else None)


def prequery(visit: CurrentVisit, now: datetime) -> SearchPage:
    """Suggest titles for this visit before anything is typed, and write the slate down."""
    answer = _Answer(visit, Surface.PREQUERY, now)
    rows = answer.suggestions()
    views = answer.views(rows)
    slate = answer.write_slate(views, rows)
    return SearchPage(slate.pk, "", [], suggestions=views[0].slots if views else [])


def search(visit: CurrentVisit, text: str, now: datetime) -> SearchPage:
    """Find the titles a text means, ordered for this viewer among those that match equally well.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    answer = _Answer(visit, Surface.SEARCH, now)
    engine = answer.live.search
    affinity = answer.ask(lambda source: source.affinity(answer.taste_by(source)))
    found = engine.search(
        text,
        SEARCH_HITS,
        affinity=None if affinity is None else answer.on_documents(affinity),
        popularity=answer.on_documents(answer.source.catalogue.liked_by),
    )
    hidden = answer.evidence.hidden()
    titles = _titles(hit.id for hit in found.hits if hit.id not in hidden)
    slots = [
        SlotView(title, n, "It matches your search.") for n, title in enumerate(titles.values())
    ]
    views = [RowView("results", text, "Titles that match.", slots)]
    suggestions: list[SlotView] = []
    if not slots:
        views = answer.views(answer.suggestions())
        suggestions = views[0].slots if views else []
    slate = answer.write_slate(views)
    return SearchPage(slate.pk, text, slots, found.corrected, suggestions)


class _Answer:
    """One response in the making: what is known of the viewer, who answered, what went wrong."""

    def __init__(self, visit: CurrentVisit, surface: Surface, now: datetime) -> None:
        self.began = time.perf_counter()
        self.visit, self.surface, self.now = visit, surface, now
        self.live = holder.get()
        self.evidence = evidence_of(visit)
        self.viewer = _viewer(self.evidence, visit, surface, now)
        self.taste: Taste | None = None
        self.fallback_reason = "" if self.live.recommender else self.live.trouble
        self.source: Recommender | PopularTitles = self.live.recommender or PopularTitles(
            self.live.catalogue
        )

    def ask(self, question: Callable[[Recommender | PopularTitles], T]) -> T:
        """Ask the recommender; if it fails, log why and ask for popular titles instead."""
        try:
            return question(self.source)
        except Exception as error:
            logger.exception("the recommender failed, popular titles are served")
            self.fallback_reason = f"{type(error).__name__}: {error}"[:200]
            self.source = PopularTitles(self.live.catalogue)
            return question(self.source)

    def taste_by(self, source: Recommender | PopularTitles) -> Taste | None:
        """Ask for the taste of this viewer, in this visit, on this surface, now.

        The one way to it: home, suggestions and search are ordered by what this returns.
        """
        self.taste = source.taste(self.viewer)
        return self.taste

    def home_rows(self) -> list[Row]:
        return self.ask(
            lambda source: source.home(self.viewer, self.taste_by(source), _page_config())
        )

    def suggestions(self) -> list[Row]:
        """The row to offer where no text orders titles: the viewer's picks, or what is popular."""
        rows = self.home_rows()
        kinds = ("top_picks", "trending", "popular")
        found = (row for row in rows if row.kind in kinds)
        return sorted(found, key=lambda row: kinds.index(row.kind))[:1]

    def views(self, rows: Sequence[Row]) -> list[RowView]:
        """Turn rows of item numbers into what a template shows. Three queries for any rows."""
        ids = [self._ids(row) for row in rows]
        because = {row.key for row in rows if row.kind == "because_watched" and row.key}
        titles = _titles([*because, *(id_ for row_ids in ids for id_ in row_ids)])
        genres = Genre.objects.in_bulk({row.key for row in rows if row.kind == "genre"})
        gone = {("because_watched", id_) for id_ in because - titles.keys()}
        progress = {p.title_id: p.progress for p in self.evidence.playbacks if p.is_unfinished}
        share = self.taste.visit_share if self.taste else None
        views = []
        for row, row_ids in zip(rows, ids, strict=True):
            if (row.kind, row.key) in gone:
                continue
            heading, reason = heading_and_reason(
                row, titles, genres, self.evidence, self.visit, share
            )
            shown = [titles[id_] for id_ in row_ids if id_ in titles]
            slots = [SlotView(t, n, reason, progress.get(t.pk)) for n, t in enumerate(shown)]
            genre = genres.get(row.key) if row.kind == "genre" and row.key else None
            views.append(RowView(row.kind, heading, reason, slots, genre))
        return views

    def on_documents(self, values: Floats) -> Floats:
        """Bring (I,) values of the answering catalogue to the order of search's documents."""
        items = self.source.catalogue.titles.items_of(self.live.search.document_ids)
        return np.where(items == UNKNOWN, 0, values[items]).astype(np.float32)

    def write_slate(self, views: Sequence[RowView], rows: Sequence[Row] = ()) -> Slate:
        """Write down what is shown, by what, and from which evidence. Two queries."""
        self.visit.record()
        scores = [np.round(row.scores.astype(float), 5).tolist() for row in rows]
        return Slate.objects.create(
            visit_id=self.visit.id,
            surface=self.surface,
            release_id=None if self.fallback_reason else self.live.release_id,
            created_at=self.now,
            rows=[
                {
                    "kind": view.kind,
                    "heading": view.heading,
                    "titles": [slot.title.pk for slot in view.slots],
                    "scores": scores[n] if n < len(scores) else [],
                }
                for n, view in enumerate(views)
            ],
            snapshot=self._snapshot(),
            visit_share=self.taste.visit_share if self.taste else None,
            took_ms=(time.perf_counter() - self.began) * 1000,
            fallback_reason=self.fallback_reason,
        )

    def _snapshot(self) -> dict[str, Any]:
        return {
            "profile": self.visit.profile.pk if self.visit.profile else None,
            "viewer": viewer_as_json(self.viewer),
            "row_size": settings.ROW_SIZE,
        }

    def _ids(self, row: Row) -> list[int]:
        ids: list[int] = self.source.catalogue.titles.ids_of(row.items).tolist()
        return ids


def _viewer(evidence: Evidence, visit: CurrentVisit, surface: Surface, now: datetime) -> Viewer:
    """Put the evidence into the recommender's words.

    For a profile that wants no personal picks that is what it hides and what it keeps by hand.
    """
    if not visit.is_personal:
        return Viewer(
            excluded=frozenset(evidence.hidden()),
            unfinished=[p.title_id for p in evidence.unfinished()],
            listed=evidence.listed(),
            now=now.timestamp(),
            surface=surface.value,
        )
    return Viewer(
        liked=evidence.liked(),
        liked_before=evidence.liked_before(),
        events=[
            ViewerEvent(
                meaning, event.title_id, event.at.timestamp(), event.is_this_visit, event.query
            )
            for event in evidence.recent
            if (meaning := event.meaning()) is not None
        ],
        reasons=evidence.recent_reasons()[:REASONS_KEPT],
        excluded=frozenset(evidence.disliked() | evidence.hidden()),
        seen=frozenset(evidence.seen()),
        unfinished=[p.title_id for p in evidence.unfinished()],
        listed=evidence.listed(),
        now=now.timestamp(),
        surface=surface.value,
    )


def _page_config() -> PageConfig:
    return PageConfig(row_size=settings.ROW_SIZE)


def _titles(ids: Iterable[int]) -> dict[int, Title]:
    """The titles with these ids in their order, with genres, without plots. Two queries."""
    query = Title.objects.defer("plot").prefetch_related("genres")
    return {title.pk: title for title in query.in_order(dict.fromkeys(ids))}
