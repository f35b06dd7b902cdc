"""gunicorn as in production over the test's database, for tests that need real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60


@dataclass(frozen=True)
class WebServer:
    """Attributes: its port on 127.0.0.1, the access log, and the process that keeps the workers."""

    port: int
    log: Path
    pid: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """Return the processes that answer. Linux alone."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


@contextmanager
def web_server(
    folder: Path, *, processes: int, ready: str = "/readyz", **environment: str
) -> Iterator[WebServer]:
    """Run it on a free port; yield it once `ready` is answered with 200.

    Args:
        folder: of its logs. The access log begins each line with the process that answered.
        processes: that answer.
        ready: an address.
        environment: beside this process's own, and the test's database and home.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, output_log = folder / "access.log", folder / "server.log"
    command = [sys.executable, "-m", "gunicorn", "webapp.wsgi", "-c", "webapp/gunicorn.py"]
    command += ["--bind", f"127.0.0.1:{port}", "--access-logformat", "%(p)s %(s)s %(r)s"]
    command += ["--access-logfile", str(log), "--no-control-socket"]
    with output_log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=_environment(processes) | environment,
            stdout=output, stderr=output,
        )  # fmt: skip
        try:
            until = time.monotonic() + READY_SECONDS
            while not _answers(f"http://127.0.0.1:{port}{ready}"):
                assert server.poll() is None, output_log.read_text()
                assert time.monotonic() < until, output_log.read_text()
                time.sleep(0.2)
            yield WebServer(port, log, server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def _environment(processes: int) -> dict[str, str]:
    address = urlsplit(os.environ["DATABASE_URL"])
    return os.environ | {
        "DATABASE_URL": address._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "MARQUEE_HOME": str(settings.MARQUEE_HOME),
        "MARQUEE_DEBUG": "1",  # whose static files need no collecting
        "MARQUEE_SECURE": "0",
        "MARQUEE_WEB_PROCESSES": str(processes),
        "OMP_NUM_THREADS": "1",
    }


def _answers(address: str) -> bool:
    try:
        # by hand: no proxy stands before our own machine
        with build_opener(ProxyHandler({})).open(address, timeout=20) as response:
            return bool(response.status == 200)
    except OSError:
        return False
