"""A site of a benchmark's own: the demo's titles and ratings, and what is loaded beside them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, LiteralString

import django
import psycopg

from benchmarks.harness import ROOT, say
from benchmarks.processor_time import Used, processor_time
from benchmarks.web import WebServer, web_server

TOKEN = "a-benchmark-types-faster-than-a-limit-allows"  # noqa: S105  of a throwaway site
PASSWORD = "eight clients typing"  # noqa: S105  the same
TRAIN = """
import django; django.setup()
from webapp.training.runs import queue_training, run_training
run = run_training(queue_training(lambda run_id: None).pk)
assert run.status == "succeeded", run.error
"""


class Site:
    """A Marquee of its own: a database and a folder."""

    def __init__(self, address: str, home: Path) -> None:
        self._address, self._home = address, home
        self._environment = os.environ | {
            "DATABASE_URL": address,
            "DJANGO_SETTINGS_MODULE": "webapp.settings",
            "MARQUEE_HOME": str(home),
            "MARQUEE_SECRET_KEY": "throwaway-" * 5,
            "MARQUEE_SECURE": "0",
            "MARQUEE_LOG_LEVEL": "WARNING",
            "MARQUEE_SIMULATION_TOKEN": TOKEN,
            "MARQUEE_WEB_PROCESSES": "2",
            "MARQUEE_DEMO_VIEWER_PASSWORD": PASSWORD,
            "MARQUEE_DEMO_OPERATOR_PASSWORD": PASSWORD + "!",
        }

    def enter(self) -> None:
        """Set this very process up for the site; it cannot leave again."""
        os.environ |= self._environment
        django.setup()

    def prepare(self) -> None:
        """Load the demo and train a release. Minutes."""
        for command in ("migrate", "collectstatic --noinput", "load_demo"):
            say(f"manage.py {command}")
            self.manage(*command.split())
        say("training")
        self.python(TRAIN)

    def load(self, titles: Iterable[Mapping[str, Any]]) -> None:
        """Load titles, each by the columns of `manage.py load_catalogue`."""
        path = self._home / "titles.jsonl"
        with path.open("w") as file:
            file.writelines(json.dumps(title) + "\n" for title in titles)
        say("manage.py load_catalogue")
        self.manage("load_catalogue", str(path))

    def names(self) -> list[str]:
        return [name for (name,) in self.rows("SELECT name FROM catalog_title ORDER BY id")]

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        with self._connection() as connection:
            return connection.execute(query).fetchall()

    def running(self, **environment: str) -> AbstractContextManager[WebServer]:
        """Return its web server, to be entered; its output is in `web.log` of the home."""
        return web_server(self._home / "web.log", self._environment | environment)

    def processor_time(self, server: WebServer) -> AbstractContextManager[Used]:
        """Measure its processes and connections while the block runs."""
        return processor_time(server, self._address)

    def _connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self._address.replace("postgres://", "postgresql://", 1))

    def manage(self, *command: str) -> None:
        self._call("manage.py", *command)

    def python(self, code: str) -> str:
        """Run code in a process of its own; return what it printed."""
        return self._call("-c", code)

    def size_of(self, folder: str) -> int:
        """Return the bytes on disk of the newest folder within one of the site's."""
        newest = max((self._home / folder).glob("[!.]*"))
        return sum(512 * path.stat().st_blocks for path in newest.iterdir())

    def _call(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[:2])} failed:\n{done.stderr[-2000:]}")
        return done.stdout
