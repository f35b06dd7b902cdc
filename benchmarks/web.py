"""The site as it runs in production, for as long as a benchmark measures it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.harness import ROOT

START_SECONDS = 300
READY_ANSWERS = 20
"""So many in a row that each process has given one."""


@dataclass(frozen=True)
class WebServer:
    """gunicorn while it runs.

    Attributes:
        port: on 127.0.0.1.
        pid: of the process that keeps the workers.
    """

    port: int
    pid: int

    def workers(self) -> list[int]:
        """Return the processes that answer; empty where the system does not tell."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []


UNLIMITED = {"MARQUEE_PAGES_A_MINUTE": "1000000"}


@contextmanager
def web_server(log: Path, environment: Mapping[str, str]) -> Iterator[WebServer]:
    """Run gunicorn on a free port, and yield it once every process answers.

    Args:
        log: its output is appended there.
        environment: beside this process's own.

    Raises:
        RuntimeError: it is not ready in time; the message holds the end of its log.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gunicorn = [sys.executable, "-m", "gunicorn", "webapp.wsgi", "-c", "webapp/gunicorn.py"]
    options = ["--bind", f"127.0.0.1:{port}", "--no-control-socket", "--access-logfile", os.devnull]
    with log.open("ab") as output:
        server = subprocess.Popen(
            [*gunicorn, *options], cwd=ROOT, env={**UNLIMITED, **os.environ, **environment},
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        if not _is_ready(port):
            raise RuntimeError(
                f"the web server was not ready within {START_SECONDS} s, is a release live? "
                + log.read_text()[-2000:]
            )
        yield WebServer(port, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _is_ready(port: int) -> bool:
    until, ready = time.monotonic() + START_SECONDS, 0
    while ready < READY_ANSWERS and time.monotonic() < until:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/readyz")
            ready = ready + 1 if connection.getresponse().status == 200 else 0
        except (OSError, HTTPException):
            ready = 0
        finally:
            connection.close()
        time.sleep(0.1)
    return ready == READY_ANSWERS
