"""Middleware that reports the stages, queries and total of a page in `Server-Timing`, to staff."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from recommender.serving.stages import listening

STAGES = ("events", "taste", "retrieve", "rank", "page", "slate", "render")


class ServerTimingMiddleware:
    """Measures the stages of every page and counts its queries."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start, queries = time.perf_counter(), _Queries()
        with listening() as seconds, connection.execute_wrapper(queries):
            response = self.get_response(request)
        if _is_staff(request):
            parts = [f"{name};dur={1000 * seconds[name]:.2f}" for name in STAGES if name in seconds]
            parts.append(f'db;dur={1000 * queries.seconds:.2f};desc="{queries.count} queries"')
            parts.append(f"total;dur={1000 * (time.perf_counter() - start):.2f}")
            response["Server-Timing"] = ", ".join(parts)
        return response


class _Queries:
    """Counts queries and the time they take."""

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            self.seconds += time.perf_counter() - start


def _is_staff(request: HttpRequest) -> bool:
    """Return whether the page was made for staff; a user whom no view asked for is not read here.

    Django's authentication middleware keeps the user there once it was read.
    """
    user: Any = getattr(request, "_cached_user", None)
    return bool(user and user.is_staff)
