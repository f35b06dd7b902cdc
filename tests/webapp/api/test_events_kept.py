"""An event that was answered with a 2xx is on disk, whatever happens to the process since."""

import http.client
import json
import os
import re
import signal
import sys
import threading
import time
import uuid
from datetime import UTC, datetime

import pytest

from tests.web_server import web_server
from webapp.events.models import Event

CLIENTS = 4
BATCH = 5
KILLS = 2
ANSWERS_BETWEEN = 12
PATIENCE_SECONDS = 60


class Server:
    """A real server whose processes are all killed the moment that a certain answer arrives."""

    def __init__(self, web):
        self.web = web
        self.answers = self.killed = 0
        self._lock = threading.Lock()

    @property
    def is_done(self):
        return self.killed == KILLS and self.answers >= ANSWERS_BETWEEN

    def count_answer(self):
        with self._lock:
            self.answers += 1
            if self.killed < KILLS and self.answers >= ANSWERS_BETWEEN:
                for pid in self.web.workers():
                    os.kill(pid, signal.SIGKILL)
                self.killed, self.answers = self.killed + 1, 0


class Browser:
    """Sends each batch until it is answered, as the site's own script does."""

    def __init__(self, server, titles):
        self.server, self.titles = server, titles
        self.answered, self.broken, self.statuses = [], 0, set()
        self._connect()
        self._connection.request("GET", "/login/")
        page = self._connection.getresponse()
        self._csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        cookies = page.headers.get_all("Set-Cookie")
        self._cookies = "; ".join(cookie.partition(";")[0] for cookie in cookies)

    def send_until(self, deadline):
        batch = self._batch()
        while not self.server.is_done and time.monotonic() < deadline:
            try:
                answer = self._send(batch)
            except (OSError, http.client.HTTPException):
                self.broken += 1
                self._connection.close()
                time.sleep(0.05)
                self._connect()
                continue
            assert answer["accepted"] + answer["repeated"] == BATCH
            self.server.count_answer()
            self.answered += [event["id"] for event in batch]
            batch = self._batch()
        self._connection.close()

    def _connect(self):
        self._connection = http.client.HTTPConnection("127.0.0.1", self.server.web.port, timeout=30)

    def _batch(self):
        at = datetime.now(UTC).isoformat()
        return [
            {"id": str(uuid.uuid4()), "kind": "open", "title": title.pk, "occurred_at": at}
            for title in self.titles[:BATCH]
        ]

    def _send(self, batch):
        headers = {
            "Content-Type": "application/json", "Cookie": self._cookies,
            "X-CSRFToken": self._csrf.group(1),
        }  # fmt: skip
        sent = json.dumps({"events": batch})
        self._connection.request("POST", "/api/v1/events", sent, headers)
        answer = self._connection.getresponse()
        body = answer.read()
        self.statuses.add(answer.status)
        return json.loads(body)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the workers' numbers from /proc")
@pytest.mark.django_db(transaction=True)
def test_what_was_answered_is_there_after_every_process_was_killed(films, tmp_path):
    """Each process gets SIGKILL the moment an answer arrives; other batches are under way."""
    with web_server(tmp_path, processes=2, ready="/healthz") as web:
        server = Server(web)
        browsers = [Browser(server, films) for _ in range(CLIENTS)]
        deadline = time.monotonic() + PATIENCE_SECONDS
        threads = [
            threading.Thread(target=browser.send_until, args=[deadline]) for browser in browsers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.is_done, (tmp_path / "server.log").read_text()
    assert {status for browser in browsers for status in browser.statuses} == {200}
    assert sum(browser.broken for browser in browsers) >= KILLS, "nothing was under way"
    answered = {uuid.UUID(id_) for browser in browsers for id_ in browser.answered}
    assert len(answered) >= BATCH * ANSWERS_BETWEEN * (KILLS + 1)
    assert answered <= set(Event.objects.values_list("pk", flat=True))
