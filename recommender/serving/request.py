"""A recommendation request, by outside ids: who asks, and when and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recommender.data.sessions import POSITIVE_KINDS, EventKind
from recommender.ranking.page import PageConfig


@dataclass(frozen=True)
class ViewerEvent:
    """Something the viewer did lately.

    Attributes:
        kind: what.
        title_id: with which title; None for a search.
        at: seconds since 1970.
        is_this_visit: False for the visits before.
        query: what was typed.
        genre_ids: genres that a search asked for.
        person_ids: people that it asked for.
    """

    kind: EventKind
    title_id: int | None
    at: float
    is_this_visit: bool = True
    query: str = ""
    genre_ids: tuple[int, ...] = ()
    person_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class ShownRow:
    """A row of the home page that this visit has been shown.

    Attributes:
        kind: as it was.
        key: as it was.
        titles: by slot.
        scores: that placed them.
        num_seen: how many of the first titles were seen; they keep their slots. 0 in a row that
            is not held either: it led the page, and another may lead the next.
        num_held: how many keep them in this answer alone: all, while a page is continued.
        propensities: of the titles; None for 1 each.
    """

    kind: str
    key: int | None
    titles: Sequence[int]
    scores: Sequence[float]
    num_seen: int
    num_held: int = 0
    propensities: Sequence[float] | None = None


@dataclass(frozen=True)
class RequestContext:
    """When and where an answer is shown.

    Attributes:
        now: the moment of asking, seconds since 1970.
        surface: the part of the site.
        device: of `recommender.ranking.features.DEVICES`, empty where it is not known.
        page: the limits of rows.
    """

    now: float = 0.0
    surface: str = "home"
    device: str = ""
    page: PageConfig = PageConfig()


@dataclass(frozen=True)
class Viewer:
    """Who asks: taste, refusals and settings at this moment.

    Attributes:
        liked: title id to how much it says for the viewer's taste; 1 is a title liked before.
            It holds this visit too, for a release that has no session encoder.
        liked_before: the same, this visit left out.
        events: what was done in this visit and the ones before, oldest first.
        profile_id: None for an anonymous visitor, and for one who wants no personal picks.
        reasons: liked titles to explain rows with, the most telling first.
        hidden: titles that the viewer hid; not even a search finds them.
        excluded: titles that are never recommended: hidden, refused or disliked.
        refused_genres: genres of which only what the viewer keeps or has begun is shown.
        not_now_genres: genres that this visit is not about, as the viewer said.
        not_now_people: people, likewise.
        passed_over: titles that this visit was shown and did not open, newest first.
        seen: titles that are no news: not recommended, but shown where the viewer keeps them.
        unfinished: titles begun and not ended, newest first.
        listed: My List, newest first.
        maturity_limit: the age up to which titles may be shown anywhere; None for all.
        hides_watched: whether what was seen stands in no row, but for those kept by hand.
    """

    liked: Mapping[int, float] = field(default_factory=dict)
    liked_before: Mapping[int, float] = field(default_factory=dict)
    events: Sequence[ViewerEvent] = ()
    profile_id: int | None = None
    reasons: Sequence[int] = ()
    hidden: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    refused_genres: frozenset[int] = frozenset()
    not_now_genres: frozenset[int] = frozenset()
    not_now_people: frozenset[int] = frozenset()
    passed_over: Sequence[int] = ()
    seen: frozenset[int] = frozenset()
    unfinished: Sequence[int] = ()
    listed: Sequence[int] = ()
    maturity_limit: int | None = None
    hides_watched: bool = False

    def positive_now(self) -> list[int]:
        """Return the titles that positive events of this visit name, in the order of the first."""
        return list(
            dict.fromkeys(
                event.title_id
                for event in self.events
                if event.is_this_visit
                and event.kind in POSITIVE_KINDS
                and event.title_id is not None
            )
        )

    def is_about(self, title_id: int) -> bool:
        """Return whether an event of this visit names the title."""
        return any(event.is_this_visit and event.title_id == title_id for event in self.events)
