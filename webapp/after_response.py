"""Work that can wait until the answer has left: registered by a view, done by the same thread.

The server closes a response when the client has it; what was registered is done then, before the
thread takes another request. A server that stops gracefully ends the request in hand first, so that
nothing is lost by anything short of a kill.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)
Work = Callable[[], object]

_waiting: ContextVar[list[Work] | None] = ContextVar("work after the response", default=None)


def after_response(work: Work) -> None:
    """Do this when the answer has left; at once where no request is answered."""
    waiting = _waiting.get()
    if waiting is None:
        work()
    else:
        waiting.append(work)


class AfterResponseMiddleware:
    """Stands outermost, so that nothing of the answer is still to be made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        waiting: list[Work] = []
        token = _waiting.set(waiting)
        try:
            response = self.get_response(request)
        finally:
            _waiting.reset(token)
        if waiting:
            response._resource_closers.append(lambda: _do(waiting))  # type: ignore[attr-defined]
        return response


def _do(waiting: list[Work]) -> None:
    """Do all; what fails is logged, because its answer cannot be taken back."""
    for work in waiting:
        try:
            work()
        except Exception:
            logger.exception("work after a response failed")
