"""Stored events as kinds of the session encoder."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from recommender.data.sessions import EventKind
from webapp.events.models import Event
from webapp.events.playback import is_enough
from webapp.profiles.models import Rating

MEANING: dict[tuple[str, str], EventKind] = {
    (Event.Kind.OPEN, ""): EventKind.OPEN,
    (Event.Kind.CHOOSE, ""): EventKind.CHOOSE,
    (Event.Kind.PLAY, ""): EventKind.PLAY,
    (Event.Kind.PROGRESS, ""): EventKind.PROGRESS,
    (Event.Kind.STOP, ""): EventKind.STOP,
    (Event.Kind.FINISH, ""): EventKind.FINISH,
    (Event.Kind.THUMB, "up"): EventKind.LIKE,
    (Event.Kind.THUMB, "love"): EventKind.LIKE,
    (Event.Kind.THUMB, "down"): EventKind.DISLIKE,
    (Event.Kind.LIST, "add"): EventKind.LIST,
    (Event.Kind.LIST, "remove"): EventKind.UNLIST,
    (Event.Kind.HIDE, "hide"): EventKind.HIDE,
    (Event.Kind.SEARCH, ""): EventKind.SEARCH,
}
"""A stored event's kind and value, and what the session encoder takes it for."""


def meaning_of(kind: str, value: str) -> EventKind | None:
    """What an event says to the session encoder; None for nothing: a thumb or hiding taken back."""
    return MEANING.get((kind, value), MEANING.get((kind, "")))


def meaning_of_stars(stars: float) -> EventKind:
    """A rating is read as a thumb at both ends, and between them as having watched to the end."""
    if stars >= Rating.LIKED_FROM_STARS:
        return EventKind.LIKE
    return EventKind.DISLIKE if stars <= Rating.DISLIKED_TO_STARS else EventKind.FINISH


class EventRow(NamedTuple):
    """An event's row, as far as it tells something."""

    kind: str
    title_id: int | None
    value: str
    occurred_at: datetime
    received_at: datetime
    query: str
    visit_id: UUID
    position_seconds: int | None
    duration_seconds: int | None

    @property
    def told(self) -> str:
        """Its kind; to stop after a qualified play is a pause, and tells what progress tells."""
        is_pause = self.kind == Event.Kind.STOP and is_enough(
            self.position_seconds, self.duration_seconds
        )
        return Event.Kind.PROGRESS if is_pause else self.kind
