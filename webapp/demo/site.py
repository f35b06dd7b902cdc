"""A simulated viewer's browser: real HTTP with cookies and events, no scripts, no pictures."""

import http.client
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from webapp.events.clock import NOW_HEADER, TOKEN_HEADER

SECONDS = 120
OK = 200
CSRF = "s" * 32
"""Both halves of the pair that Django compares; a browser is given it, this one makes it."""
TAG = re.compile(r"<[a-z]+ [^>]*\bdata-(?:slate|row|of-row|title)=[^>]*>")
MORE = re.compile(r'<div class="more-rows" hx-get="([^"]*)"')
ATTRIBUTE = re.compile(r'\bdata-([a-z-]+)="([^"]*)"')


class SiteError(Exception):
    """The site does not answer, or not as it should."""


@dataclass(frozen=True)
class Card:
    """A title in a row of a page."""

    title: int
    slate: str
    surface: str
    row: str
    slot: int
    query: str = ""


@dataclass(frozen=True)
class Shown:
    """A page: its rows from the top, each its cards from the first, and where to ask for more."""

    rows: list[list[Card]]
    more: str = ""


class Wire:
    """A connection to a running server, kept open; several viewers use it one after the other."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        """Return the answer and its text.

        What was kept open may be closed by the server, so a failure is tried once more; the ids
        of events make that safe.

        Raises:
            SiteError: nobody answers.
        """
        try:
            return self._ask(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            self.close()
        try:
            return self._ask(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise SiteError(f"{self.address} does not answer: {error}") from error

    def _ask(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        if self._connection is None:
            host = urlsplit(self.address).netloc
            self._connection = http.client.HTTPConnection(host, timeout=SECONDS)
        self._connection.request(method, path, body, dict(headers))
        answer = self._connection.getresponse()
        return answer, answer.read().decode()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@dataclass
class Site:
    """One viewer's browser: its name, its cookies.

    Attributes:
        wire: what it asks over.
        token: what lets a simulated viewer in.
        browser: the name it goes by.
        session: Django's session of the account; empty for a stranger.
    """

    wire: Wire
    token: str
    browser: str
    session: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def look(
        self, path: str, now: datetime, *, query: str = "", as_fragment: bool = False
    ) -> Shown:
        """Get a page and what is on it, or the fragment that typing or scrolling asks for."""
        headers = {"HX-Request": "true", "HX-Current-URL": self.wire.address} if as_fragment else {}
        target = f"{path}?q={quote(query)}" if query else path
        return shown_in(self._ask("GET", target, now, headers))

    def open(self, path: str, card: Card | None, now: datetime) -> Shown:
        """Go to a title's page, telling where its card stood as the page's script would."""
        came_from = ""
        if card is not None:
            came_from = f"marquee_from={card.title}:{card.slate}:{card.row}:{card.slot}"
        return shown_in(self._ask("GET", path, now, {}, came_from))

    def tell(self, events: list[dict[str, Any]], now: datetime) -> None:
        """Send events; every one must be taken."""
        body = json.dumps({"events": [{"id": str(uuid.uuid4()), **event} for event in events]})
        headers = {"Content-Type": "application/json", "X-CSRFToken": CSRF}
        answer = json.loads(self._ask("POST", "/api/v1/events", now, headers, body=body))
        if answer["accepted"] != len(events):
            raise SiteError(f"of {len(events)} events not all were taken: {answer}")

    def _ask(
        self,
        method: str,
        path: str,
        now: datetime,
        headers: Mapping[str, str],
        more_cookies: str = "",
        body: str | None = None,
    ) -> str:
        sent = {
            TOKEN_HEADER: self.token,
            NOW_HEADER: now.isoformat(),
            "User-Agent": self.browser,
            "Cookie": "; ".join(filter(None, [*self._pairs(), more_cookies])),
            **headers,
        }
        answer, text = self.wire.ask(method, path, body, sent)
        if answer.status != OK:
            raise SiteError(f"{method} {path} answered {answer.status}: {text[:300]}")
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return text

    def _pairs(self) -> list[str]:
        own = {"csrftoken": CSRF, "sessionid": self.session}
        return [f"{name}={value}" for name, value in (self.cookies | own).items() if value]


def shown_in(html: str) -> Shown:
    """Read the rows and cards out of a page, by the attributes that its own script reads."""
    page: dict[str, str] = {}
    rows: list[list[Card]] = []
    row = ""
    for tag in TAG.findall(html):
        has = dict(ATTRIBUTE.findall(tag))
        if "slate" in has:
            page = has
        elif "title" in has and "slot" in has and page:
            if not rows:
                rows.append([])
            rows[-1].append(
                Card(
                    int(has["title"]), page["slate"], page.get("surface", ""), row,
                    int(has["slot"]), page.get("query", ""),
                )
            )  # fmt: skip
        elif "row" in has or "of-row" in has:
            row = has.get("row") or has["of-row"]
            rows.append([])
    more = MORE.search(html)
    return Shown([cards for cards in rows if cards], more[1] if more else "")
