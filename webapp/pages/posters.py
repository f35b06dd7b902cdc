"""Drawn posters, served so that a browser keeps them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from webapp.catalog.artwork import poster_svg, poster_version
from webapp.catalog.models import Title

YEAR_SECONDS = 31_536_000


@require_safe
def poster(request: HttpRequest, pk: int) -> HttpResponse:
    """The drawn poster of a title. An address with the right version never changes."""
    title = get_object_or_404(Title.objects.defer("plot").prefetch_related("genres"), pk=pk)
    version = poster_version(title)
    is_pinned = request.GET.get("v") == version
    response = get_conditional_response(request, etag=f'"{version}"') or HttpResponse(
        poster_svg(title), content_type="image/svg+xml; charset=utf-8"
    )
    response["ETag"] = f'"{version}"'
    response["Cache-Control"] = (
        f"public, max-age={YEAR_SECONDS}, immutable" if is_pinned else "public, max-age=300"
    )
    return response
