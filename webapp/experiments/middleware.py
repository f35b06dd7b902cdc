"""Give the request's visit its arm of the running experiment, when the visit is first asked for."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse

from webapp.events.middleware import LazyVisit, VisitRequest
from webapp.experiments.running import allocated


class ArmMiddleware:
    """Stands behind `VisitMiddleware`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        visit = cast(VisitRequest, request).lazy_visit
        cast(VisitRequest, request).lazy_visit = LazyVisit(lambda: allocated(visit.get()))
        return self.get_response(request)
