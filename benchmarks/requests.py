"""Processor time of each kind of answer, in one process, as multiples of an empty view's.

"empty, with the user" reads the session's user and nothing else. Every answer passes the whole WSGI
application, middleware and all, over the database and the artifacts that the environment names,
such as those of a demo (`. var/demo.env`), with a live release. The viewer is a profile of its own
with an imported one's ratings. Kinds are measured in turns, and each figure is the median of the
rounds, a visit each. Work after an answer has left counts towards it. Kinds "after an open" pay for
the evidence that an event has changed; the others repeat what did not change, except where the page
itself records an event (title, search). Throttles are left out (the viewer is a simulated one),
except for "keystroke, throttled".
"""

import gzip
import itertools
import json
import os
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import django
import numpy as np
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from benchmarks.harness import Options, Row
from benchmarks.viewers import viewers

ROUNDS, QUICK_ROUNDS, EACH = 15, 5, 8
SEED = 7
TOKEN = "a-benchmark-asks-faster-than-a-limit-allows"  # noqa: S105  of this process alone
TEXTS = ("godfather", "matrix", "horror 1980s", "woody allen", "toy story", "alien", "casablanca")
STAGES = ("events", "taste", "retrieve", "rank", "page", "slate", "render", "db", "total")
STAGE = re.compile(r'(\w+);dur=([\d.]+)(?:;desc="(\d+) queries")?')
CARD = re.compile(r'href="(/title/(\d+)/[^"]+)"')
SLATE = re.compile(r'data-slate="([^"]+)"')
REFRESHED = (
    "webapp.engine.live.holder",
    "webapp.experiments.running.running",
    "webapp.rules.search_rules.search_rules",
    "webapp.events.popular_plays.played_today",
    "webapp.events.searches.trending",
)
"""What a poller of a web process keeps at hand."""
BASELINE = "empty, with the user"


@dataclass(frozen=True)
class Asked:
    """A request: method, address, and the body as JSON if it has one."""

    address: str
    body: Any = None


@dataclass(frozen=True)
class Answered:
    """What came of a request, and the processor time until the process was idle again."""

    text: str
    size: int
    timing: str
    seconds: float


@dataclass
class Kind:
    """One kind of answer.

    Attributes:
        name: in the table.
        make: returns the next request.
        prepare: what is done before each, untimed.
        is_throttled: whether the rate limits count it.
        took: processor milliseconds an answer, one figure a round.
        stages: milliseconds of wall time by stage, a figure for each answer.
    """

    name: str
    make: Callable[[], Asked]
    prepare: Callable[[], object] = lambda: None
    is_throttled: bool = False
    took: list[float] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)


def run(options: Options) -> Iterator[Row]:
    """Yield processor time, queries, bytes and stages by kind of answer."""
    prepare()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    options.settings.update(rounds=rounds, answers_a_round=EACH, seed=SEED, load=os.getloadavg())
    with viewers(1, is_staff=True, skipped=80) as keys:
        browser = Browser(keys[0])
        kinds = [kind for kind in kinds_of(browser) if options.wants(kind.name) or is_base(kind)]
        measure_in_turns(browser, kinds, rounds)
    yield from rows(kinds)


def measure_in_turns(browser: "Browser", kinds: list[Kind], rounds: int) -> None:
    """Add a figure of each kind for each round, after one that does not count."""
    for number in range(-1, rounds):
        browser.begin_visit()
        for kind in kinds:
            measure(browser, kind, is_warm_up=number < 0)


def milliseconds(kind: Kind) -> tuple[float, float, float]:
    """Return the median of a kind's rounds, and their quartiles."""
    ms, low, high = np.percentile(kind.took, (50, 25, 75)).tolist()
    return ms, low, high


def is_base(kind: Kind) -> bool:
    return kind.name == BASELINE


def rows(kinds: list[Kind]) -> Iterator[Row]:
    empty, *_ = milliseconds(next(kind for kind in kinds if is_base(kind)))
    for kind in kinds:
        ms, low, high = milliseconds(kind)
        yield Row(kind.name, "processor", "ms", ms, low, high)
        yield Row(kind.name, "processor", "times the empty view", ms / empty)
        yield Row(kind.name, "database", "most queries", max(kind.queries, default=0))
        yield Row(kind.name, "answer", "bytes", float(np.median(kind.sizes)))
        for name in STAGES:
            if name in kind.stages:
                yield Row(kind.name, name, "wall ms", float(np.median(kind.stages[name])))


def prepare() -> None:
    """Set Django up as production does, but for hashed static files and limits that end a run."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    os.environ |= {"MARQUEE_SIMULATION_TOKEN": TOKEN, "MARQUEE_SECURE": "0"}
    settings.ROOT_URLCONF = "benchmarks.requests_urls"
    settings.LOGGING["root"]["level"] = "WARNING"  # type: ignore[index]
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    rates.update(dict.fromkeys(rates, "1000000/min"))
    django.setup()
    import_string("webapp.engine.live.limit_threads")()
    for name in REFRESHED:
        value = import_string(name)
        value.is_polled = True
        value.refresh()
    if import_string(REFRESHED[0]).get().recommender is None:
        raise SystemExit("no release is live: load the demo and train one")
    import_string("webapp.engine.polling.exempt_from_garbage_collection")()


def measure(browser: "Browser", kind: Kind, *, is_warm_up: bool) -> None:
    """Add one round."""
    seconds = 0.0
    for _ in range(EACH):
        kind.prepare()
        answered = browser.ask(kind.make(), is_throttled=kind.is_throttled)
        seconds += answered.seconds
        if is_warm_up:
            continue
        kind.sizes.append(answered.size)
        for name, ms, queries in STAGE.findall(answered.timing):
            kind.stages.setdefault(name, []).append(float(ms))
            if queries:
                kind.queries.append(int(queries))
    if not is_warm_up:
        kind.took.append(1000 * seconds / EACH)


def kinds_of(browser: "Browser") -> list[Kind]:
    """Return the kinds in the order of the table."""
    texts = itertools.cycle(TEXTS)
    typed = Asked(f"/api/v1/suggest?{urlencode({'q': 'godf'})}")
    return [
        Kind("empty", lambda: Asked("/benchmark/empty")),
        Kind(BASELINE, lambda: Asked("/benchmark/user")),
        Kind("keystroke", lambda: typed),
        Kind("keystroke, throttled", lambda: typed, is_throttled=True),
        Kind("keystroke, after an open", lambda: typed, browser.open_one),
        Kind("before a query", lambda: Asked("/api/v1/suggest")),
        Kind("home, first rows", lambda: Asked("/")),
        Kind("home, after an open", lambda: Asked("/"), browser.open_one),
        Kind("rows below", lambda: Asked(f"/rows/{browser.slate}/"), browser.go_home),
        Kind("title page", lambda: Asked(browser.card()[0])),
        Kind("search page", lambda: Asked(f"/search/?{urlencode({'q': next(texts)})}")),
        Kind("1 event", lambda: Asked("/api/v1/events", browser.batch(1))),
        Kind("50 events", lambda: Asked("/api/v1/events", browser.batch(50))),
    ]


class Browser:
    """One viewer's browser: cookies, and the home page it was shown last."""

    def __init__(self, session_key: str) -> None:
        self._application = get_wsgi_application()
        self._jar = {"sessionid": session_key}
        self._rng = random.Random(SEED)  # noqa: S311 - which titles are opened
        self._cards: list[tuple[str, str]] = []
        self.slate = ""

    def begin_visit(self) -> None:
        """Let the next visit begin: its home page, one open, and the page after it."""
        self._jar.pop("marquee_visit", None)
        self.go_home()
        self.open_one()
        self.go_home()

    def go_home(self) -> None:
        page = self.ask(Asked("/")).text
        self._cards, self.slate = CARD.findall(page), SLATE.findall(page)[0]

    def card(self) -> tuple[str, str]:
        """Return address and number of a title on the page."""
        return self._rng.choice(self._cards)

    def open_one(self) -> None:
        """Record that a title was opened."""
        self.ask(Asked("/api/v1/events", self.batch(1)))

    def batch(self, number: int) -> dict[str, Any]:
        """Return events of the page: one open, the others impressions."""
        now = datetime.now(UTC).isoformat()
        return {
            "events": [
                {
                    "id": str(uuid.uuid4()),
                    "kind": "impression" if n else "open",
                    "title": int(self.card()[1]),
                    "occurred_at": now,
                    "surface": "home",
                    "slate": self.slate,
                    "row": "top_picks",
                    "slot": n % 20,
                }
                for n in range(number)
            ]
        }

    def ask(self, asked: Asked, *, is_throttled: bool = False) -> Answered:
        """Return the answer.

        Raises:
            RuntimeError: it is none of success.
        """
        environ = self._environ(asked, is_throttled=is_throttled)
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            started.extend((status, headers))

        began = time.process_time()
        response = self._application(environ, start)
        body = b"".join(response)
        response.close()
        seconds = time.process_time() - began
        status, headers = started
        if not status.startswith("200"):
            raise RuntimeError(f"{asked.address} was answered {status}: {body[:500]!r}")
        timing = ""
        for name, value in headers:
            if name == "Set-Cookie":
                cookie, _, rest = value.strip().partition("=")
                self._jar[cookie] = rest.partition(";")[0]
            timing = value if name == "Server-Timing" else timing
        is_zipped = ("Content-Encoding", "gzip") in headers
        text = (gzip.decompress(body) if is_zipped else body).decode()
        return Answered(text, len(body), timing, seconds)

    def _environ(self, asked: Asked, *, is_throttled: bool) -> dict[str, Any]:
        path, _, query = asked.address.partition("?")
        body = b"" if asked.body is None else json.dumps(asked.body).encode()
        environ = {
            "REQUEST_METHOD": "GET" if asked.body is None else "POST",
            "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost",
            "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux)", "HTTP_ACCEPT_ENCODING": "gzip",
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self._jar.items()),
            "CONTENT_TYPE": "application/json" if body else "", "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(), "wsgi.multithread": True, "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }  # fmt: skip
        if body:
            environ["HTTP_X_CSRFTOKEN"] = self._jar.get("csrftoken", "")
        if not is_throttled:
            environ["HTTP_X_MARQUEE_SIMULATION"] = TOKEN
        return environ
