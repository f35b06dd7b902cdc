"""The whole home response under load: p50 at most 30 ms, p99 at most 80 ms, at most 12 queries.

gunicorn as in production over the database and the artifacts that the
environment names, such as those of a demo (`. var/demo.env`), with a live release. 8 clients with
profiles of their own ask for the home page over HTTP: "paced", after a second's pause in the mean,
or "back to back", as fast as answers come, which fills the machine; every fifth
time each opens a title before, which is not timed. Clients run on the same machine. The profiles
take over the ratings of imported ones, and are deleted with all they did when it ends.
"""

import gzip
import os
import random
import re
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import django
import numpy as np

from benchmarks.harness import Options, Row, say
from benchmarks.viewers import viewers
from benchmarks.web import web_server

CLIENTS = 8
REQUESTS, WARM_UP = 60, 6
PAUSES = {"paced": 1.0, "back to back": 0.0}
"""Seconds in the mean before each page."""
OPENS_EVERY = 5
SEED = 7
PROCESS = {"OMP_NUM_THREADS": "1", "MARQUEE_SECURE": "0"}
PART = re.compile(r'(\w+);dur=([\d.]+)(?:;desc="(\d+) queries")?')


def run(options: Options) -> Iterator[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    number = 20 if options.quick else REQUESTS
    for protocol, pause in PAUSES.items():
        if options.wants(protocol):
            yield from _measure(protocol, pause, number, options)


def _measure(protocol: str, pause: float, number: int, options: Options) -> Iterator[Row]:
    with (
        tempfile.TemporaryDirectory() as folder,
        viewers(CLIENTS, is_staff=True) as keys,
        web_server(Path(folder) / "web.log", PROCESS) as server,
    ):
        say(f"{CLIENTS} clients, {number} pages each, load {os.getloadavg()[0]:.1f} before")
        began = time.perf_counter()
        clients = [_Client(server.port, f"sessionid={key}", n, pause) for n, key in enumerate(keys)]
        threads = [threading.Thread(target=each.visit, args=(number,)) for each in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lasted = time.perf_counter() - began
    failed = [each.trouble for each in clients if each.trouble]
    if failed:
        raise SystemExit(f"a client failed: {failed[0]}")
    took = np.array([ms for each in clients for ms in each.took])
    stages: dict[str, list[float]] = defaultdict(list)
    for each in clients:
        for name, values in each.stages.items():
            stages[name] += values
    options.settings.update(
        clients=CLIENTS, requests=len(took), seed=SEED, load=os.getloadavg(), lasted=lasted
    )
    for name, percent in (("p50 ms", 50), ("p99 ms", 99)):
        yield Row(protocol, "home", name, float(np.percentile(took, percent)))
    yield Row(protocol, "home", "pages a second", len(took) / lasted)
    yield Row(protocol, "home", "kB compressed", float(np.mean([e.size for e in clients])) / 1000)
    for name, values in stages.items():
        if name == "queries":
            yield Row(protocol, "home", "most queries", max(values))
        else:
            yield Row(protocol, f"stage {name}", "p50 ms", float(np.percentile(values, 50)))


class _Client:
    """One browser: its cookies, and what it measured."""

    def __init__(self, port: int, cookie: str, seed: int, pause: float) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._jar = dict([cookie.split("=", 1)])
        self._rng = random.Random(SEED + seed)  # noqa: S311 - which titles are opened
        self._pause = pause
        self.took: list[float] = []
        self.stages: dict[str, list[float]] = defaultdict(list)
        self.size = 0
        self.trouble = ""

    def visit(self, number: int) -> None:
        try:
            page = ""
            for n in range(WARM_UP + number):
                if n % OPENS_EVERY == OPENS_EVERY - 1:
                    links = re.findall(r'href="(/title/[^"]+)"', page)
                    self._get(self._rng.choice(links))
                if self._pause:
                    time.sleep(self._pause * self._rng.uniform(0.5, 1.5))
                began = time.perf_counter()
                page, timing = self._get("/")
                ms = 1000 * (time.perf_counter() - began)
                if n >= WARM_UP:
                    self.took.append(ms)
                    self._note(timing)
        except Exception as error:
            self.trouble = f"{type(error).__name__}: {error}"

    def _note(self, timing: str) -> None:
        for name, ms, queries in PART.findall(timing):
            self.stages[name].append(float(ms))
            if queries:
                self.stages["queries"].append(float(queries))

    def _get(self, address: str) -> tuple[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._jar.items())
        headers = {
            "Cookie": cookies,
            "User-Agent": "Mozilla/5.0 (X11; Linux)",
            "Accept-Encoding": "gzip",
        }
        self._connection.request("GET", address, headers=headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{address} answered {response.status}")
        for value in response.headers.get_all("Set-Cookie", []):
            name, _, rest = value.partition("=")
            self._jar[name] = rest.partition(";")[0]
        if address == "/":
            self.size = len(body)
        return gzip.decompress(body).decode(), response.headers.get("Server-Timing", "")
