"""Nothing that was answered is lost, nothing counts twice, and the site is back within 15 s.

A small site of its own, with its own PostgreSQL and Valkey, is kept up by `script/processes.py` as
`script/demo` keeps one: web (two processes), worker, trainer and beat. Four clients send events
whose ids they know, a fault is made, and the site is watched until it is back: the home page and
the events API answer for three seconds on end, and the process that died does its work again. Then
every event that a 2xx took is looked for in the table.

A full disk needs root, for a file system of its own (Linux); elsewhere it is left out with a word.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.db import close_old_connections, connections
from django.utils.module_loading import import_string
from embedded import Postgres, Valkey, Venv, secret, unprivileged_data_dir
from processes import Supervisor, free_port, status_of
from roles import roles

from benchmarks.harness import Options, Row, say
from benchmarks.lean_client import LeanClient
from benchmarks.loss import Balance, Browser, Ledger, balance, sending
from benchmarks.site import TOKEN, Site
from benchmarks.small_site import prepare

CLIENTS = 4
QUICK_KINDS = (
    "web process, KILL",
    "gunicorn, KILL",
    "worker, KILL",
    "database, KILL",
    "broker, KILL",
)
BEFORE_SECONDS, AFTER_SECONDS, STEADY_SECONDS = 2.0, 2.0, 3.0
BACK_WITHIN_SECONDS = 15.0
"""After a single death."""
GIVEN_UP_SECONDS = 150.0
PROBE_SECONDS, PROBE_EVERY_SECONDS = 5.0, 0.1
FROZEN_SECONDS, FULL_SECONDS, JUMPED_SECONDS = 15.0, 20.0, 10.0
DISK_MEGABYTES = 900
JUMP_SECONDS = 3600
CLOCK_OF_FILE, CLOCK_VARIABLE = "benchmarks.clock_of_file", "MARQUEE_BENCHMARK_CLOCK"
TASK = "webapp.jobs.tasks.check_alerts"
"""Of the worker: it takes the health snapshot."""


@dataclass(frozen=True)
class Kind:
    """One fault.

    Attributes:
        name: in the table.
        act: makes it, and mends what does not mend itself; returns when that is done.
        is_done_again: whether the process does its work again, where it is more than to answer.
        is_death: whether it is a single death, after which the site is back in time by itself.
    """

    name: str
    act: Callable[["Living"], None]
    is_done_again: Callable[["Living", float], bool] | None = None
    is_death: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of a fault.

    Attributes:
        seconds: from its beginning, or the end of what lasts, until the site answered for good and
            what died did its work again; 0.0 where nobody noticed anything. None: not while it was
            waited for.
        failures: tries of clients that failed, by status.
    """

    balance: Balance
    seconds: float | None
    failures: dict[str, int]

    @property
    def is_as_promised(self) -> bool:
        is_in_time = self.seconds is not None and self.seconds <= BACK_WITHIN_SECONDS
        return is_in_time and not self.balance.lost and not self.balance.twice


def run(options: Options) -> Iterator[Row]:
    """Yield a row for each kind of fault.

    Raises:
        SystemExit: something was lost, came twice, or was not back in time.
    """
    options.settings.update(clients=CLIENTS, back_within_seconds=BACK_WITHIN_SECONDS)
    wrong = []
    with living_site() as site:
        for kind in kinds_of(site):
            is_quick = kind.name in QUICK_KINDS or not options.quick
            if options.wants(kind.name) and is_quick:
                outcome = outcome_of(kind, site)
                yield from rows(kind, outcome)
                if not outcome.is_as_promised:
                    wrong.append(kind.name)
    if wrong:
        raise SystemExit(f"not as promised: {', '.join(wrong)}")


def rows(kind: Kind, outcome: Outcome) -> Iterator[Row]:
    name, found = kind.name, outcome.balance
    yield Row(name, "events", "answered with a 2xx", found.answered)
    yield Row(name, "events", "lost", found.lost)
    yield Row(name, "events", "twice", found.twice)
    seconds = float("inf") if outcome.seconds is None else outcome.seconds
    yield Row(name, "site", "back after s", seconds)
    for status, number in sorted(outcome.failures.items()):
        yield Row(name, f"answered {status}", "batches sent again", number)


def outcome_of(kind: Kind, site: "Living") -> Outcome:
    """Make one fault while clients send; return what came of it."""
    say(f"{kind.name}, load {os.getloadavg()[0]:.1f}")
    ledger = Ledger()
    with sending(site.browsers, ledger), watching(site.port) as watch:
        time.sleep(BEFORE_SECONDS)
        began = time.monotonic()
        kind.act(site)
        ended = began if kind.is_death else time.monotonic()
        back = site.back_at(kind, watch, ledger, began)
        time.sleep(AFTER_SECONDS)
    connections.close_all()  # this process's own may have been cut
    found = balance(ledger, apps.get_model("events", "Event").objects)
    seconds = None if back is None else max(0.0, back - ended)
    return Outcome(found, seconds, dict(ledger.failures))


class Watch:
    """Looks at the home page again and again, over a new connection each time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._failed: list[tuple[float, float]] = []
        """When each look that failed began and ended."""
        self._looked = time.monotonic()

    def look(self, ended: threading.Event) -> None:
        while not ended.wait(PROBE_EVERY_SECONDS):
            began = time.monotonic()
            client = LeanClient(self._port, {}, PROBE_SECONDS, X_Marquee_Simulation=TOKEN)
            try:
                client.get("/")
            except (OSError, RuntimeError):
                self._failed.append((began, time.monotonic()))
            finally:
                client.close()
            self._looked = time.monotonic()

    def back_since(self, began: float) -> float:
        """Return when the latest failed look since `began` ended; `began` where none failed."""
        return max((end for start, end in self._failed if end >= began), default=began)

    @property
    def steady_seconds(self) -> float:
        """How long all looks have succeeded."""
        return self._looked - max((end for _, end in self._failed), default=0.0)


@contextmanager
def watching(port: int) -> Iterator[Watch]:
    watch, ended = Watch(port), threading.Event()
    thread = threading.Thread(target=watch.look, args=[ended], daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


class Living:
    """The site while a supervisor keeps it up.

    Attributes:
        port: of the web, on 127.0.0.1.
        home: its folder.
        browsers: clients that know what they send.
        has_own_disk: whether the home is a file system of its own.
    """

    def __init__(self, home: Path, *, has_own_disk: bool) -> None:
        self.home, self.has_own_disk = home, has_own_disk
        self.port = free_port()
        self.browsers: list[Browser] = []
        self._clock = home / "clock"
        self._supervisor = Supervisor(home, quiet=True)
        venv = Venv(Path(sys.prefix))
        self._postgres = Postgres(home, venv, secret(home / "secrets" / "postgres"))
        self._valkey = Valkey(home, venv)

    def start(self) -> None:
        """Return when all is up."""
        self._postgres.start(self._supervisor)
        self._valkey.start(self._supervisor)
        self.database = self._postgres.url.replace("postgres://", "postgresql://", 1)
        os.environ["CELERY_BROKER_URL"] = self._valkey.url(0)
        os.environ["MARQUEE_CACHE_URL"] = self._valkey.url(1)
        site = Site(self._postgres.url, self.home)
        site.enter()
        prepare(site, self.home)
        site.manage("index_catalogue")
        children = roles(sys.executable, self.port, os.environ)
        web = children["web"]
        self.set_clock(0)
        web.command = [CLOCK_OF_FILE if w == "webapp.wsgi" else w for w in web.command]
        web.environment = {**web.environment, CLOCK_VARIABLE: str(self._clock)}
        for child in children.values():
            self._supervisor.start(child)
        self._keeping = threading.Thread(target=self._supervisor.wait_for_stop, daemon=True)
        self._keeping.start()
        self._wait_until_ready()
        titles = list(apps.get_model("catalog", "Title").objects.values_list("pk", flat=True))
        self.browsers = [Browser(n, self.port, titles, TOKEN) for n in range(CLIENTS)]
        began = time.monotonic()
        while not self.is_looked_after(began):  # the worker may build an index first
            time.sleep(1)

    def stop(self) -> None:
        self._supervisor.ask_to_stop()
        if hasattr(self, "_keeping"):
            self._keeping.join()
        connections.close_all()
        self._supervisor.stop_all()
        self._postgres.clean_up()

    def pid_of(self, name: str) -> int:
        """Return the number of a role's or server's process.

        Raises:
            RuntimeError: it does not run.
        """
        pid = self._supervisor.pid_of(name)
        if pid is None:
            raise RuntimeError(f"{name} does not run")
        return pid

    def children_of(self, name: str) -> list[int]:
        pid = self.pid_of(name)
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database, autocommit=True, connect_timeout=5) as at:
            return at.execute(statement.encode()).fetchall()

    def back_at(self, kind: Kind, watch: Watch, ledger: Ledger, began: float) -> float | None:
        """Wait, and return since when all is as before the fault; None where it never is."""
        worked = began if kind.is_done_again is None else None
        while time.monotonic() < began + GIVEN_UP_SECONDS:
            time.sleep(0.2)
            if worked is None and kind.is_done_again and kind.is_done_again(self, began):
                worked = time.monotonic()
            answered = watch.back_since(began)
            has_each = all(ledger.latest.get(n, 0.0) > answered for n in range(CLIENTS))
            is_steady = watch.steady_seconds > STEADY_SECONDS
            if has_each and is_steady and worked is not None:
                return max(answered, worked)
        return None

    def is_looked_after(self, since: float) -> bool:
        """Whether the worker has done a task that was sent to it after the fault."""
        wall = time.time() - (time.monotonic() - since)
        with contextlib.suppress(Exception):  # neither broker nor database need be there yet
            close_old_connections()
            import_string("webapp.celery.app").send_task(TASK, retry=False, expires=30)
            time.sleep(1.0)
            snapshots = apps.get_model("metrics", "HealthSnapshot").objects
            return bool(snapshots.get().at.timestamp() > wall)
        return False

    def lives(self, name: str) -> bool:
        """Whether a role's or server's process runs."""
        return self._supervisor.pid_of(name) is not None

    def set_clock(self, seconds: int) -> None:
        """Put the web's clock so many seconds forward."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self._clock)

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + GIVEN_UP_SECONDS
        while status_of(f"http://127.0.0.1:{self.port}/readyz") != 200:
            if time.monotonic() > until:
                raise RuntimeError(f"the site is not up; see {self.home}/log")
            time.sleep(0.5)


@contextmanager
def living_site() -> Iterator[Living]:
    """Start a site in a folder of its own; stop it and delete the folder."""
    home = Path(tempfile.mkdtemp(prefix="marquee-faults-"))
    home.chmod(0o711)  # so that PostgreSQL's user can enter it
    has_own_disk = _mounted(home)
    site = Living(home, has_own_disk=has_own_disk)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        if has_own_disk:
            subprocess.run(["umount", "--lazy", str(home)], check=False)
        for folder in (home, unprivileged_data_dir(home)):
            shutil.rmtree(folder, ignore_errors=True)


def _mounted(home: Path) -> bool:
    """Give the home a file system of its own, if we may; return whether it has one."""
    options = f"size={DISK_MEGABYTES}m,mode=711"
    command = ["mount", "-t", "tmpfs", "-o", options, "marquee-faults", str(home)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        say("no file system of its own can be mounted: a full disk is left out")
        return False
    return True


def killing(name: str, number: signal.Signals) -> Callable[[Living], None]:
    """Return a fault: a signal to a role's or server's main process."""
    return lambda site: os.kill(site.pid_of(name), number)


def killing_a_child(name: str, number: signal.Signals) -> Callable[[Living], None]:
    return lambda site: os.kill(site.children_of(name)[0], number)


def freezing(name: str) -> Callable[[Living], None]:
    """Return a fault: a server with all its processes stands still for a while."""

    def act(site: Living) -> None:
        pids = [site.pid_of(name), *site.children_of(name)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(FROZEN_SECONDS)
        finally:
            for pid in reversed(pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    return act


def kill_backend(site: Living) -> None:
    """Kill a connection's process, whereupon PostgreSQL ends all and recovers."""
    [(pid,)] = site.query(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND pid <> pg_backend_pid() ORDER BY query_start DESC NULLS LAST LIMIT 1"
    )
    os.kill(pid, signal.SIGKILL)


def cut_connections(site: Living) -> None:
    """End every connection to the database, three times."""
    for _ in range(3):
        site.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        time.sleep(0.5)


def lock_table(site: Living) -> None:
    """Hold a lock on the events that lets nobody read or write, for longer than anyone waits."""
    with psycopg.connect(site.database) as at:
        at.execute("LOCK TABLE events_event IN ACCESS EXCLUSIVE MODE")
        time.sleep(FROZEN_SECONDS)


def hang_up(site: Living) -> None:
    """Let clients close their connections as soon as they have sent."""
    for browser in site.browsers:
        browser.hangs_up = True
    time.sleep(JUMPED_SECONDS)
    for browser in site.browsers:
        browser.hangs_up = False


def jump_clients(site: Living) -> None:
    """Put two clients' clocks an hour forward and two an hour back, then right again."""
    for n, browser in enumerate(site.browsers):
        browser.ahead_seconds = JUMP_SECONDS * (1 if n % 2 else -1)
    time.sleep(JUMPED_SECONDS)
    for browser in site.browsers:
        browser.ahead_seconds = 0.0


def jump_server(site: Living) -> None:
    """Put the web's clock an hour forward, an hour back, then right again."""
    for seconds in (JUMP_SECONDS, -JUMP_SECONDS, 0):
        site.set_clock(seconds)
        time.sleep(JUMPED_SECONDS)


def fill_disk(site: Living) -> None:
    """Fill the site's disk to the last byte for a while, whatever is freed meanwhile."""
    filler = site.home / "filler"
    until = time.monotonic() + FULL_SECONDS
    with filler.open("wb", buffering=0) as file:
        while time.monotonic() < until:
            try:
                file.write(b"\0" * (1 << 20))
            except OSError:
                with contextlib.suppress(OSError):
                    file.write(b"\0" * 4096)
                time.sleep(0.1)
    filler.unlink()


def kinds_of(site: Living) -> list[Kind]:
    """Return the faults that can be made here; the same process is never hit twice in a row."""
    kill, term = signal.SIGKILL, signal.SIGTERM

    def lives(name: str) -> Callable[[Living, float], bool]:
        return lambda site, since: site.lives(name)

    def works(site: Living, since: float) -> bool:
        return site.is_looked_after(since)

    kinds = [
        Kind("web process, KILL", killing_a_child("web", kill)),
        Kind("worker, KILL", killing("worker", kill), works),
        Kind("database, KILL", killing("postgres", kill)),
        Kind("gunicorn, KILL", killing("web", kill), lives("web")),
        Kind("broker, KILL", killing("valkey", kill), works),
        Kind("beat, KILL", killing("beat", kill), lives("beat")),
        Kind("trainer, KILL", killing("trainer", kill), lives("trainer")),
        Kind("connection's process, KILL", kill_backend),
        Kind("worker's child, KILL", killing_a_child("worker", kill), works),
        Kind("web process, TERM", killing_a_child("web", term)),
        Kind("worker, TERM", killing("worker", term), works),
        Kind("gunicorn, TERM", killing("web", term), lives("web")),
        Kind("broker, TERM", killing("valkey", term), works),
        Kind("beat, TERM", killing("beat", term), lives("beat")),
        Kind("trainer, TERM", killing("trainer", term), lives("trainer")),
        Kind("database, TERM", killing("postgres", term)),
        Kind("database connections cut", cut_connections),
        Kind("clients hang up", hang_up, is_death=False),
        Kind("clients' clocks jump", jump_clients, is_death=False),
        Kind("events locked", lock_table, is_death=False),
        Kind("database frozen", freezing("postgres"), is_death=False),
        Kind("web's clock jumps", jump_server, is_death=False),
        Kind("broker frozen", freezing("valkey"), works, is_death=False),
    ]
    if site.has_own_disk:
        kinds.append(Kind("disk full", fill_disk, is_death=False))
    return kinds
