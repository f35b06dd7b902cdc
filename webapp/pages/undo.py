"""Confirmation messages with an Undo button, and the responses that show them."""

import json
from dataclasses import asdict, dataclass

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

ACTION_EVENT = "feedback"
"""The browser event after an htmx action; elements that show the changed state reload."""


@dataclass(frozen=True)
class Undo:
    """The form that reverts an action: its address and its fields."""

    address: str
    fields: dict[str, str]


def notify(request: HttpRequest, text: str, undo: Undo | None = None) -> None:
    """Show the message in this response if it shows messages, else on the next page."""
    undo_json = json.dumps(asdict(undo)) if undo else ""
    messages.success(request, text, extra_tags=undo_json)


def undo_of(message: Message) -> Undo | None:
    """Return the undo form that `notify` attached to the message."""
    return Undo(**json.loads(message.extra_tags)) if message.extra_tags else None


def messages_or_redirect(request: HttpRequest, back: str) -> HttpResponse:
    """Respond to an action: htmx gets the messages in place, a plain form goes to `back`.

    The event is triggered after the swap, so that it reaches the body even if the form is gone.
    """
    if not request.htmx:  # type: ignore[attr-defined]  # by HtmxMiddleware
        return redirect(back)
    return trigger_client_event(
        render(request, "_messages.html", {"back": back}), ACTION_EVENT, after="swap"
    )


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Redirect to another page, also if htmx requested a fragment of this one."""
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(address)
    return redirect(address)
