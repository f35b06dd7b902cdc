"""What a viewer's browser does over HTTP, and what it must find."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from processes import say

FEWEST_ROWS = 6
SECONDS = 20
WHOLE_HOME = "/?rows=all"
"""Home with all its rows; else those below come as one scrolls."""
QUERY, FOUND = "godfather", "The Godfather"
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"})
VOID |= {"source", "track", "wbr"}


class Surprise(Exception):
    """The site did not behave as it must."""


@dataclass
class Row:
    """One shelf of a page."""

    kind: str
    heading: str = ""
    titles: list[int] = field(default_factory=list)


class Page(HTMLParser):
    """What the check looks for in a page: rows, results, and where its forms go."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.names: dict[int, str] = {}
        """What the last link to a title says, in its label and its words."""
        self.results: list[str] = []
        self.actions: list[str] = []
        self.token = ""
        self._open: list[tuple[str, str]] = []
        """Tags we are inside, and the role of each: row, heading, result, drawing, a title."""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self._note(tag, has)
        if tag not in VOID:
            self._open.append((tag, self._role(tag, has)))

    def _note(self, tag: str, has: dict[str, str]) -> None:
        if tag == "section" and "row" in has.get("class", "").split():
            self.rows.append(Row(has.get("data-row", "")))
        elif tag == "a" and has.get("data-title", "").isdigit() and self._in_row():
            title = int(has["data-title"])
            self.rows[-1].titles.append(title)
            self.names[title] = has.get("aria-label", "")
        elif tag == "li" and "result" in has.get("class", "").split():
            self.results.append("")
        elif tag == "form":
            self.actions.append(has.get("action", ""))
        elif tag == "input" and has.get("name") == "csrfmiddlewaretoken":
            self.token = has.get("value", "")

    def _role(self, tag: str, has: dict[str, str]) -> str:
        classes = has.get("class", "").split()
        if tag == "section" and "row" in classes:
            return "row"
        if tag == "h2" and self._in_row():
            return "heading"
        if tag == "li" and "result" in classes:
            return "result"
        if tag == "a" and has.get("data-title", "").isdigit():
            return has["data-title"]
        return "drawing" if tag == "svg" else ""

    def _in_row(self) -> bool:
        return any(role == "row" for _, role in self._open)

    def handle_endtag(self, tag: str) -> None:
        tags = [name for name, _ in self._open]
        if tag in tags:
            del self._open[len(tags) - 1 - tags[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        roles = [role for _, role in self._open]
        if "drawing" in roles:
            return
        if "heading" in roles:
            self.rows[-1].heading = f"{self.rows[-1].heading} {data}".strip()
        elif link := next((role for role in roles if role.isdigit()), None):
            self.names[int(link)] = f"{self.names.get(int(link), '')} {data}".strip()
        if "result" in roles:
            self.results[-1] = f"{self.results[-1]} {data}".strip()

    def row(self, kind: str) -> Row | None:
        return next((row for row in self.rows if row.kind == kind), None)


class Browser:
    """Keeps cookies, follows redirects, sends the CSRF token as forms and scripts do."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._cookies)
        )

    def get(self, path: str) -> Page:
        return Page(self._ask(path))

    def submit(self, path: str, token: str, **fields: str) -> Page:
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        return Page(self._ask(path, body))

    def send(self, path: str, message: object) -> dict[str, object]:
        """POST as the page's script does."""
        headers = {"Content-Type": "application/json", "X-CSRFToken": self._cookie("csrftoken")}
        answer: dict[str, object] = json.loads(
            self._ask(path, json.dumps(message).encode(), headers)
        )
        return answer

    def _cookie(self, name: str) -> str:
        return next((cookie.value or "" for cookie in self._cookies if cookie.name == name), "")

    def _ask(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> str:
        address = urllib.parse.urljoin(self._address, path)
        request = urllib.request.Request(address, body, headers or {})  # noqa: S310  our own site
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            words = re.sub(r"<[^>]*>|\s+", " ", error.read().decode(errors="replace"))
            method = request.get_method()
            raise Surprise(f"{method} {path} answered {error.code}: {words[:300]}") from error
        except OSError as error:
            raise Surprise(f"{path} does not answer: {error}") from error


def status(address: str) -> int | None:
    """What the address answers, or None while nobody does; asked without any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


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
    say(f"check: logged in as {login} and chose a profile")


def look_at_rows(home: Page) -> None:
    filled = [row for row in home.rows if row.titles and row.heading]
    if len(filled) < FEWEST_ROWS:
        raise Surprise(
            f"home has {len(filled)} rows with a heading and titles, at least {FEWEST_ROWS} "
            f"expected: {[row.heading or row.kind for row in home.rows]}"
        )
    say(f"check: home has {len(filled)} rows: {', '.join(row.heading for row in filled)}")


def search(browser: Browser) -> None:
    results = browser.get(f"/search/?q={QUERY}").results
    if not results:
        raise Surprise(f"searching {QUERY!r} finds nothing")
    if not re.match(rf"{re.escape(FOUND)}(?!\s+part)\b", results[0], re.IGNORECASE):
        raise Surprise(f"searching {QUERY!r} puts {results[0]!r} first, not {FOUND}")
    say(f"check: searching {QUERY!r} puts {FOUND} first of {len(results)}")


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
    say(f"check: played title {title}; {len(events)} events were accepted")


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
    say(f"check: home changed, with {reason!r}")
