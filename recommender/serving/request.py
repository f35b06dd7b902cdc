"""What a caller asks of the recommender, in outside ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recommender.data.sessions import EventKind


@dataclass(frozen=True)
class ViewerEvent:
    """Something the viewer did lately.

    Attributes:
        kind: what.
        title_id: with which title; None for a search.
        at: seconds since 1970.
        is_this_visit: False for the visits before.
        query: what was typed.
    """

    kind: EventKind
    title_id: int | None
    at: float
    is_this_visit: bool = True
    query: str = ""


@dataclass(frozen=True)
class ShownRow:
    """A row of the home page that this visit has been shown.

    Attributes:
        kind: as it was.
        key: as it was.
        titles: by slot.
        scores: that placed them.
        num_seen: how many of the first titles were seen; they keep their slots.
        num_held: how many keep them in this answer alone: all, while a page is continued.
        chances: the propensities of the titles.
    """

    kind: str
    key: int | None
    titles: Sequence[int]
    scores: Sequence[float]
    num_seen: int
    num_held: int = 0
    chances: Sequence[float] | None = None


@dataclass(frozen=True)
class Viewer:
    """What is known of the one who asks, at this moment.

    Attributes:
        liked: title id to how much it says for the viewer's taste; 1 is a title liked before.
            It holds this visit too, for a release that has no session encoder.
        liked_before: the same, this visit left out.
        events: what was done in this visit and the ones before, oldest first.
        now: the moment of asking, seconds since 1970.
        surface: where the answer is shown.
        device: what it is shown on, of `recommender.ranking.features.DEVICES`.
        profile_id: who it is, None for nobody, and for one who wants no personal picks.
        reasons: liked titles to explain rows with, the most telling first.
        excluded: titles never to show.
        refused_genres: genres of which only what the viewer keeps or has begun is shown.
        seen: titles that are no news: not recommended, but shown where the viewer keeps them.
        unfinished: titles begun and not ended, newest first.
        listed: My List, newest first.
        played_today: titles by how many here play them today, most first.
        maturity_limit: the age up to which titles may be shown anywhere; None for all.
        hides_watched: whether what was seen stands in no row, but for those kept by hand.
        on_screen: this visit's last home page, from the top down to the last row seen.
    """

    liked: Mapping[int, float] = field(default_factory=dict)
    reasons: Sequence[int] = ()
    excluded: frozenset[int] = frozenset()
    seen: frozenset[int] = frozenset()
    unfinished: Sequence[int] = ()
    listed: Sequence[int] = ()
    liked_before: Mapping[int, float] = field(default_factory=dict)
    events: Sequence[ViewerEvent] = ()
    now: float = 0.0
    surface: str = "home"
    on_screen: Sequence[ShownRow] = ()
    device: str = ""
    profile_id: int | None = None
    maturity_limit: int | None = None
    hides_watched: bool = False
    refused_genres: frozenset[int] = frozenset()
    played_today: Sequence[int] = ()

    def is_about(self, title_id: int) -> bool:
        """Whether this visit has told anything of the title."""
        return any(event.is_this_visit and event.title_id == title_id for event in self.events)
