"""A keystroke is answered in time: /api/v1/suggest through the web server, 8 clients typing.

demo     the demo's 17,472 films and the people who rated them, a release trained on their ratings
large    IMDb's films beside them, 60,000 in all; who plays in those is made up

Each client has a visit of its own and types names of films at a person's pace, one in ten with a
mistake; a keystroke waits for the answer before. Milliseconds are counted from a request's first
byte to the answer's last, and beside them the processor time that the web processes and the
database's took for an answer. The database is made for it on the server of DATABASE_URL.
"""

import http.client
import random
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.cookiejar import CookieJar
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.at_once import at_once
from benchmarks.databases import database
from benchmarks.harness import Options, Row, peak_mb, say
from benchmarks.search_data import documents
from benchmarks.site import PASSWORD, TOKEN, Site

SEED = 7
CLIENTS = 8
SECONDS, QUICK_SECONDS, WARM_SECONDS = 60.0, 15.0, 10.0
GAP_SECONDS, GAP_SPREAD, SHORTEST_GAP_SECONDS = 0.18, 0.4, 0.06
"""Between keystrokes: the median, the spread of its logarithm, and the box's own patience."""
MISTAKEN = 0.1
LONGEST = 20
LARGE = 60_000
NAME = "marquee_benchmark_suggest"


def run(options: Options) -> Iterator[Row]:
    """Yield milliseconds and processor time of an answer, on each catalogue."""
    options.settings.update(seed=SEED, clients=CLIENTS, processes=2, keystroke_gap=GAP_SECONDS)
    has_films = all((options.data / n).exists() for n in ("ggplot2movies", "wikipedia-movies"))
    if options.wants("large") and not has_films:
        say(f"large: left out, ggplot2movies or wikipedia-movies is not in {options.data}")
    with database(NAME) as address, tempfile.TemporaryDirectory() as home:
        site = Site(address, Path(home))
        site.prepare()
        if options.wants("demo"):
            yield from measure("demo", site, options)
        if options.wants("large") and has_films:
            site.load(films(options.data, LARGE - len(site.names())))
            yield from measure("large", site, options)


def measure(protocol: str, site: "Site", options: Options) -> Iterator[Row]:
    names = site.names()
    with site.running() as server:
        clients = [Client(server.port, number, names) for number in range(CLIENTS)]
        type_all(clients, WARM_SECONDS)
        with site.processor_time(server) as used:
            took = type_all(clients, QUICK_SECONDS if options.quick else SECONDS)
        peak = max((peak_mb(pid) for pid in server.workers()), default=None)
    say(f"{protocol}: {len(took)} answers, {len(names)} films")
    for share in (50, 99):
        value = float(np.percentile(took, share)) * 1000
        yield Row(protocol, "/api/v1/suggest", f"p{share}_ms", value, peak_mb=peak)
    for part, spent in used.seconds.items():
        yield Row(protocol, "/api/v1/suggest", f"{part}_processor_ms", spent / len(took) * 1000)


def films(data: Path, number: int) -> Iterator[dict[str, Any]]:
    """Yield so many films of the search benchmark, as lines of a catalogue."""
    for film in islice(documents(data), number):
        yield {
            "external_id": f"film-{film.id}",
            "name": film.name,
            "year": film.year,
            "genres": list(film.genres),
            "cast": list(film.people),
            "plot": film.plot,
        }


class Client:
    """Someone who types: with the taste of one of the demo's three people, or with none yet."""

    def __init__(self, port: int, number: int, names: list[str]) -> None:
        self._rng = random.Random(SEED * 1000 + number)  # noqa: S311
        self._names = names
        self._jar = CookieJar()
        self._address = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._opener.addheaders = [
            ("X-Marquee-Simulation", TOKEN), ("User-Agent", "Mozilla/5.0 (X11) Typing/1.0"),
        ]  # fmt: skip
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        if number < CLIENTS - 1:
            self._log_in(number % 4)
        home = self._get("/")
        for link in dict.fromkeys(home.split('href="/title/')[1:4]):
            self._get("/title/" + link.partition('"')[0])

    def type(self, seconds: float) -> list[float]:
        """Type names for so long; return the seconds that each answer took."""
        took, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            text = self._text()
            due = time.monotonic()
            for length in range(1, len(text) + 1):
                time.sleep(max(0.0, due - time.monotonic()))
                took.append(self._suggest(text[:length]))
                due = max(due + self._gap(), time.monotonic())
        return took

    def _text(self) -> str:
        text = self._rng.choice(self._names)[:LONGEST]
        if len(text) > 4 and self._rng.random() < MISTAKEN:
            place = self._rng.randrange(1, len(text) - 1)
            text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        return text

    def _gap(self) -> float:
        return max(SHORTEST_GAP_SECONDS, GAP_SECONDS * self._rng.lognormvariate(0, GAP_SPREAD))

    def _suggest(self, text: str) -> float:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)
        headers = {
            "Cookie": cookies, "X-Marquee-Simulation": TOKEN, "Accept-Encoding": "gzip",
            "User-Agent": "Mozilla/5.0 (X11) Typing/1.0",
        }  # fmt: skip
        began = time.perf_counter()
        address = f"/api/v1/suggest?{urllib.parse.urlencode({'q': text})}"
        self._connection.request("GET", address, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(f"{address} was answered {answer.status}: {body[:500]!r}")
        return took

    def _log_in(self, profile: int) -> None:
        self._get("/login/")
        self._post("/login/", {"username": "viewer", "password": PASSWORD})
        page = self._get("/profiles/")
        chosen = [part.partition("/choose/")[0] for part in page.split('action="/profiles/')[1:]]
        numbers = [number for number in dict.fromkeys(chosen) if number.isdigit()]
        self._post(f"/profiles/{numbers[profile % len(numbers)]}/choose/", {})

    def _get(self, path: str) -> str:
        with self._opener.open(self._address + path, timeout=60) as answer:
            return str(answer.read().decode())

    def _post(self, path: str, fields: dict[str, str]) -> None:
        token = next(cookie.value for cookie in self._jar if cookie.name == "csrftoken")
        data = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": token or ""}).encode()
        self._opener.open(self._address + path, data, timeout=60).close()


def type_all(clients: list[Client], seconds: float) -> list[float]:
    """Let all type at once; return every answer's seconds."""
    took = at_once([partial(client.type, seconds) for client in clients])
    return [second for of_one in took for second in of_one]
