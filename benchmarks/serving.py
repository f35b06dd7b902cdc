"""Home pages under load: at least 80 % of what the cores allow, and how long each takes.

gunicorn as in production over the database and the artifacts that the environment names, such as
those of a demo (`. var/demo.env`), with a live release. 8 clients with profiles of their own ask
for the home page over HTTP: "paced", after a second's pause in the mean, or "back to back", as fast
as answers come, which fills the machine; every fifth time each opens a title before, whose answer
is not timed. "servers" asks back to back of gunicorn in several settings, in turns. Clients run on
the same machine, as threads of one process; a page's processor time is given by part, and holds the
title pages between. The profiles take over the ratings of imported ones, and are deleted with all
they did when it ends.
"""

import gzip
import os
import random
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import django
import numpy as np

from benchmarks.at_once import at_once
from benchmarks.harness import Options, Row, machine, say
from benchmarks.lean_client import LeanClient
from benchmarks.processor_time import Used, processor_time
from benchmarks.viewers import viewers
from benchmarks.web import web_server

CLIENTS = 8
REQUESTS, QUICK_REQUESTS, WARM_UP = 60, 20, 6
PAUSES = {"paced": 1.0, "back to back": 0.0}
"""Seconds in the mean before each page."""
SERVERS: dict[str, dict[str, str]] = {
    f"{threads} threads{name}": {"MARQUEE_WEB_THREADS": str(threads), **environment}
    for threads, name, environment in (
        (1, "", {}),
        (2, "", {}),
        (4, "", {}),
        (1, ", reuse_port", {"GUNICORN_CMD_ARGS": "--reuse-port"}),
        (2, ", reuse_port", {"GUNICORN_CMD_ARGS": "--reuse-port"}),
        (1, ", no keep-alive", {"GUNICORN_CMD_ARGS": "--keep-alive 0"}),
        (2, ", no keep-alive", {"GUNICORN_CMD_ARGS": "--keep-alive 0"}),
        (2, ", synchronous_commit off", {"PGOPTIONS": "-c synchronous_commit=off"}),
        (1, ", accepts when free", {"GUNICORN_CMD_ARGS": "--keep-alive 0 --worker-connections 1"}),
        (2, ", accepts when free", {"GUNICORN_CMD_ARGS": "--keep-alive 0 --worker-connections 2"}),
        (1, ", 4 processes", {"MARQUEE_WEB_PROCESSES": "4"}),
    )
}
"""What "servers" compares, beside the settings of production."""
OPENS_EVERY = 5
SEED = 7
PROCESS = {"OMP_NUM_THREADS": "1", "MARQUEE_SECURE": "0", "MARQUEE_LOG_LEVEL": "WARNING"}
PART = re.compile(r'(\w+);dur=([\d.]+)(?:;desc="(\d+) queries")?')
LINK = re.compile(rb'href="(/title/[^"]+)"')


def run(options: Options) -> Iterator[Row]:
    """Yield latencies, rate, processor time and stages of home pages."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    number = QUICK_REQUESTS if options.quick else REQUESTS
    for protocol, pause in PAUSES.items():
        if options.wants(protocol):
            yield from rows(protocol, measured({}, pause, number, options))
    if options.only == "servers":
        for name, environment in SERVERS.items():
            yield from rows(name, measured(environment, 0.0, number, options), with_stages=False)


@dataclass(frozen=True)
class Measured:
    """One load on one server.

    Attributes:
        took: milliseconds of each page.
        stages: the same of the stages that the server names, and queries.
        kilobytes: of a page, compressed.
        used: processor and wall time.
    """

    took: np.ndarray
    stages: dict[str, list[float]]
    kilobytes: float
    used: Used


def measured(
    environment: Mapping[str, str], pause: float, number: int, options: Options
) -> Measured:
    """Let every client ask for so many pages."""
    with (
        tempfile.TemporaryDirectory() as folder,
        viewers(CLIENTS, is_staff=True) as keys,
        web_server(Path(folder) / "web.log", PROCESS | dict(environment)) as server,
    ):
        say(f"{CLIENTS} clients, {number} pages each, load {os.getloadavg()[0]:.1f} before")
        clients = [Client(server.port, key, n, pause) for n, key in enumerate(keys)]
        visit_all(clients, WARM_UP)
        for client in clients:
            client.forget()
        with processor_time(server) as used:
            visit_all(clients, number)
    options.settings.update(clients=CLIENTS, seed=SEED, load=os.getloadavg())
    stages: dict[str, list[float]] = defaultdict(list)
    for client in clients:
        for name, values in client.stages.items():
            stages[name] += values
    took = np.array([ms for client in clients for ms in client.took])
    kilobytes = float(np.mean([client.size for client in clients])) / 1000
    return Measured(took, stages, kilobytes, used)


def rows(protocol: str, load: Measured, *, with_stages: bool = True) -> Iterator[Row]:
    """Yield the figures of one load."""
    pages, lasted = len(load.took), load.used.lasted
    for name, percent in (("p50 ms", 50), ("p99 ms", 99)):
        yield Row(protocol, "home", name, float(np.percentile(load.took, percent)))
    yield Row(protocol, "home", "pages a second", pages / lasted)
    for part, seconds in load.used.seconds.items():
        yield Row(protocol, part, "processor ms a page", 1000 * seconds / pages)
    if load.used.seconds:
        cores = machine()["cores"]
        share = sum(load.used.seconds.values()) / lasted / cores
        yield Row(protocol, "all parts", f"share of {cores} cores", share)
    if not with_stages:
        return
    yield Row(protocol, "home", "kB compressed", load.kilobytes)
    for name, values in load.stages.items():
        if name == "queries":
            yield Row(protocol, "home", "most queries", max(values))
        else:
            yield Row(protocol, f"stage {name}", "p50 ms", float(np.percentile(values, 50)))


def visit_all(clients: list["Client"], number: int) -> None:
    """Let all visit at once, until so many pages for each were answered, by whomever."""
    pages = iter(range(number * len(clients)))
    at_once([partial(client.visit, pages) for client in clients])


class Client:
    """One browser, and what it measured.

    Attributes:
        took: milliseconds of each page.
        stages: the same of each stage that the server names, and queries.
        size: bytes of the last page, compressed.
    """

    def __init__(self, port: int, session: str, seed: int, pause: float) -> None:
        cookies = {"sessionid": session}
        self._client = LeanClient(port, cookies, Accept_Encoding="gzip")
        self._rng = random.Random(SEED + seed)  # noqa: S311 - which titles are opened
        self._pause = pause
        self.forget()

    def forget(self) -> None:
        """Begin to measure anew."""
        self.took: list[float] = []
        self.stages: dict[str, list[float]] = defaultdict(list)
        self.size = 0

    def visit(self, pages: Iterator[int]) -> None:
        """Ask for home pages, one for each that is left of those of all clients."""
        page = b""
        try:
            for n, _ in enumerate(pages):
                if page and n % OPENS_EVERY == OPENS_EVERY - 1:
                    links = LINK.findall(gzip.decompress(page))
                    self._client.get(self._rng.choice(links).decode())
                if self._pause:
                    time.sleep(self._pause * self._rng.uniform(0.5, 1.5))
                page = self._home()
        finally:
            self._client.close()

    def _home(self) -> bytes:
        """Return the home page, compressed, and note how long it took."""
        began = time.perf_counter()
        answer = self._client.get("/")
        self.took.append(1000 * (time.perf_counter() - began))
        self.size = len(answer.body)
        for name, ms, queries in PART.findall(answer.header("Server-Timing")):
            self.stages[name].append(float(ms))
            if queries:
                self.stages["queries"].append(float(queries))
        return answer.body
