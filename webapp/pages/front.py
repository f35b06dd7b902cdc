"""Middleware around all pages: probes, what no page could read, and what caches may keep."""

import codecs
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import has_vary_header, patch_cache_control
from django.utils.http import parse_header_parameters

from webapp.pages.errors import bad_request
from webapp.pages.health import healthz, readyz

PROBES = {"/healthz": healthz, "/readyz": readyz}
UNREADABLE = "marquee.unreadable"
"""In a request's `META` where its body cannot be read."""
CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1"})
"""What a body may be written in, by Python's names."""

GetResponse = Callable[[HttpRequest], HttpResponse]


class ProbeMiddleware:
    """Answers probes before the host is checked: they come by the address of the machine."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        return self.get_response(request) if probe is None else probe(request)


def set_charset_aside(sender: object, environ: dict[str, Any] | None = None, **_: object) -> None:
    """Take a charset that is none of texts (zlib, say) out of a request that is about to begin.

    Django reads the query by it while it makes the request, before any middleware.
    """
    if environ is None:  # asynchronous servers have none
        return
    content_type = environ.get("CONTENT_TYPE", "")
    if ";" in content_type and not _is_readable(content_type):
        environ["CONTENT_TYPE"] = content_type.partition(";")[0]
        environ[UNREADABLE] = True


class ReadableMiddleware:
    """Refuses in words what cannot be read.

    That is a body in another charset than `CHARSETS`, and a cookie with a NUL, which no browser
    sends and the database refuses.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if UNREADABLE in request.META:
            return bad_request(request, words="Send the text as UTF-8.")
        if any("\0" in value for value in request.COOKIES.values()):
            return bad_request(request, words="A cookie is broken. Delete it and try again.")
        return self.get_response(request)


class PrivateMiddleware:
    """Keeps whatever depends on a cookie out of every cache, the browser's own too.

    On a shared computer, "back" after a log-out would otherwise show whose page it was.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_personal = bool(response.cookies) or has_vary_header(response, "Cookie")
        if is_personal and not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response


def _is_readable(content_type: str) -> bool:
    try:
        _, params = parse_header_parameters(content_type)
        return codecs.lookup(params.get("charset", "utf-8")).name in CHARSETS
    except (LookupError, ValueError):  # ValueError: too long, or no text
        return False
