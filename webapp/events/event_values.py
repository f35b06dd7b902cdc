"""What an event says in its value, by kind."""

from webapp.events.models import Event

STARS = tuple(f"{halves / 2:g}" for halves in range(1, 11))
"""A thumb event may also say the stars, as importers know them: so a rating can be put back."""

NOT_NOW = "not_now"
OF_VISIT = (NOT_NOW, "allow_now")
"""Values that say what this visit is not about: they set no mark, and need no profile."""
VALUES: dict[str, tuple[str, ...]] = {
    Event.Kind.THUMB: ("up", "down", "love", "clear", *STARS),
    Event.Kind.LIST: ("add", "remove"),
    Event.Kind.HIDE: ("hide", "show"),
    Event.Kind.RESUME: ("remove", "restore"),
    Event.Kind.FORGET: ("remove", "restore"),
    Event.Kind.PERSON: ("refuse", "allow", *OF_VISIT),
    Event.Kind.GENRE: ("refuse", "allow", *OF_VISIT),
}
"""What an event of these kinds must say in its value."""
