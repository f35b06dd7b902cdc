"""Drawn posters and backdrops, served so that a browser keeps them."""

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
    """The drawn poster of a title; an address with the right version is kept. Three queries."""
    return _drawn(request, pk, poster_svg)


@require_safe
def backdrop(request: HttpRequest, pk: int) -> HttpResponse:
    """The poster's motif, wide, for behind the top of a page. Three queries."""
    return _drawn(request, pk, backdrop_svg)


def _drawn(request: HttpRequest, pk: int, draw: Callable[[PosterSpec], str]) -> HttpResponse:
    drawable = Title.objects.defer("plot").prefetch_related("genres", DIRECTORS)
    title = get_object_or_404(drawable, pk=pk)
    from_age = UNRATED if title.maturity is None else title.maturity
    if from_age and from_age > _limit(request):
        raise Http404
    spec = poster_spec(title)
    svg = draw(spec).encode()
    etag = f'"{hashlib.sha256(svg).hexdigest()[:16]}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(
        svg, content_type="image/svg+xml; charset=utf-8"
    )
    response["ETag"] = etag
    is_pinned = request.GET.get("v") == poster_version(spec)
    whose = "private" if _is_of_session(request) else "public"
    age = f"max-age={YEAR_SECONDS}, immutable" if is_pinned else "max-age=300"
    response["Cache-Control"] = f"{whose}, {age}"
    return response


def _limit(request: HttpRequest) -> int:
    """Up to which age this browser's viewer sees pictures; no query without a session.

    It does not touch the visit: a picture neither starts one nor goes on with it. Nor does it let
    the answer vary by cookie, which changes with every page: a browser would keep no picture.
    """
    profile = None
    if _is_of_session(request):
        profile = chosen_profile(request)
        request.session.accessed = False
    if profile is None:
        guests: int = settings.GUEST_MATURITY_LIMIT
        return guests
    return UNRATED if profile.maturity_limit is None else profile.maturity_limit


def _is_of_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES
