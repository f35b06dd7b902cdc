"""Tell a viewer what was done, with a way back: a message that carries a form."""

import json
from dataclasses import asdict, dataclass

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

TOLD = "told"
"""The browser's event after something was told by htmx: what shows a state reads it again."""


@dataclass(frozen=True)
class Undo:
    """The form that takes something back: where it is sent, and what it says."""

    address: str
    fields: dict[str, str]


def tell(request: HttpRequest, words: str, undo: Undo | None = None) -> None:
    """Say it on this answer, if that shows messages, else on the next page."""
    packed = json.dumps(asdict(undo)) if undo else ""
    messages.success(request, words, extra_tags=packed)


def undo_of(message: Message) -> Undo | None:
    """Return the way back that `tell` gave the message."""
    return Undo(**json.loads(message.extra_tags)) if message.extra_tags else None


def told(request: HttpRequest, back: str) -> HttpResponse:
    """Answer what was told: htmx gets the messages in place, a form the page it came from.

    The event comes after the swap: then it reaches the body, also where the form is gone by now.
    """
    if not request.htmx:  # type: ignore[attr-defined]  # by HtmxMiddleware
        return redirect(back)
    return trigger_client_event(
        render(request, "_messages.html", {"back": back}), TOLD, after="swap"
    )


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Leave for another page, also where htmx asked for a piece of this one."""
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(address)
    return redirect(address)
