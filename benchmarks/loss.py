"""Clients that know the id of every event they send: what a fault loses or doubles, they can tell.

Each sends a batch until it is answered with a 2xx, as the site's own script does, and the same ids
again where no answer came.
"""

import json
import random
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.lean_client import LeanClient

BATCH = 20
PAUSE_SECONDS = 0.05
"""Before a batch is sent again."""
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass
class Ledger:
    """What clients sent, and what became of it; threads share it.

    Attributes:
        sent: ids of all events, answered or not.
        answered: ids of events that a 2xx took.
        accepted: how many those answers said are new.
        statuses: answers by status; "none" where the connection broke or nothing came in time.
        latest: when a batch was answered last, by the monotonic clock, by client.
    """

    sent: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    accepted: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    latest: dict[int, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note_answer(self, client: int, ids: Sequence[str], answer: dict[str, Any]) -> None:
        """Note a 2xx.

        Raises:
            AssertionError: it took less than the batch; all of it can be taken.
        """
        assert answer["accepted"] + answer["repeated"] == len(ids), answer
        with self._lock:
            self.answered.update(ids)
            self.accepted += answer["accepted"]
            self.statuses["200"] += 1
            self.latest[client] = time.monotonic()

    def note_sent(self, ids: Sequence[str]) -> None:
        with self._lock:
            self.sent.update(ids)

    def note_failure(self, status: str) -> None:
        with self._lock:
            self.statuses[status] += 1

    @property
    def failures(self) -> Counter[str]:
        return Counter({s: n for s, n in self.statuses.items() if s != "200"})


@dataclass(frozen=True)
class Balance:
    """What the table says of a ledger.

    Attributes:
        lost: events that a 2xx took and that are not there.
        twice: events that more than one answer called new.
    """

    answered: int
    lost: int
    twice: int


def balance(ledger: Ledger, events: Any) -> Balance:
    """Compare with the table.

    Args:
        ledger: of clients that send no more.
        events: the manager of `events.Event`.
    """
    ids = sorted(ledger.sent)
    there: set[str] = set()
    for start in range(0, len(ids), 5000):
        found = events.filter(pk__in=ids[start : start + 5000]).values_list("pk", flat=True)
        there.update(map(str, found))
    return Balance(
        len(ledger.answered),
        len(ledger.answered - there),
        max(0, ledger.accepted - len(there)),
    )


class Browser:
    """One client, in a visit of its own without an account."""

    def __init__(
        self, number: int, port: int, titles: Sequence[int], token: str, seconds: float = 15.0
    ) -> None:
        """Open the log-in page, for its cookies.

        Args:
            number: tells clients apart.
            port: of the site.
            titles: ids that events may name.
            token: of simulated viewers, whom no rate limits bound.
            seconds: how long an answer is waited for.
        """
        self._number, self._titles = number, titles
        self._rng = random.Random(number)  # noqa: S311  which titles
        self._port, self._seconds = port, seconds
        headers = {"X_Marquee_Simulation": token} if token else {}
        first = LeanClient(port, {}, seconds, **headers)
        page = first.get("/login/").body.decode()
        first.close()
        [csrf] = set(CSRF.findall(page))
        self._cookies = first.cookies
        self._headers = headers | {"X_CSRFToken": csrf, "Content_Type": "application/json"}
        self.ahead_seconds = 0.0
        """How far this client's clock is ahead of the true time."""
        self.hangs_up = False
        """Whether it closes its connection as soon as it has sent a batch, every other time."""
        self._client: LeanClient | None = None

    def send_until(self, stop: threading.Event, ledger: Ledger) -> None:
        """Send batches, each as often as it takes, until `stop` is set and the last is answered."""
        while not stop.is_set():
            ids = [str(uuid.uuid4()) for _ in range(BATCH)]
            ledger.note_sent(ids)
            while not self._is_taken(ids, ledger):
                time.sleep(PAUSE_SECONDS)
        self._close()

    def _is_taken(self, ids: Sequence[str], ledger: Ledger) -> bool:
        client = self._client or LeanClient(
            self._port, self._cookies, self._seconds, **self._headers
        )
        self._client = client
        request = client.request("POST", "/api/v1/events", self._body(ids))
        try:
            if self.hangs_up and self._rng.random() < 0.5:
                client.send_and_hang_up(request)
                raise ConnectionResetError("this client hung up")
            answer = client.send(request)
        except OSError:
            self._close()
            ledger.note_failure("none")
            return False
        if answer.status != 200:
            ledger.note_failure(str(answer.status))
            return False
        self._cookies = client.cookies | answer.cookies()
        ledger.note_answer(self._number, ids, json.loads(answer.body))
        return True

    def _body(self, ids: Sequence[str]) -> bytes:
        at = datetime.fromtimestamp(time.time() + self.ahead_seconds, UTC).isoformat()
        events = [
            {"id": id_, "kind": "open", "title": self._rng.choice(self._titles), "occurred_at": at}
            for id_ in ids
        ]
        return json.dumps({"sent_at": at, "events": events}).encode()

    def _close(self) -> None:
        if self._client:
            self._client.close()
        self._client = None


@contextmanager
def sending(browsers: Sequence[Browser], ledger: Ledger) -> Any:
    """Let all send while the block runs; at its end each has an answer for what it sent.

    Raises:
        AssertionError: of a client's.
    """
    stop, failures = threading.Event(), []

    def run(browser: Browser) -> None:
        try:
            browser.send_until(stop, ledger)
        except Exception as error:  # raised again below
            failures.append(error)

    threads = [threading.Thread(target=run, args=[browser], daemon=True) for browser in browsers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
