"""Tell the visit its arm, as lazily as the visit itself is found."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from webapp.events.middleware import VisitRequest, visit_of
from webapp.events.visits import CurrentVisit
from webapp.experiments.running import allocated


class ArmMiddleware:
    """Stands behind `VisitMiddleware`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = visit_of(request)
        cast(VisitRequest, request).visit = cast(
            CurrentVisit, SimpleLazyObject(lambda: allocated(found))
        )
        return self.get_response(request)
