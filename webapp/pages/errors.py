"""Error pages: a status goes in, a page (JSON below /api/) with heading and advice comes out."""

import sys

from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from webapp.hashing import BusyError
from webapp.refreshed import NotReadyError

RETRY_SECONDS = 10


def bad_request(
    request: HttpRequest,
    exception: Exception | None = None,
    words: str = "Go back and try again.",
) -> HttpResponse:
    return _page(request, 400, "That request made no sense", words)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 403, "This is not for you", "Your account may not open this page.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    words = "The page was open for too long, or cookies are off. Reload it and try again."
    return _page(request, 403, "We could not be sure it was you", words)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404, "Nothing plays here", "This page does not exist, or not any more.")


def busy(request: HttpRequest) -> HttpResponse:
    """Respond 503 where more passwords are tried than may be checked at once."""
    return _unavailable(request, "Many people are logging in. Try again in a moment.", 2)


def crowded(request: HttpRequest) -> HttpResponse:
    """Respond 503 where more requests are under way than a process works on."""
    return _unavailable(request, "Many people are watching. Try again in a moment.", 2)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    return _page(request, 429, "That was a bit much", "Wait a minute, then try again.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Respond 503 with Retry-After without a database or before the first load, else 500."""
    match sys.exc_info()[1]:
        case OperationalError() | InterfaceError():
            words = "Our database is taking a break. Nothing is lost; try again in a moment."
            return _unavailable(request, words)
        case NotReadyError():
            return _unavailable(request, "We are just opening. Try again in a moment.")
        case BusyError():
            return busy(request)
    words = "Something broke on our side. It has been written down."
    return _page(request, 500, "The film tore", words)


def _unavailable(request: HttpRequest, words: str, seconds: int = RETRY_SECONDS) -> HttpResponse:
    response = _page(request, 503, "The house lights are on", words)
    response["Retry-After"] = str(seconds)
    return response


def _page(request: HttpRequest, status: int, heading: str, words: str) -> HttpResponse:
    """Render without the request, so that neither session nor database is read."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": f"{heading}. {words}"}, status=status)
    context = {"status": status, "heading": heading, "words": words}
    return HttpResponse(render_to_string("pages/error.html", context), status=status)
