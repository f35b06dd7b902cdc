"""Whatever is sent, the site answers it: no 5xx, no hang beyond 5 s, no answer undocumented.

own         hostile requests over every address the resolver knows, as guest, viewer, another
            account, a child's profile and operator: methods, addresses, query strings, headers,
            cookies, bodies, ids of others and of nothing
schema      schemathesis' cases from the API's own schema: examples, coverage, fuzzing, and
            sequences by the schema's links

A small site is made for it on the server of DATABASE_URL and served by gunicorn as in production
(two processes), to which bytes are sent. A finding is a 5xx other than 503 with Retry-After (a
refusal by design, counted), no answer within 5 s, a connection that ends without an answer, a
header or a tag of the caller's in an answer, a process that died, or an error in the log, such as
the recommender's, for which viewers are served popular titles. Seed and number make a request
again.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.apps import apps

from benchmarks.at_once import at_once
from benchmarks.databases import database
from benchmarks.harness import Options, Row, say
from benchmarks.hostile import CSRF, INJECTED, MARK, Attacker, Known, Request
from benchmarks.lean_client import LeanClient
from benchmarks.site import TOKEN, Site
from benchmarks.small_site import CAST, Door, prepare

NAME = "marquee_benchmark_fuzz"
REQUESTS, QUICK_REQUESTS = 12_000, 1_500
EXAMPLES, QUICK_EXAMPLES = 300, 30
"""Of schemathesis, at most, for each operation and phase."""
SEED = 20
SENDERS = 2
LONGEST_SECONDS = 5.0
LOGGED_IN_FOR = 50
"""Requests of a sender; then its actors log in anew, for some end their own session or account."""
SPARED = ("account/delete/", "logout/")
"""What ends an actor is tried rarely enough as it is."""
SIMULATED_SHARE = 0.3
MOMENT = "2026-03-01T20:16:00Z"
"""Of schemathesis' calls: shortly after the events of the schema's examples and links."""
ERROR = re.compile(r"^.{20,40}\b(?:ERROR|CRITICAL)\b(?! django\.security).*$", re.MULTILINE)
"""A line of the log, ours or gunicorn's, of something that nobody meant to happen."""


@dataclass(frozen=True)
class Finding:
    """What was wrong, and how to make it again."""

    what: str
    seed: int
    number: int
    request: Request

    def __str__(self) -> str:
        sent = self.request
        body = f", body {sent.body[:200]!r}" if sent.body else ""
        return (
            f"{self.what} (seed {self.seed}, number {self.number}): {sent.actor}, {sent.route!r}, "
            f"{sent.method} {sent.path[:200]}?{sent.query[:200]}, {dict(sent.headers)}"[:900]
            + body
        )


@dataclass
class Outcome:
    """What came of requests: how many by status, and findings."""

    statuses: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    slowest: float = 0.0


def run(options: Options) -> Iterator[Row]:
    """Yield requests, findings and refusals; print each finding.

    Raises:
        SystemExit: something was found.
    """
    requests = QUICK_REQUESTS if options.quick else REQUESTS
    seeds = [SEED + n for n in range(options.seeds)]
    options.settings.update(seeds=seeds, requests_a_seed=requests, server="gunicorn, 2 processes")
    found = 0
    with database(NAME) as address, tempfile.TemporaryDirectory() as home:
        site = Site(address, Path(home))
        site.enter()
        prepare(site, Path(home))
        if options.wants("own"):
            for seed in seeds:
                outcome = own(site, Path(home), seed, requests)
                found += len(outcome.findings)
                yield from rows(f"own, seed {seed}", outcome)
        if options.wants("schema"):
            for seed in seeds:
                examples = QUICK_EXAMPLES if options.quick else EXAMPLES
                with site.running() as server:
                    address_of_site = f"http://127.0.0.1:{server.port}"
                    session = Door().sessions()["viewer"]
                    cases, failures = schema(address_of_site, session, Path(home), seed, examples)
                found += failures
                yield Row(f"schema, seed {seed}", "schemathesis", "cases", cases)
                yield Row(f"schema, seed {seed}", "schemathesis", "findings", failures)
    if found:
        raise SystemExit(f"{found} findings, see above")


def rows(protocol: str, outcome: Outcome) -> Iterator[Row]:
    yield Row(protocol, "requests", "sent", sum(outcome.statuses.values()))
    yield Row(protocol, "requests", "findings", len(outcome.findings))
    yield Row(protocol, "requests", "slowest s", outcome.slowest)
    for status, number in sorted(outcome.statuses.items()):
        yield Row(protocol, f"answered {status}", "requests", number)


def own(site: Site, home: Path, seed: int, requests: int) -> Outcome:
    """Send hostile requests to the running site; return what came of it."""
    total = Outcome()
    log = home / "web.log"
    with site.running() as server:
        door = Door()
        known = known_of(server.port, door)
        attacker = Attacker(known, ["guest", *(actor.name for actor in CAST)], seed, SPARED)
        numbers = iter(range(requests))
        workers, began = set(server.workers()), log.stat().st_size
        senders = [Sender(server.port, attacker, door, seed) for _ in range(SENDERS)]
        for outcome in at_once([partial(sender.send_all, numbers) for sender in senders]):
            total.statuses += outcome.statuses
            total.findings += outcome.findings
            total.slowest = max(total.slowest, outcome.slowest)
        nobody = Request("", "", "", "")
        if set(server.workers()) != workers:
            total.findings.append(Finding("a web process died", seed, -1, nobody))
        with log.open("rb") as file:
            file.seek(began)
            text = file.read().decode(errors="replace")
        for words in ERROR.findall(text):
            total.findings.append(Finding(f"in the log: {words[:300]}", seed, -1, nobody))
    for finding in total.findings:
        say(str(finding))
    if total.findings:
        kept = Path(tempfile.gettempdir()) / f"marquee-fuzz-{os.getpid()}-{seed}.log"
        kept.write_text(text)
        say(f"the web server's log is in {kept}")
    return total


def known_of(port: int, door: Door) -> Known:
    """Let every actor look at the home page, and return what the site holds then."""
    for session in door.sessions().values():
        LeanClient(port, {"sessionid": session}).get("/")
    return known(datetime.now(UTC))


def known(now: datetime) -> Known:
    """Return what the site holds."""
    models: dict[str, Any] = {m._meta.label_lower: m._default_manager for m in apps.get_models()}
    numbers = {
        label: list(rows.order_by("pk").values_list("pk", flat=True)[:50])
        for label, rows in models.items()
    }
    numbers = {label: pks for label, pks in numbers.items() if pks and isinstance(pks[0], int)}
    for actor in CAST:
        own = models["profiles.profile"].filter(account__username=actor.name)
        numbers[actor.name] = list(own.values_list("pk", flat=True))
    slugs = [
        *models["catalog.genre"].values_list("slug", flat=True),
        *(title.slug for title in models["catalog.title"].all()[:5]),
    ]
    slates = [str(pk) for pk in models["slates.slate"].values_list("pk", flat=True)[:50]]
    return Known(numbers, slugs, slates, models["events.event"].model.Kind.values, now.isoformat())


class Sender:
    """Sends requests one after the other, each over a connection of its own."""

    def __init__(self, port: int, attacker: Attacker, door: Door, seed: int) -> None:
        self._port, self._attacker, self._door, self._seed = port, attacker, door, seed
        self._sessions: Mapping[str, str] = {}

    def send_all(self, numbers: Iterator[int]) -> Outcome:
        outcome = Outcome()
        for n, number in enumerate(numbers):
            if n % LOGGED_IN_FOR == 0:
                self._sessions = self._door.sessions()
            request = self._attacker.request(number)
            began = time.perf_counter()
            status, wrong = self._send(request, number)
            outcome.slowest = max(outcome.slowest, time.perf_counter() - began)
            outcome.statuses[status] += 1
            if wrong:
                outcome.findings.append(Finding(wrong, self._seed, number, request))
        return outcome

    def _send(self, request: Request, number: int) -> tuple[str, str]:
        """Return the status, and what was wrong with the answer, if anything."""
        cookies = {"csrftoken": CSRF}
        if request.actor in self._sessions:
            cookies["sessionid"] = self._sessions[request.actor]
        raw = request.raw(f"127.0.0.1:{self._port}", cookies)
        if number % 10 < 10 * SIMULATED_SHARE and "X-Marquee-Simulation" not in request.headers:
            raw = raw.replace(b"\r\n", f"\r\nX-Marquee-Simulation: {TOKEN}\r\n".encode(), 1)
        try:
            answer = exchange(self._port, raw)
        except TimeoutError:
            return "nothing", f"no answer within {LONGEST_SECONDS:g} s"
        except OSError as error:
            return "nothing", f"no answer: {error!r}"
        return judged(answer)


def exchange(port: int, raw: bytes) -> bytes:
    """Send bytes and return all that comes back until the server hangs up.

    Raises:
        TimeoutError: it was not whole within `LONGEST_SECONDS`.
    """
    until = time.monotonic() + LONGEST_SECONDS
    with socket.create_connection(("127.0.0.1", port), LONGEST_SECONDS) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused half-way
            connection.sendall(raw)
        received = b""
        while True:
            connection.settimeout(max(0.001, until - time.monotonic()))
            try:
                more = connection.recv(1 << 16)
            except ConnectionResetError:  # the server did not read all before it answered
                return received
            if not more:
                return received
            received += more


def judged(answer: bytes) -> tuple[str, str]:
    """Return an answer's status, and what is wrong with it, if anything."""
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    if not found:
        return "nothing", f"no answer of HTTP: {answer[:80]!r}"
    status = found[1].decode()
    if status == "503" and b"\r\nretry-after:" in head.lower():
        return "503 with Retry-After", ""
    if status >= "500":
        return status, f"answered {status}: {body[:120]!r}"
    if f"\r\n{INJECTED}:".lower().encode() in head.lower():
        return status, "a header of the caller's is in the answer"
    if b"text/html" in head.lower() and MARK.encode() in body:
        return status, "a tag of the caller's is on the page"
    return status, ""


def schema(address: str, session: str, folder: Path, seed: int, examples: int) -> tuple[int, int]:
    """Let schemathesis try a running API as a viewer; return cases and findings.

    Args:
        address: of the site, which knows `TOKEN`.
        session: the viewer's.
        folder: for reports.
        seed: of its cases.
        examples: at most, for each operation and phase.

    Raises:
        RuntimeError: schemathesis itself failed.
    """
    report = folder / "schemathesis.json"
    headers = {
        "Cookie": f"sessionid={session}; csrftoken={CSRF}", "X-CSRFToken": CSRF,
        "X-Marquee-Simulation": TOKEN, "X-Marquee-Now": MOMENT,
    }  # fmt: skip
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run",
        f"{address}/api/v1/schema?format=json",
        "--phases", "examples,coverage,fuzzing,stateful", "--seed", str(seed),
        "--max-examples", str(examples), "--checks", "all", "--continue-on-failure",
        "--request-timeout", str(LONGEST_SECONDS), "--workers", "1", "--no-color",
        "--report", "json", "--report-json-path", str(report),
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    outcome: dict[str, Any] = {"errors": ["it left no report"], "complete": False}
    if report.exists():
        outcome = json.loads(report.read_text())
    if done.returncode or outcome["errors"] or not outcome["complete"]:
        say(done.stdout[-8000:] + done.stderr[-2000:])
    if outcome["errors"]:
        raise RuntimeError(f"schemathesis failed: {outcome['errors']}")
    return outcome["test_cases"]["generated"], outcome["test_cases"]["with_failures"]
