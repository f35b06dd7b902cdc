"""Drawn posters and backdrops, served so that a browser keeps them."""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from webapp.catalog.artwork import DIRECTORS, backdrop_svg, poster_svg, poster_version
from webapp.catalog.models import Title

YEAR_SECONDS = 31_536_000


@require_safe
def poster(request: HttpRequest, pk: int) -> HttpResponse:
    """The drawn poster of a title; an address with the right version is kept. Three queries."""
    return _drawn(request, pk, poster_svg)


@require_safe
def backdrop(request: HttpRequest, pk: int) -> HttpResponse:
    """The poster's motif, wide, for behind the top of a page. Three queries."""
    return _drawn(request, pk, backdrop_svg)


def _drawn(request: HttpRequest, pk: int, draw: Callable[[Title], str]) -> HttpResponse:
    drawable = Title.objects.defer("plot").prefetch_related("genres", DIRECTORS)
    title = get_object_or_404(drawable, pk=pk)
    drawn = draw(title).encode()
    etag = f'"{hashlib.sha256(drawn).hexdigest()[:16]}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(
        drawn, content_type="image/svg+xml; charset=utf-8"
    )
    response["ETag"] = etag
    is_pinned = request.GET.get("v") == poster_version(title)
    response["Cache-Control"] = (
        f"public, max-age={YEAR_SECONDS}, immutable" if is_pinned else "public, max-age=300"
    )
    return response
