"""Pieces of HTML and small questions that templates ask: cards, posters, icons, durations."""

import uuid
from collections.abc import Sequence

from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from recommender.ranking.row_kinds import CONTINUE_WATCHING
from webapp.catalog import posters
from webapp.catalog.models import Title
from webapp.engine.cards import CardFace
from webapp.engine.views import SlotView
from webapp.metrics.formatting import format_value
from webapp.pages.narrowing import Choice

ICONS = {
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>',
    "person": '<circle cx="12" cy="8" r="3.5"/><path d="M5 20c.6-4 3.300-6 7-6s6.400 2 7 6"/>',
    "play": '<path d="M7 4.5v15l12.5-7.5z" fill="currentColor"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11.5v5M12 7.5v.5"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "check": '<path d="m5 12.5 4.5 4.5L19 7"/>',
    "up": '<path d="M7.5 11v9M7.5 11l4-7c1.6 0 2.6 1.2 2.3 2.8L13.2 10h5c1.4 0 2.3 1.2 2 2.5'
    'l-1.2 5.6c-.2 1.1-1.1 1.9-2.2 1.9H4.5v-9z"/>',
    "down": '<path d="M16.5 13V4M16.5 13l-4 7c-1.6 0-2.6-1.2-2.3-2.8l.6-3.2h-5c-1.4 0-2.3-1.2-2'
    '-2.5L5 5.9C5.2 4.8 6.1 4 7.2 4h12.300v9z"/>',
    "love": '<path d="M12 20s-7.5-4.6-7.5-10A4.2 4.2 0 0 1 12 7.3 4.2 4.2 0 0 1 '
    '19.5 10c0 5.4-7.5 10-7.5 10z"/>',
    "hide": '<path d="M4 4l16 16M9.5 6a9 9 0 0 1 2.5-.3c4.5 0 7.7 3 9 6.3a11 11 0 0 1-2.7'
    ' 3.800M6 8a11 11 0 0 0-3 4c1.3 3.3 4.5 6.3 9 6.300a9 9 0 0 0 3.7-.8"/>',
}
"""Lines on a square of 24 units, drawn in the colour of the text around them."""
DRAWN = {
    name: format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(lines),  # noqa: S308 - our own drawings
    )
    for name, lines in ICONS.items()
}


def poster(title: Title, css: str = "poster", loading: str = "eager") -> SafeString:
    """The title's poster. An operator's that does not load gives way to the drawn (posters.js)."""
    drawn = (
        format_html(' data-drawn="{}"', posters.drawn_poster_url(title)) if title.poster_url else ""
    )
    return format_html(
        '<img class="{}" src="{}"{} width="200" height="300" alt="" loading="{}" decoding="async">',
        css,
        posters.poster_url(title),
        drawn,
        loading,
    )


def card(slot: SlotView, row: str) -> SafeString:
    """The card of a title in a slot: the link here, what it holds in `_card.html`.

    The face, which is the same in every slot, is rendered once for each title at hand, because
    rendering a hundred takes longer than all else on a page. Where a title is continued the face
    shows how far it was played.
    """
    return mark_safe(_card(slot, row))  # noqa: S308 - see _card


def cards(slots: Sequence[SlotView], row: str) -> SafeString:
    """The cards of a row, a list item each: a loop here, because one in a template costs more."""
    items = "</li><li>".join([_card(slot, row) for slot in slots])
    return mark_safe(f"<li>{items}</li>" if slots else "")  # noqa: S308 - see _card


def _card(slot: SlotView, row: str) -> str:
    """Return safe HTML: the face was rendered by a template, the rest is escaped here."""
    if row == CONTINUE_WATCHING:
        face = _face(slot.title, slot.progress)
    else:
        face = slot.faces.get(slot.title.pk) or _face(slot.title)
        slot.faces[slot.title.pk] = face
    return (
        f'<a class="card" {face.attributes} data-slot="{slot.slot:d}" '
        f'data-why="{conditional_escape(slot.why)}">{face.content}</a>'
    )


def _face(title: Title, progress: float | None = None) -> CardFace:
    attributes = format_html('href="{}" data-title="{}"', title.get_absolute_url(), title.pk)
    content = render_to_string("_card.html", {"title": title, "progress": progress})
    return CardFace(attributes, content)


def choices(of_menu: Sequence[Choice]) -> SafeString:
    """The links of a menu, a list item each: a loop here, because one in a template costs more."""
    items = "</li><li>".join([_choice(choice) for choice in of_menu])
    return mark_safe(f"<li>{items}</li>" if of_menu else "")  # noqa: S308 - see _choice


def _choice(choice: Choice) -> str:
    """Return safe HTML: what is of the catalogue or an address is escaped here."""
    count, current = "", ' aria-current="true"' if choice.is_chosen else ""
    if choice.count is not None:
        unit = " title" if choice.count == 1 else " titles"
        unit += ", chosen" if choice.is_chosen else ""
        count = (
            f' <span class="count">{choice.count:,}'
            f'<span class="visually-hidden">{unit}</span></span>'
        )
    words, address = conditional_escape(choice.words), conditional_escape(choice.address)
    return f'<a href="{address}" rel="nofollow"{current}><span>{words}</span>{count}</a>'


def backdrop(title: Title) -> SafeString:
    """What lies behind the top of a title's page: its motif drawn wide."""
    return format_html(
        '<div class="backdrop" aria-hidden="true">'
        '<img src="{}" width="640" height="360" alt="" decoding="async"></div>',
        posters.backdrop_url(title),
    )


def runtime(minutes: int | None) -> str:
    """118 is "1 h 58 min"; nothing where it is unknown."""
    if not minutes:
        return ""
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def minutes(seconds: int) -> int:
    return round(seconds / 60)


def percent(share: float) -> int:
    return round(share * 100)


def share(value: float | None) -> str:
    """.123 is "12.3 %"; a dash where there is none, which is not 0."""
    return format_value(value, "share")


def hue(pk: int | None) -> int:
    """Which of the avatars' five colours a profile has."""
    return (pk or 0) % 5


def icon(name: str) -> SafeString:
    """One of `ICONS`, which a screen reader passes over: the words beside it say what it means."""
    return DRAWN[name]


def new_id() -> str:
    """The id of the event that a form will tell: sent twice, it counts once."""
    return str(uuid.uuid4())
