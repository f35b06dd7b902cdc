"""HTTP client of a simulated viewer: paths and events go in, the rows of pages come out.

It keeps cookies and sends events as a browser does, but runs no scripts and loads no images.
"""

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

TIMEOUT_SECONDS = 120
OK = 200
CSRF = "s" * 32
"""Value of both the CSRF cookie and the CSRF header, which Django compares."""
TAG = re.compile(r"<[a-z]+ [^>]*\bdata-(?:slate|row|of-row|title)=[^>]*>")
MORE_ROWS = re.compile(r'<div class="more-rows" hx-get="([^"]*)"')
ATTRIBUTE = re.compile(r'\bdata-([a-z-]+)="([^"]*)"')


class SiteError(Exception):
    """The site does not answer, or answers with an error."""


@dataclass(frozen=True)
class Card:
    """A title in a slot of a row of a page."""

    title: int
    slate: str
    surface: str
    row: str
    slot: int
    query: str = ""


@dataclass(frozen=True)
class Page:
    """The rows of a page from the top, and the path of its further rows, if any."""

    rows: list[list[Card]]
    more: str = ""


class Connection:
    """A kept-alive connection to the site; several viewers use it one after the other."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        """Return the response and its text.

        The server may have closed the connection, so a failure is retried once; event ids make
        that safe.

        Raises:
            SiteError: The server does not answer.
        """
        try:
            return self._request(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            self.close()
        try:
            return self._request(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise SiteError(f"{self.address} does not answer: {error}") from error

    def _request(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, str]:
        if self._connection is None:
            host = urlsplit(self.address).netloc
            self._connection = http.client.HTTPConnection(host, timeout=TIMEOUT_SECONDS)
        self._connection.request(method, path, body, dict(headers))
        response = self._connection.getresponse()
        return response, response.read().decode()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@dataclass
class Site:
    """The site as one viewer's browser reaches it.

    Attributes:
        connection: May be shared with other viewers, one after the other.
        token: `MARQUEE_SIMULATION_TOKEN`.
        user_agent: Sent with every request.
        session: Django's session key; empty for an anonymous visitor.
    """

    connection: Connection
    token: str
    user_agent: str
    session: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def load(self, path: str, now: datetime, *, query: str = "", as_fragment: bool = False) -> Page:
        """Load a page, or the fragment that typing or scrolling requests."""
        headers = (
            {"HX-Request": "true", "HX-Current-URL": self.connection.address} if as_fragment else {}
        )
        target = f"{path}?q={quote(query)}" if query else path
        return parse_page(self._request("GET", target, now, headers))

    def open(self, path: str, card: Card | None, now: datetime) -> Page:
        """Load a title's page, with the card's position in the cookie that the script would set."""
        cookie = ""
        if card is not None:
            cookie = f"marquee_from={card.title}:{card.slate}:{card.row}:{card.slot}"
        return parse_page(self._request("GET", path, now, {}, cookie))

    def send(self, events: list[dict[str, Any]], now: datetime) -> None:
        """Send events.

        Raises:
            SiteError: The site did not accept all of them.
        """
        body = json.dumps({"events": [{"id": str(uuid.uuid4()), **event} for event in events]})
        headers = {"Content-Type": "application/json", "X-CSRFToken": CSRF}
        report = json.loads(self._request("POST", "/api/v1/events", now, headers, body=body))
        if report["accepted"] != len(events):
            raise SiteError(f"not all of {len(events)} events were accepted: {report}")

    def _request(
        self,
        method: str,
        path: str,
        now: datetime,
        headers: Mapping[str, str],
        extra_cookie: str = "",
        body: str | None = None,
    ) -> str:
        all_headers = {
            TOKEN_HEADER: self.token,
            NOW_HEADER: now.isoformat(),
            "User-Agent": self.user_agent,
            "Cookie": "; ".join(filter(None, [*self._cookies(), extra_cookie])),
            **headers,
        }
        response, text = self.connection.request(method, path, body, all_headers)
        if response.status != OK:
            raise SiteError(f"{method} {path} answered {response.status}: {text[:300]}")
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return text

    def _cookies(self) -> list[str]:
        """Return `name=value` of every cookie with a value."""
        own = {"csrftoken": CSRF, "sessionid": self.session}
        return [f"{name}={value}" for name, value in (self.cookies | own).items() if value]


def parse_page(html: str) -> Page:
    """Parse the rows and cards of a page by the data attributes that its own script reads."""
    slate: dict[str, str] = {}
    rows: list[list[Card]] = []
    row = ""
    for tag in TAG.findall(html):
        attributes = dict(ATTRIBUTE.findall(tag))
        if "slate" in attributes:
            slate = attributes
        elif "title" in attributes and "slot" in attributes and slate:
            if not rows:
                rows.append([])
            rows[-1].append(
                Card(
                    int(attributes["title"]), slate["slate"], slate.get("surface", ""), row,
                    int(attributes["slot"]), slate.get("query", ""),
                )
            )  # fmt: skip
        elif "row" in attributes or "of-row" in attributes:
            row = attributes.get("row") or attributes["of-row"]
            rows.append([])
    more = MORE_ROWS.search(html)
    return Page([cards for cards in rows if cards], more[1] if more else "")
