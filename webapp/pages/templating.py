"""The Jinja environment of all pages: what its templates call, and how they filter values."""

from datetime import datetime
from functools import lru_cache

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template import defaultfilters
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html, json_script
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]
from django_htmx.jinja import htmx_script
from jinja2 import Environment

from webapp.pages import pieces, social
from webapp.pages.undo import undo_of

ADDRESSES_CACHED = 4096
"""Addresses that a process keeps: of views, and of their forms for one title."""


def environment(**options: object) -> Environment:
    """Return the environment, with Django's options (autoescape is on)."""
    made = Environment(keep_trailing_newline=True, **options)  # type: ignore[arg-type]  # noqa: S701 - Django says autoescape
    made.globals |= {
        "url": url,
        "static": lru_cache(static),
        "json_script": json_script,
        "htmx_script": htmx_script,
        "absolute": social.absolute,
        "title_data": social.title_data,
        "poster": pieces.poster,
        "backdrop": pieces.backdrop,
        "card": pieces.card,
        "cards": pieces.cards,
        "choices": pieces.choices,
        "icon": pieces.icon,
        "new_id": pieces.new_id,
        "undo_of": undo_of,
    }
    made.filters |= {
        "date": date,
        "floatformat": defaultfilters.floatformat,
        "intcomma": intcomma,
        "pluralize": defaultfilters.pluralize,
        "truncatechars": defaultfilters.truncatechars,
        "truncatewords": defaultfilters.truncatewords,
        "runtime": pieces.runtime,
        "minutes": pieces.minutes,
        "percent": pieces.percent,
        "share": pieces.share,
        "hue": pieces.hue,
    }
    return made


@lru_cache(ADDRESSES_CACHED)
def url(view: str, *args: object) -> str:
    """Return the address of a view, kept: a title's page asks for thirty."""
    return reverse(view, args=args)


def date(moment: datetime | None, form: str) -> str:
    """Return a moment in the site's time zone, in Django's notation; nothing for None."""
    return defaultfilters.date(template_localtime(moment), form)


def csrf(request: HttpRequest) -> "dict[str, SimpleLazyObject[str]]":
    """Return the token of all forms of a page, made when the first is rendered.

    Those that Django gives to Jinja are made anew for every form, which takes longer than the form.
    """
    token = SimpleLazyObject(lambda: get_token(request))
    field = '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
    return {
        "csrf_token": token,
        "csrf_input": SimpleLazyObject(lambda: format_html(field, token)),
    }
