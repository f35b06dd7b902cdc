"""Stored events as kinds of the session encoder."""

from datetime import datetime

from recommender.data.sessions import EventKind
from webapp.events.models import Event

ENCODER_KIND: dict[tuple[str, str], EventKind] = {
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


def encoder_kind(kind: str, value: str) -> EventKind | None:
    """What an event says to the session encoder; None for nothing: a thumb or hiding taken back."""
    return ENCODER_KIND.get((kind, value), ENCODER_KIND.get((kind, "")))


def effective_kind(kind: str, at: datetime, qualified_at: datetime | None) -> str:
    """Return a stored event's kind, or progress for a stop that came after the play qualified.

    To stop after a qualified play is a pause; before it, the title did not please.

    Args:
        kind: as stored.
        at: when it happened.
        qualified_at: when the viewer's play of its title qualified; None where it did not.
    """
    is_pause = kind == Event.Kind.STOP and qualified_at is not None and qualified_at <= at
    return Event.Kind.PROGRESS if is_pause else kind
