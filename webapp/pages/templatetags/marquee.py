"""Small questions that templates ask."""

from django import template

from webapp.catalog import artwork
from webapp.catalog.models import Title

register = template.Library()


@register.filter
def poster_url(title: Title) -> str:
    return artwork.poster_url(title)


@register.filter
def runtime(minutes: int | None) -> str:
    """118 is "1 h 58 min"; nothing where it is unknown."""
    if not minutes:
        return ""
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


@register.filter
def percent(share: float) -> int:
    return round(share * 100)
