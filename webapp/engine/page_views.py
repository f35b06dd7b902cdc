"""What the template of each page shows: rows in words, and the slate that holds them."""

import uuid
from dataclasses import dataclass, field

from recommender.serving.visit_topics import GENRE
from search.engine import SearchResult
from search.facets import FacetCount
from webapp.catalog.models import Genre, Person
from webapp.discovery.hits import SEARCH_HITS
from webapp.discovery.surface import Surface
from webapp.engine.views import RowView, SlotView
from webapp.events.title_state import TitleState


@dataclass(frozen=True)
class TopicView:
    """A genre or person that this visit is taken to be about."""

    kind: str
    about: Genre | Person

    @property
    def words(self) -> str:
        return self.about.name if self.kind == GENRE else f"titles with {self.about.name}"


@dataclass(frozen=True)
class HomePage:
    slate_id: uuid.UUID
    rows: list[RowView]
    is_fallback: bool
    spotlight: RowView | None = None
    """The title at the top of the page, a row of one; None leaves it to one of the rows."""
    topics: list[TopicView] = field(default_factory=list)
    """What this visit is taken to be about, the likeliest first."""
    has_more: bool = False
    """Whether rows may follow below these."""
    num_above: int = 0
    """How many rows stand above these already."""
    is_new_profile: bool = False
    """Whether nothing is known of a profile's taste yet."""


@dataclass(frozen=True)
class TitlePage:
    slate_id: uuid.UUID
    state: TitleState
    """What the viewer has done with the title."""
    more_like: RowView | None
    played_next: RowView | None = None
    list_position: int | None = None
    """The title's position in My List, from 1."""


@dataclass(frozen=True)
class ListingPage:
    """A part of a genre's or a person's titles, and how many there are in all."""

    slate_id: uuid.UUID
    row: RowView | None
    total: int
    order: str
    """What stands first, in words."""
    facets: tuple[FacetCount, ...] = ()
    """What they can be narrowed by."""


@dataclass(frozen=True)
class SearchPage:
    """What a text matches.

    Attributes:
        slate_id: what was shown.
        surface: where.
        text: as typed.
        result: what was understood, and the parts of every score.
        results: titles that match.
        near: titles near in meaning, where few match.
        suggestions: what to offer where nothing was typed, or nothing at all was found.
        people: who are meant, best first.
        genres: that are meant, best first.
        recent: what this viewer searched for lately, where nothing was typed.
        trending: what many search for, where nothing was typed.
        facets: what the titles that match can be narrowed by.
        number: of the page of results, from 1.
    """

    slate_id: uuid.UUID
    surface: Surface
    text: str
    result: SearchResult
    results: RowView | None = None
    near: RowView | None = None
    suggestions: RowView | None = None
    people: list[Person] = field(default_factory=list)
    genres: list[Genre] = field(default_factory=list)
    recent: list[str] = field(default_factory=list)
    trending: list[str] = field(default_factory=list)
    facets: tuple[FacetCount, ...] = ()
    number: int = 1

    @property
    def slots(self) -> list[SlotView]:
        return self.results.slots if self.results else []

    @property
    def total(self) -> int:
        """How many titles match, on all pages."""
        return self.result.total

    @property
    def num_pages(self) -> int:
        """How many pages they take, one at least."""
        return max(-(-self.total // SEARCH_HITS), 1)

    @property
    def is_narrowed_to_nothing(self) -> bool:
        """Whether titles match, and none of them is as chosen."""
        return not self.result.total and len(self.result.matching) > 0

    @property
    def has_matches(self) -> bool:
        """Whether anything matches, be it no title."""
        return bool(self.results or self.people or self.genres)
