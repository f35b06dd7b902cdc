"""One function for each thing a page asks: home rows, titles like one, search results.

Each reads the viewer's evidence fresh, asks the live release, writes the slate down and returns
what the template shows. If the recommender fails, popular titles are served; the slate says why.
"""

import logging
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings

from recommender.ranking.page import PageConfig
from recommender.ranking.row_kinds import RESULTS
from recommender.ranking.row_kinds import TYPED as TYPED_ROW
from recommender.serving.candidates import Listing
from recommender.serving.fallback import PopularTitles
from recommender.serving.request import ShownRow, Viewer, ViewerEvent
from recommender.serving.stages import stage
from search.engine import SearchResult
from search.errors import SearchError
from webapp.catalog.models import Genre, Person, Title
from webapp.discovery.answer import Answer, Question, Source, answer
from webapp.discovery.snapshot import packed, snapshot_of
from webapp.discovery.surface import Surface
from webapp.discovery.treatments import rival_of, treated_viewer
from webapp.engine.live import Live, holder
from webapp.engine.views import Known, RowView, SlotView, views_of
from webapp.events.evidence import evidence_of
from webapp.events.popular_plays import played_next
from webapp.events.searches import recent_searches, trending_searches
from webapp.events.visits import CurrentVisit
from webapp.experiments.treatments import treated_evidence
from webapp.slates.models import Slate
from webapp.slates.pinned import on_screen

logger = logging.getLogger(__name__)

Named = TypeVar("Named", Person, Genre)

REASONS_KEPT = 10
LISTED = 48
"""Titles on a page of a genre or a person."""
DRAFTING = (Surface.PREQUERY, Surface.SEARCH)
"""Where two rankings can share a list; not while typing, where it would flicker."""
FIRST_ROWS = 5
"""Rows that a home page comes with; the others follow as the viewer scrolls."""
TYPED_TITLES = 6
"""Most titles that are shown of a row while typing."""


@dataclass(frozen=True)
class HomePage:
    slate_id: uuid.UUID
    rows: list[RowView]
    is_fallback: bool
    has_more: bool = False
    """Whether rows may follow below these."""
    num_above: int = 0
    """How many rows stand above these already."""
    is_of_newcomer: bool = False
    """Whether nothing is known of a profile's taste yet."""


@dataclass(frozen=True)
class Continued:
    """A page that is gone on with: its slate and all its rows."""

    slate_id: uuid.UUID
    rows: list[ShownRow]


@dataclass(frozen=True)
class TitlePage:
    slate_id: uuid.UUID
    more_like: RowView | None
    played_next: RowView | None = None
    list_place: int | None = None
    """Where the title stands on the viewer's list, from 1."""


@dataclass(frozen=True)
class ListingPage:
    """A part of a genre's or a person's titles, and how many there are in all."""

    slate_id: uuid.UUID
    row: RowView | None
    total: int
    order: str
    """What stands first, in words."""


@dataclass(frozen=True)
class SearchPage:
    """What a text found.

    Attributes:
        slate_id: what was shown.
        surface: where.
        text: as typed.
        found: what was understood, and the parts of every score.
        results: titles that match.
        near: titles near in meaning, where few match.
        suggestions: what to offer where nothing was typed, or nothing at all was found.
        people: who are meant, best first.
        genres: that are meant, best first.
        recent: what this viewer searched for lately, where nothing was typed.
        trending: what many search for, where nothing was typed.
    """

    slate_id: uuid.UUID
    surface: Surface
    text: str
    found: SearchResult
    results: RowView | None = None
    near: RowView | None = None
    suggestions: RowView | None = None
    people: list[Person] = field(default_factory=list)
    genres: list[Genre] = field(default_factory=list)
    recent: list[str] = field(default_factory=list)
    trending: list[str] = field(default_factory=list)

    @property
    def slots(self) -> list[SlotView]:
        return self.results.slots if self.results else []

    @property
    def has_found(self) -> bool:
        """Whether anything matches, be it no title."""
        return bool(self.results or self.people or self.genres)


def is_ready() -> bool:
    """Whether this process has a release loaded; no query."""
    live = holder.peek()
    return live is not None and live.recommender is not None


def home(visit: CurrentVisit, now: datetime, *, is_whole: bool = False) -> HomePage:
    """Build the home page's rows for the visit's viewer and write the slate down.

    Six queries where a background thread holds the live release and its titles are at hand:
    evidence 3, what is on screen 1, visit and slate 2.

    Args:
        visit: whose.
        now: the moment.
        is_whole: all rows, rather than the first `FIRST_ROWS` and what the visit has seen.
    """
    response = _Response(visit, Surface.HOME, now, max_rows=None if is_whole else FIRST_ROWS)
    slate = response.write_slate()
    more = not is_whole and len(response.views) >= FIRST_ROWS
    is_new = visit.profile is not None and not response.evidence.liked()
    fallback = bool(slate.fallback_reason)
    return HomePage(slate.pk, response.views, fallback, more, is_of_newcomer=is_new)


def more_rows(visit: CurrentVisit, shown: uuid.UUID, now: datetime) -> HomePage | None:
    """Go on with a home page below what it shows, by the evidence of now; write a slate of it.

    No title of the page comes again. None where the page is not this visit's, or was made before
    a switch of the profile was turned.

    Args:
        visit: whose.
        shown: the slate of the page.
        now: the moment.
    """
    rows = on_screen(visit, shown)
    if not rows:
        return None
    response = _Response(visit, Surface.HOME, now, continued=Continued(shown, rows))
    slate = response.write_slate()
    return HomePage(slate.pk, response.views, bool(slate.fallback_reason), False, len(rows))


def title_page(visit: CurrentVisit, title: Title, now: datetime) -> TitlePage:
    """Find the titles like one and write the slate down."""
    response = _Response(visit, Surface.TITLE, now, title_id=title.pk)
    slate = response.write_slate()
    rows = {view.kind: view for view in response.views}
    listed = response.evidence.listed()
    place = listed.index(title.pk) + 1 if title.pk in listed else None
    alike = rows.get("more_like") or rows.get("near")
    return TitlePage(slate.pk, alike, rows.get("played_next"), place)


def genre_page(visit: CurrentVisit, genre: Genre, page: int, now: datetime) -> ListingPage:
    """Order a genre's titles for this viewer, and write the slate of one page of them down.

    Args:
        visit: whose.
        genre: which.
        page: from 1; one past the last is the last.
        now: the moment.
    """
    return _listing_page(visit, Surface.GENRE, genre.pk, page, now)


def person_page(visit: CurrentVisit, person: Person, page: int, now: datetime) -> ListingPage:
    """The same for all that someone made or plays in."""
    return _listing_page(visit, Surface.PERSON, person.pk, page, now)


def _listing_page(
    visit: CurrentVisit, surface: Surface, key: int, page: int, now: datetime
) -> ListingPage:
    listing = Listing(surface.value, key, (max(page, 1) - 1) * LISTED, LISTED)
    response = _Response(visit, surface, now, listing=listing)
    slate = response.write_slate()
    order = "what fits you best first" if response.answer.taste else "what most people like first"
    return ListingPage(slate.pk, next(iter(response.views), None), response.answer.total, order)


def prequery(visit: CurrentVisit, now: datetime) -> SearchPage:
    """Suggest titles and texts for this visit before anything is typed; write the slate down."""
    page = _search_page(_Response(visit, Surface.PREQUERY, now))
    recent = recent_searches(visit, now)
    known = {text.casefold() for text in recent}
    trending = [text for text in trending_searches(visit, now) if text not in known]
    return replace(page, recent=recent, trending=trending)


def search(visit: CurrentVisit, text: str, now: datetime) -> SearchPage:
    """Find what a text means, ordered for this viewer among titles that match equally well.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    return _search_page(_Response(visit, Surface.SEARCH, now, text=text))


def typed(visit: CurrentVisit, text: str, now: datetime) -> SearchPage:
    """Answer a keystroke: the first of what `search` finds, by the same evidence, in less work.

    The slate holds what was shown, so that a choice can be credited to it, and nothing to build it
    again from.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    return _search_page(_Response(visit, Surface.SEARCH, now, text=text, most=TYPED_TITLES))


def _search_page(response: "_Response") -> SearchPage:
    slate = response.write_slate()
    rows = {view.kind: view for view in response.views}
    found = response.answer.found
    return SearchPage(
        slate.pk,
        response.surface,
        response.question.text,
        found,
        rows.get("results") or rows.get("typed"),
        rows.get("near"),
        rows.get("suggestions"),
        _in_order(Person.objects.filter(name__in=found.people), found.people),
        _in_order(response.live.cards.genres.values(), found.genres),
    )


def _in_order(known: Iterable[Named], names: Sequence[str]) -> list[Named]:
    """Return those with these names, in their order; without names nobody is looked for."""
    if not names:
        return []
    found = {each.name: each for each in known}
    return [found[name] for name in names if name in found]


class _Response:
    """One response in the making: what is known of the viewer, who answered, what went wrong."""

    def __init__(
        self,
        visit: CurrentVisit,
        surface: Surface,
        now: datetime,
        *,
        title_id: int | None = None,
        text: str = "",
        most: int | None = None,
        max_rows: int | None = None,
        continued: Continued | None = None,
        listing: Listing | None = None,
    ) -> None:
        """Ask.

        Args:
            visit: whose.
            surface: where it will be shown.
            now: the moment.
            title_id: the title that the page is about.
            text: what was typed.
            most: show no more of each row, and do not keep what the answer was made from; None
                keeps all.
            max_rows: no more rows than these and those that the visit has seen; None for all.
            continued: what stands above already.
            listing: which titles of a genre or a person.
        """
        self.began = time.perf_counter()
        self.visit, self.surface, self.now = visit, surface, now
        self.continued = continued
        self.live = holder.get()
        with stage("events"):
            self.evidence = treated_evidence(evidence_of(visit), visit.treatment)
            self.question = Question(
                self._viewer(),
                PageConfig(
                    row_size=settings.ROW_SIZE,
                    relevance_share=settings.RELEVANCE_SHARE,
                    exploration=settings.EXPLORATION if visit.is_personal else 0.0,
                    max_rows=max_rows or PageConfig.max_rows,
                ),
                title_id,
                text.replace("\0", ""),  # which PostgreSQL does not keep
                frozenset(self.evidence.hidden()),
                continued is not None,
                listing,
                played_next(title_id) if title_id is not None else (),
                rival_of(visit.treatment) if surface in DRAFTING and most is None else "",
            )
        self.is_whole = most is None
        answer, self.source, self.fallback_reason = _ask(self.question, self.live)
        self.answer = answer if most is None else _first(answer, most)
        with stage("render"):
            self.views = views_of(self.answer, self.source, self.question.viewer, self._known())

    @stage("slate")
    def write_slate(self) -> Slate:
        """Write down what is shown, by what, and from which evidence. At most two queries."""
        if not (self.evidence.is_visit_recorded or self.question.viewer.on_screen):
            self.visit.record()
        taste = self.answer.taste
        return Slate.objects.create(
            visit_id=self.visit.id,
            surface=self.surface,
            release_id=None if self.fallback_reason else self.live.release_id,
            ranker_id=None if self.fallback_reason else self.live.ranker_id,
            created_at=self.now,
            rows=[
                {
                    "kind": view.kind,
                    "key": view.key,
                    "heading": view.heading,
                    "titles": [slot.title.pk for slot in view.slots],
                    "scores": [slot.score for slot in view.slots],
                    "propensities": [slot.propensity for slot in view.slots],
                    "pinned": view.num_pinned,
                    **_by_slot(view),
                }
                for view in self.views
            ],
            is_keystroke=not self.is_whole,
            history_size=len(self.question.viewer.liked_before) if self.is_whole else None,
            exploration=self.question.page.exploration if self.is_whole else None,
            snapshot=self._snapshot(),
            features=self._features(),
            visit_share=taste.visit_share if taste else None,
            continues_id=self.continued.slate_id if self.continued else None,
            took_ms=(time.perf_counter() - self.began) * 1000,
            fallback_reason=self.fallback_reason,
        )

    def _on_screen(self) -> list[ShownRow]:
        if self.continued:
            return self.continued.rows
        return on_screen(self.visit) if self.surface == Surface.HOME else []

    def _known(self) -> Known:
        return Known(self.live.cards, self.evidence, self.visit)

    def _snapshot(self) -> dict[str, Any]:
        """What the answer was made from; of a keystroke only the text."""
        if not self.is_whole:
            return {"text": self.question.text}
        return snapshot_of(self.question, self.live.catalogue, self.visit.switches)

    def _features(self) -> bytes | None:
        """What a ranker is told of what is shown; nothing of a fallback, nothing while typing."""
        if isinstance(self.source, PopularTitles) or not self.is_whole:
            return None
        rows, viewer = self.answer.rows, self.question.viewer
        return packed(self.source.features(rows, viewer, self.answer.taste))

    def _viewer(self) -> Viewer:
        """Put the evidence into the recommender's words.

        For a profile that wants no personal picks that is what it hides and what it keeps by hand.
        """
        evidence = self.evidence
        viewer = Viewer(
            excluded=frozenset(evidence.hidden() | evidence.refused()),
            refused_genres=evidence.refused_genres,
            unfinished=[p.title_id for p in evidence.unfinished()],
            listed=evidence.listed(),
            now=self.now.timestamp(),
            surface=self.surface.value,
            on_screen=self._on_screen(),
            maturity_limit=self.visit.maturity_limit,
            hides_watched=self.visit.hides_watched,
            played_today=self.live.played_today if self.surface == Surface.HOME else (),
            seen=frozenset(evidence.seen()) if self.visit.hides_watched else frozenset(),
        )
        if not self.visit.is_personal:
            return viewer
        told = replace(
            viewer,
            liked=evidence.liked(),
            liked_before=evidence.liked_before(),
            events=[
                ViewerEvent(
                    meaning, event.title_id, event.at.timestamp(), event.is_this_visit, event.query
                )
                for event in evidence.recent
                if (meaning := event.encoder_kind()) is not None
            ],
            reasons=evidence.recent_reasons()[:REASONS_KEPT],
            excluded=viewer.excluded | evidence.disliked(),
            seen=frozenset(evidence.seen()),
            device=self.visit.device,
            profile_id=self.visit.profile.pk if self.visit.profile else None,
        )
        return treated_viewer(told, self.visit.treatment)


def _ask(question: Question, live: Live) -> tuple[Answer, Source, str]:
    """Ask the recommender; if it fails or is not there, ask for popular titles and say why."""
    reason = live.trouble
    if live.recommender is not None:
        try:
            return answer(question, live.recommender, live.search), live.recommender, ""
        except SearchError:
            raise
        except Exception as error:
            logger.exception("the recommender failed, popular titles are served")
            reason = f"{type(error).__name__}: {error}"[:200]
    return answer(question, live.popular, live.search), live.popular, reason


def _by_slot(row: RowView) -> dict[str, list[int | None]]:
    """Return what only some rows have, for a slate to keep: teams and search's evidence."""
    columns = {
        "teams": [slot.team for slot in row.slots],
        "evidence": [slot.evidence for slot in row.slots],
    }
    return {name: column for name, column in columns.items() if column and None not in column}


def _first(answer: Answer, most: int) -> Answer:
    """Return the answer with the first of each row; what matches stands as `typed`."""
    return replace(
        answer,
        rows=[
            replace(row.first(most), kind=TYPED_ROW if row.kind == RESULTS else row.kind)
            for row in answer.rows
        ],
    )
