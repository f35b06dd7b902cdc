"""Where a viewer came from (card, prefetch) and where a form returns to (`next`)."""

import uuid
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

FROM_COOKIE = "marquee_from"
"""Set by events.js when a card is followed: title, slate, row and slot, joined by colons."""


@dataclass(frozen=True)
class CardPosition:
    """The slate, row and slot of the card that led to a title."""

    slate_id: uuid.UUID
    row: str
    slot: int


def is_read(request: HttpRequest) -> bool:
    """Return False for requests that a browser prefetches without showing them."""
    purpose = request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    return request.method == "GET" and "prefetch" not in purpose


def safe_next(request: HttpRequest, otherwise: str) -> str:
    """Return the `next` address of the form or link if it is on this site, else `otherwise`."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    return address if is_on_this_site(request, address) else otherwise


def is_on_this_site(request: HttpRequest, address: str) -> bool:
    """Return True for a path of this site; a word alone would be taken for a view's name."""
    return address.startswith("/") and url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )


def profiles_address(onward: str = "") -> str:
    """Return the address of the profile chooser, which then goes on to `onward`."""
    return reverse("profiles") + (f"?{urlencode({'next': onward})}" if onward else "")


def card_position(request: HttpRequest, title_id: int) -> CardPosition | None:
    """Return the position of the card that led here; None if the cookie is missing or invalid."""
    parts = request.COOKIES.get(FROM_COOKIE, "").split(":")
    if len(parts) != 4 or parts[0] != str(title_id):
        return None
    _, slate, row, slot = parts
    try:
        position = CardPosition(uuid.UUID(slate), row[:40], min(int(slot), 10_000))
        return position if position.slot >= 0 else None
    except ValueError:
        return None
