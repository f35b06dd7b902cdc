"""A crowd of 64 is served within 2 s or refused at once, and probes are answered within 100 ms.

A small site is made on the server of DATABASE_URL and served by gunicorn as in production (two
processes, admission as shipped, page limits raised). 64 logged-in clients ask for home back to
back, refused or not, while 8 slow connections each send a header's bytes one at a time, one a
second, and `/healthz` is asked on a connection of its own every 100 ms, from another process than
the clients'. Clients run on the same machine, as threads of one process, and what they wait for
each other counts as the answer's time.
"""

import contextlib
import os
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np

from benchmarks.at_once import at_once
from benchmarks.databases import database
from benchmarks.harness import Options, Row, in_own_process, say
from benchmarks.lean_client import LeanClient
from benchmarks.site import Site
from benchmarks.small_site import prepare
from benchmarks.viewers import viewers

NAME = "marquee_benchmark_crowd"
CLIENTS, SLOW = 64, 8
SECONDS, QUICK_SECONDS = 20.0, 5.0
WARM_UP = 3
"""Pages of each client, in turn, before the crowd comes."""
PROBE_EVERY_SECONDS, BYTE_EVERY_SECONDS = 0.1, 1.0
STARTS_IN_SECONDS = 5.0
"""In which the prober's process is up."""
HEALTH_MS, SERVED_MS = 100.0, 2000.0
"""The bars."""
SHIPPED = ("MARQUEE_WEB_REQUESTS", "MARQUEE_WEB_WAITING", "MARQUEE_WEB_THREADS")
"""Left as they are shipped, whatever this process's environment says."""
SLOW_HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "


@dataclass
class Heard:
    """Answers, or what came in their place.

    Attributes:
        took: milliseconds of each, by status, or by the name of what broke.
        without_retry: answers with 503 that do not say when to try again.
    """

    took: dict[str, list[float]] = field(default_factory=dict)
    without_retry: int = 0

    def note(self, status: str, began: float) -> None:
        """Count one that has just come."""
        self.took.setdefault(status, []).append(1000 * (time.monotonic() - began))

    def count(self) -> Counter[str]:
        return Counter({status: len(took) for status, took in self.took.items()})

    def percentile(self, status: str, percent: float) -> float:
        """Return milliseconds; NaN where nothing came with the status."""
        took = self.took.get(status)
        return float(np.percentile(took, percent)) if took else float("nan")


@dataclass(frozen=True)
class Crowd:
    """What came of one.

    Attributes:
        dropped: slow connections that the server ended, each of which was made anew.
    """

    home: Heard
    health: Heard
    dropped: int


def run(options: Options) -> Iterator[Row]:
    """Yield what the crowd, and who probed meanwhile, were answered; say which bars are met."""
    seconds = QUICK_SECONDS if options.quick else SECONDS
    for name in SHIPPED:
        os.environ.pop(name, None)
    with database(NAME) as address, tempfile.TemporaryDirectory() as home:
        site = Site(address, Path(home))
        site.enter()
        prepare(site, Path(home))
        with viewers(CLIENTS, is_staff=False, stride=1) as sessions, site.running() as server:
            warm_up(server.port, sessions)
            load = os.getloadavg()
            say(f"{len(sessions)} clients, {SLOW} slow connections, load {load[0]:.1f} before")
            options.settings.update(
                clients=len(sessions), slow_connections=SLOW, seconds=seconds, load=load
            )
            crowd = crowd_of(server.port, sessions, SLOW, seconds)
    yield from rows(crowd)
    for bar, is_met in bars(crowd).items():
        say(f"{bar}: {'met' if is_met else 'missed'}")
    options.settings["bars"] = bars(crowd)


def warm_up(port: int, sessions: Sequence[str]) -> None:
    """Let each client see some pages, one client at a time."""
    for session in sessions:
        client = LeanClient(port, {"sessionid": session}, Accept_Encoding="gzip")
        for _ in range(WARM_UP):
            client.get("/")
        client.close()


def crowd_of(port: int, sessions: Sequence[str], slow: int, seconds: float) -> Crowd:
    """Let a client for each session ask for home at once, among slow connections and probes."""
    begin = time.monotonic() + STARTS_IN_SECONDS
    end = begin + seconds
    home, health, dropped = Heard(), Heard(), [0]

    def probe_apart() -> None:
        heard, _ = in_own_process(probe, port, begin, end)
        health.took.update(heard.took)

    def hold() -> None:
        dropped[0] = hold_slow(port, slow, end)

    lock = threading.Lock()
    asking = [partial(ask, port, session, begin, end, home, lock) for session in sessions]
    calls: list[Callable[[], None]] = [probe_apart, hold, *asking]
    at_once(calls)
    return Crowd(home, health, dropped[0])


def ask(
    port: int, session: str, begin: float, end: float, heard: Heard, lock: threading.Lock
) -> None:
    """Ask for home from one moment to another, each time when the answer before has come."""
    client = LeanClient(port, {"sessionid": session}, Accept_Encoding="gzip")
    request = client.request("GET", "/")
    _sleep_until(begin)
    while (began := time.monotonic()) < end:
        try:
            answer = client.send(request)
        except OSError as error:
            with lock:
                heard.note(type(error).__name__, began)
            continue
        with lock:
            heard.note(str(answer.status), began)
            heard.without_retry += answer.status == 503 and not answer.header("Retry-After")
    client.close()


def probe(port: int, begin: float, end: float) -> Heard:
    """Ask whether the process lives, every 100 ms or when the answer before has come."""
    heard, due = Heard(), begin
    while due < end:
        _sleep_until(due)
        connection, began = HTTPConnection("127.0.0.1", port, timeout=30), time.monotonic()
        try:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            heard.note(str(answer.status), began)
        except (OSError, HTTPException) as error:
            heard.note(type(error).__name__, began)
        finally:
            connection.close()
        due = max(due + PROBE_EVERY_SECONDS, time.monotonic())
    return heard


def hold_slow(port: int, number: int, end: float) -> int:
    """Send requests' heads byte by byte, without an end; return how many the server ended."""
    dropped = 0
    with contextlib.ExitStack() as held:

        def connect() -> socket.socket:
            return held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))

        slow, sent = [connect() for _ in range(number)], 0
        while time.monotonic() < end:
            for n, connection in enumerate(slow):
                try:
                    connection.sendall((SLOW_HEAD + b"x" * (sent + 1))[sent : sent + 1])
                except OSError:
                    dropped += 1
                    slow[n] = connect()
            sent += 1
            _sleep_until(min(end, time.monotonic() + BYTE_EVERY_SECONDS))
    return dropped


def rows(crowd: Crowd) -> Iterator[Row]:
    """Yield answers by status, and how long those took that are meant to come."""
    for asked, heard, meant in (
        ("home", crowd.home, ("200", "503")),
        ("health", crowd.health, ("200",)),
    ):
        for status, number in sorted(heard.count().items()):
            system = f"{asked}, {status}"
            yield Row("crowd", system, "answers" if status in meant else "others", number)
            for name, percent in (("p50 ms", 50), ("p99 ms", 99), ("max ms", 100)):
                yield Row("crowd", system, name, heard.percentile(status, percent))
    yield Row("crowd", "home, 503", "without Retry-After", crowd.home.without_retry)
    yield Row("crowd", "slow connections", "ended by the server", crowd.dropped)


def bars(crowd: Crowd) -> dict[str, bool]:
    """Return which of the bars are met; none is where nothing was measured."""
    home, health = crowd.home, crowd.health
    lived = set(health.took) == {"200"}
    name = f"health within {HEALTH_MS:.0f} ms"
    is_as_meant = set(home.took) <= {"200", "503"} and not home.without_retry
    return {
        f"{name}, p99": lived and health.percentile("200", 99) <= HEALTH_MS,
        f"{name}, max": lived and health.percentile("200", 100) <= HEALTH_MS,
        f"served below {SERVED_MS:.0f} ms, p99": home.percentile("200", 99) < SERVED_MS,
        "all others 503 with Retry-After": is_as_meant,
    }


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
