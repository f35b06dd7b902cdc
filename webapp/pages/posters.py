"""Views of drawn posters and backdrops, with cache headers for a year and age limits."""

import hashlib
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from webapp.artwork.posters import PosterSpec, backdrop_svg, poster_svg, poster_version
from webapp.catalog.models import UNRATED, Title
from webapp.catalog.posters import DIRECTORS, poster_spec
from webapp.events.middleware import chosen_profile

YEAR_SECONDS = 31_536_000


@require_safe
def poster(request: HttpRequest, pk: int) -> HttpResponse:
    """Serve the drawn poster; an address with the current version is cached. Three queries."""
    return _respond(request, pk, poster_svg)


@require_safe
def backdrop(request: HttpRequest, pk: int) -> HttpResponse:
    """Serve the drawn backdrop, which lies behind the top of a page. Three queries."""
    return _respond(request, pk, backdrop_svg)


def _respond(request: HttpRequest, pk: int, draw: Callable[[PosterSpec], str]) -> HttpResponse:
    titles = Title.objects.defer("plot").prefetch_related("genres", DIRECTORS)
    title = get_object_or_404(titles, pk=pk)
    maturity = UNRATED if title.maturity is None else title.maturity
    if maturity and maturity > _maturity_limit(request):
        raise Http404
    spec = poster_spec(title)
    svg = draw(spec).encode()
    etag = f'"{hashlib.sha256(svg).hexdigest()[:16]}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(
        svg, content_type="image/svg+xml; charset=utf-8"
    )
    response["ETag"] = etag
    is_current = request.GET.get("v") == poster_version(spec)
    scope = "private" if _has_session(request) else "public"
    age = f"max-age={YEAR_SECONDS}, immutable" if is_current else "max-age=300"
    response["Cache-Control"] = f"{scope}, {age}"
    return response


def _maturity_limit(request: HttpRequest) -> int:
    """Return the maturity limit of this browser's viewer; no query without a session.

    It does not touch the visit, as an image neither starts nor continues one. It resets
    `session.accessed`, as a response that varies by cookie would never be cached.
    """
    profile = None
    if _has_session(request):
        profile = chosen_profile(request)
        request.session.accessed = False
    if profile is None:
        guest_limit: int = settings.GUEST_MATURITY_LIMIT
        return guest_limit
    return UNRATED if profile.maturity_limit is None else profile.maturity_limit


def _has_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES
