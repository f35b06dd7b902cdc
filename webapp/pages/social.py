"""Metadata for other sites and search engines: absolute addresses, and a title's facts."""

import json
from collections.abc import Iterable, Mapping
from typing import cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from jinja2 import pass_context
from jinja2.runtime import Context

from webapp.catalog import posters
from webapp.catalog.models import Title

People = Mapping[str, Iterable[object]]
"""Who is credited with a title, by role; each reads as a name."""

ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}
"""As in Django's json_script: what could end the element cannot stand in it."""
KINDS = {Title.Kind.FILM: "Movie", Title.Kind.SERIES: "TVSeries"}


@pass_context
def absolute(context: Context, address: str = "") -> str:
    """The address, this page's own by default, as others must write it: without its query."""
    return _request(context).build_absolute_uri(address or _request(context).path)


@pass_context
def title_data(context: Context, title: Title, people: People) -> SafeString:
    """A title in the words of schema.org, with where it can be watched, as JSON-LD."""
    facts = described(title, people, _request(context))
    words = json.dumps(facts, ensure_ascii=False).translate(ESCAPES)
    return mark_safe(  # noqa: S308 - what could end the element is escaped
        f'<script type="application/ld+json">{words}</script>'
    )


def described(title: Title, people: People, request: HttpRequest) -> dict[str, object]:
    """The facts of `title_data`; what the catalogue does not know is left out."""
    at = request.build_absolute_uri
    known = {
        "name": title.name,
        "alternateName": title.alternative_names,
        "description": title.plot,
        "url": at(title.get_absolute_url()),
        "image": at(posters.poster_url(title)),
        "datePublished": str(title.year or ""),
        "duration": f"PT{title.runtime_minutes}M" if title.runtime_minutes else "",
        "genre": [genre.name for genre in title.genre_list],
        "inLanguage": title.language,
        "director": _people(people.get("director", [])),
        "author": _people(people.get("writer", [])),
        "actor": _people(people.get("cast", [])),
        "sameAs": f"https://www.imdb.com/title/{title.imdb_id}/" if title.imdb_id else "",
        "potentialAction": title.is_available
        and {"@type": "WatchAction", "target": at(reverse("watch", args=[title.pk]))},
    }
    facts = {name: value for name, value in known.items() if value}
    return {"@context": "https://schema.org", "@type": KINDS[Title.Kind(title.kind)], **facts}


def _people(people: Iterable[object]) -> list[dict[str, str]]:
    return [{"@type": "Person", "name": str(person)} for person in people]


def _request(context: Context) -> HttpRequest:
    return cast(HttpRequest, context["request"])  # its context processor put it there
