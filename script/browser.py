"""Act as a viewer's browser on a running demo, and raise where a page is not as it must be.

python script/browser.py ADDRESS LOGIN, in the demo's environment, with the password in
MARQUEE_CHECK_PASSWORD. Exits with 1 and the reason if the check fails.
"""

import json
import os
import re
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import requests
from processes import say
from selectolax.lexbor import LexborHTMLParser, LexborNode

MIN_ROWS = 6
TIMEOUT_SECONDS = 20
WHOLE_HOME = "/?rows=all"
"""Home with all its rows; else those below come as one scrolls."""
QUERY, EXPECTED = "godfather", "The Godfather"


class Surprise(Exception):
    """The site did not behave as it must."""


@dataclass
class Row:
    """One shelf of a page."""

    kind: str
    heading: str = ""
    titles: list[int] = field(default_factory=list)


class Page:
    """A page's rows, search results and forms.

    Attributes:
        rows: the shelves in order.
        names: by title, its last link's label and text.
        results: the search results' texts in order.
        actions: where the forms go.
        token: the forms' CSRF token.
    """

    def __init__(self, html: str) -> None:
        tree = LexborHTMLParser(html)
        for drawing in tree.css("svg"):
            drawing.decompose()
        self.rows = [_row(section) for section in tree.css("section.row")]
        self.names = {
            int(link.attributes["data-title"] or 0): (
                f"{link.attributes.get('aria-label') or ''} {_text(link)}".strip()
            )
            for link in tree.css("section.row a[data-title]")
        }
        self.results = [_text(result) for result in tree.css("li.result")]
        self.actions = [form.attributes.get("action") or "" for form in tree.css("form")]
        token = tree.css_first("input[name=csrfmiddlewaretoken]")
        self.token = (token.attributes.get("value") or "") if token else ""

    def row(self, kind: str) -> Row | None:
        return next((row for row in self.rows if row.kind == kind), None)


def _row(section: LexborNode) -> Row:
    heading = section.css_first("h2")
    titles = [int(link.attributes["data-title"] or 0) for link in section.css("a[data-title]")]
    kind = section.attributes.get("data-row") or ""
    return Row(kind, _text(heading) if heading else "", titles)


def _text(node: LexborNode) -> str:
    return " ".join(node.text(separator=" ").split())


class Browser:
    """Keeps cookies, follows redirects, sends the CSRF token as forms and scripts do."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy for our own site

    def get(self, path: str) -> Page:
        return Page(self._request("GET", path).text)

    def submit(self, path: str, token: str, **fields: str) -> Page:
        form = {"csrfmiddlewaretoken": token, **fields}
        return Page(self._request("POST", path, data=form).text)

    def send(self, path: str, message: object) -> dict[str, object]:
        """POST as the page's script does."""
        headers = {
            "Content-Type": "application/json",
            "X-CSRFToken": self._session.cookies.get("csrftoken") or "",
        }
        response = self._request("POST", path, data=json.dumps(message), headers=headers)
        answer: dict[str, object] = response.json()
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        data: dict[str, str] | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        address = urljoin(self._address, path)
        try:
            response = self._session.request(
                method, address, data=data, headers=headers, timeout=TIMEOUT_SECONDS
            )
        except requests.RequestException as error:
            raise Surprise(f"{path} does not answer: {error}") from error
        if not response.ok:
            text = re.sub(r"<[^>]*>|\s+", " ", response.text)
            raise Surprise(f"{method} {path} answered {response.status_code}: {text[:300]}")
        return response


def check(address: str, login: str, password: str) -> None:
    """Log in, look at home, search, play a title, and see home change because of it.

    Raises:
        Surprise: a page was not as it must be; the message says which and how.
    """
    browser = Browser(address)
    enter(browser, login, password)
    before = browser.get(WHOLE_HOME)
    look_at_rows(before)
    search(browser)
    title = title_to_play(before)
    play(browser, title)
    look_at_change(before, browser.get(WHOLE_HOME), title)


def enter(browser: Browser, login: str, password: str) -> None:
    """Log in and choose the account's first profile."""
    form = browser.get("/login/")
    browser.submit("/login/", form.token, username=login, password=password)
    page = browser.get("/profiles/")
    choices = [path for path in page.actions if re.fullmatch(r"/profiles/\d+/choose/", path)]
    if not choices:
        raise Surprise(f"after logging in as {login}, /profiles/ offers no profile to choose")
    browser.submit(choices[0], page.token)
    say(f"logged in as {login} and chose a profile")


def look_at_rows(home: Page) -> None:
    filled = [row for row in home.rows if row.titles and row.heading]
    if len(filled) < MIN_ROWS:
        raise Surprise(
            f"home has {len(filled)} rows with a heading and titles, at least {MIN_ROWS} "
            f"expected: {[row.heading or row.kind for row in home.rows]}"
        )
    say(f"home has {len(filled)} rows: {', '.join(row.heading for row in filled)}")


def search(browser: Browser) -> None:
    results = browser.get(f"/search/?q={QUERY}").results
    if not results:
        raise Surprise(f"searching {QUERY!r} finds nothing")
    if not re.match(rf"{re.escape(EXPECTED)}(?!\s+part)\b", results[0], re.IGNORECASE):
        raise Surprise(f"searching {QUERY!r} puts {results[0]!r} first, not {EXPECTED}")
    say(f"searching {QUERY!r} puts {EXPECTED} first of {len(results)}")


def title_to_play(home: Page) -> int:
    """The first of the top picks, or of any other row, that is not being watched already."""
    watching = home.row("continue_watching")
    started = set(watching.titles) if watching else set()
    rows = sorted(home.rows, key=lambda row: row.kind != "top_picks")
    fresh = (title for row in rows for title in row.titles if title not in started)
    title = next(fresh, None)
    if title is None:
        raise Surprise("home has no title that could be played for the first time")
    return title


def play(browser: Browser, title: int) -> None:
    """Open the title, play it, and watch ten minutes of a hundred."""
    now = datetime.now(UTC)
    kinds = ("open", "play", "progress")
    events = [
        {
            "id": str(uuid.uuid4()),
            "kind": kind,
            "title": title,
            "occurred_at": (now - timedelta(seconds=len(kinds) - n)).isoformat(),
            "surface": "home" if kind == "open" else "watch",
            "row": "top_picks" if kind == "open" else "",
            "slot": 0 if kind == "open" else None,
            **({"position_seconds": 600, "duration_seconds": 6000} if kind == "progress" else {}),
        }
        for n, kind in enumerate(kinds)
    ]
    answer = browser.send("/api/v1/events", {"events": events})
    if answer.get("accepted") != len(events):
        raise Surprise(f"of {len(events)} events not all were accepted: {answer}")
    say(f"played title {title}; {len(events)} events were accepted")


def look_at_change(before: Page, after: Page, title: int) -> None:
    """Home must have changed, hold the title to go on with, and give it as a reason."""
    if [(row.kind, row.titles) for row in before.rows] == [
        (row.kind, row.titles) for row in after.rows
    ]:
        raise Surprise("home did not change after a title was played")
    watching = after.row("continue_watching")
    if watching is None or title not in watching.titles:
        raise Surprise(f"title {title} was played and is not under continue_watching")
    headings = [row.heading for row in after.rows if row.kind == "because_watched"]
    name = after.names[title]
    reasons = (re.fullmatch(r"Because you watched (.+)", heading) for heading in headings)
    reason = next((match[0] for match in reasons if match and match[1] in name), None)
    if reason is None:
        raise Surprise(f"no because_watched row names {name!r}: {headings}")
    say(f"home changed, with {reason!r}")


if __name__ == "__main__":
    try:
        check(sys.argv[1], sys.argv[2], os.environ["MARQUEE_CHECK_PASSWORD"])
    except Surprise as surprise:
        sys.exit(f"the check failed: {surprise}")
