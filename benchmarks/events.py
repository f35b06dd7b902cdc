"""The events API takes at least 5,000 events a second in batches of 50, and loses none.

gunicorn with two processes as in production, over the database and the artifacts that the
environment names, such as those of a demo (`. var/demo.env`), with a live release. 4 clients with
profiles of their own send batches back to back: impressions of a home page just shown, some titles
opened and played. Clients and PostgreSQL run on the same machine; processor time is given by part,
and what it allows were every core quiet. At the end each event that was answered with a 2xx is
looked for in the table. Rate limits are left out: the clients are simulated viewers, who are
deleted with all they did.
"""

import json
import os
import random
import re
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import django
import numpy as np
from django.apps import apps

from benchmarks.at_once import at_once
from benchmarks.harness import Options, Row, machine, say
from benchmarks.lean_client import LeanClient
from benchmarks.processor_time import Used, processor_time
from benchmarks.viewers import viewers
from benchmarks.web import WebServer, web_server

CLIENTS = 4
BATCHES = (1, 10, 50)
SECONDS, QUICK_SECONDS, WARM_SECONDS = 20.0, 4.0, 1.0
KINDS, SHARES = ("impression", "open", "progress"), (0.9, 0.06, 0.04)
SEED = 7
CHECKED = 5000
"""Ids looked for by one query."""
TOKEN = "a-benchmark-sends-faster-than-a-limit-allows"  # noqa: S105  of a throwaway server
PROCESS = {
    "MARQUEE_SECURE": "0", "MARQUEE_WEB_PROCESSES": "2", "MARQUEE_SIMULATION_TOKEN": TOKEN,
}  # fmt: skip
CSRF = re.compile(r'data-csrf="([^"]+)"')
ROW = re.compile(r'<section class="row" data-row="(\w+)"(.*?)</section>', re.DOTALL)
TITLE = re.compile(r'data-title="(\d+)"')
SLATE = re.compile(r'data-slate="([^"]+)"')


def run(options: Options) -> Iterator[Row]:
    """Yield rate, latency and processor time by size of a batch."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    seconds = QUICK_SECONDS if options.quick else SECONDS
    options.settings.update(clients=CLIENTS, seconds=seconds, seed=SEED, load=os.getloadavg())
    with (
        tempfile.TemporaryDirectory() as folder,
        viewers(CLIENTS, is_staff=False) as keys,
        web_server(Path(folder) / "web.log", PROCESS) as server,
    ):
        clients = [Sender(server.port, key, number) for number, key in enumerate(keys)]
        for size in BATCHES:
            if options.wants(f"batches of {size}"):
                say(f"batches of {size}, load {os.getloadavg()[0]:.1f} before")
                yield from measure(server, clients, size, seconds)


def measure(server: WebServer, clients: list["Sender"], size: int, seconds: float) -> Iterator[Row]:
    """Let all send at once, then look for what they sent."""
    at_once([partial(client.send, size, WARM_SECONDS) for client in clients])
    for client in clients:
        client.took.clear()
        client.sent.clear()
    with processor_time(server) as used:
        at_once([partial(client.send, size, seconds) for client in clients])
    sent = [id_ for client in clients for id_ in client.sent]
    missing = len(sent) - found(sent)
    if missing:
        raise SystemExit(f"{missing} of {len(sent)} events that a 2xx answered are not there")
    yield from rows(f"batches of {size}", [t for c in clients for t in c.took], len(sent), used)


def rows(protocol: str, took: list[float], events: int, used: Used) -> Iterator[Row]:
    """Yield the figures of one size: `took` is the seconds of each batch."""
    yield Row(protocol, "events", "events a second", events / used.lasted)
    for percent in (50, 99):
        yield Row(protocol, "events", f"p{percent} ms", 1000 * float(np.percentile(took, percent)))
    yield Row(protocol, "events", "rows checked", events)
    for part, spent in used.seconds.items():
        yield Row(protocol, part, "processor µs an event", 1e6 * spent / events)
    if used.seconds:
        every = sum(used.seconds.values())
        cores = machine()["cores"]
        yield Row(protocol, "all parts", "cores used", every / used.lasted)
        yield Row(
            protocol, "all parts", f"events a second {cores} cores allow", cores * events / every
        )


def found(ids: list[str]) -> int:
    """Return how many of the events are in the table."""
    events = apps.get_model("events", "Event").objects
    parts = [ids[start : start + CHECKED] for start in range(0, len(ids), CHECKED)]
    return sum(events.filter(pk__in=part).count() for part in parts)


class Sender:
    """One browser that has the home page before it and sends what happens there.

    Attributes:
        took: seconds of each batch.
        sent: ids of the events that were accepted.
    """

    def __init__(self, port: int, session: str, number: int) -> None:
        cookies = {"sessionid": session}
        viewer = LeanClient(port, cookies, X_Marquee_Simulation=TOKEN)
        page = viewer.get("/").body.decode()
        csrf = CSRF.search(page)
        if csrf is None:
            raise SystemExit("the home page holds no CSRF token")
        self._client = LeanClient(
            port, viewer.cookies, X_Marquee_Simulation=TOKEN, X_CSRFToken=csrf.group(1),
            Content_Type="application/json",
        )  # fmt: skip
        viewer.close()
        self._rng = random.Random(SEED + number)  # noqa: S311  which events are sent
        self._events = [json.dumps(event)[1:] for event in self._seen(page)]
        self.took: list[float] = []
        self.sent: list[str] = []

    def send(self, size: int, seconds: float) -> None:
        """Send batches of so many events for so long, each when the one before is answered.

        Raises:
            RuntimeError: an answer did not accept a whole batch.
        """
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            ids = [str(uuid.uuid4()) for _ in range(size)]
            events = self._rng.choices(self._events, k=size)
            joined = ",".join(
                f'{{"id":"{id_}",{event}' for id_, event in zip(ids, events, strict=True)
            )
            body = f'{{"events":[{joined}]}}'.encode()
            request = self._client.request("POST", "/api/v1/events", body)
            began = time.perf_counter()
            answer = self._client.send(request)
            self.took.append(time.perf_counter() - began)
            if answer.status != 200 or json.loads(answer.body)["accepted"] != size:
                raise RuntimeError(f"answered {answer.status}: {answer.body[:300]!r}")
            self.sent += ids

    def close(self) -> None:
        self._client.close()

    def _seen(self, page: str) -> Iterator[dict[str, Any]]:
        """Yield what may happen on the page, without ids."""
        slate = SLATE.search(page)
        at = datetime.now(UTC).isoformat()
        for row, cards in ROW.findall(page):
            for slot, title in enumerate(TITLE.findall(cards)):
                kind = self._rng.choices(KINDS, SHARES)[0]
                event = {
                    "kind": kind, "occurred_at": at, "title": int(title), "surface": "home",
                    "slate": slate.group(1) if slate else None, "row": row, "slot": slot,
                }  # fmt: skip
                if kind == "progress":
                    event |= {"position_seconds": 600, "duration_seconds": 5400}
                yield event
