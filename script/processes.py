"""Process supervision: commands in; logged output and a complete stop of all of them out.

Standard library only: these scripts run before anything is installed.
"""

import contextlib
import errno
import fcntl
import json
import os
import platform
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.1
LOG_BYTES = 10_000_000
REVIVAL_SECONDS, LONGEST_REVIVAL_SECONDS = 0.5, 60.0
"""The first pause before what died is started again, doubled by every death in a row; the last."""
LONG_LIFE_SECONDS = 60.0
"""What lived so long begins with the first pause again."""
GRACE = ((signal.SIGTERM, 12.0), (signal.SIGKILL, 5.0))
"""Which signals end a process, and how many seconds each is given."""


class Failed(Exception):
    """Something a person has to mend; the message says what."""


class Stopped(Exception):
    """Somebody asked for the end, with Ctrl-C or SIGTERM."""


def say(text: str) -> None:
    """Print a line in one piece, for several threads do; nothing where nobody reads any more.

    A closed pipe or terminal must not keep the processes from being stopped.
    """
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def free_port() -> int:
    """Return a loopback port that nobody listens on now; another may take it any time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def status_of(address: str) -> int | None:
    """Return the HTTP status of our own site, asked without a proxy; None if nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@contextlib.contextmanager
def locked(path: Path, refusal: str) -> Iterator[None]:
    """Hold the file's lock, which dies with this process.

    Raises:
        Failed: another process holds it; the message is the refusal, with `{pid}` filled in.
    """
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Failed(refusal.format(pid=file.read().strip() or "unknown")) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextlib.contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Wait until no other start is at work in the folder."""
    number = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another start to finish with {folder}")
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def start_id(pid: int) -> str | None:
    """Identify one start of a process, because its number is used again; None if none runs."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if platform.system() == "Linux":
            return None
        result = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return result.stdout.strip() or None
    if fields[0] in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {fields[19]}"


@dataclass
class Child:
    """One process in a group of its own, so that a terminal's Ctrl-C reaches only the script.

    Its lines are kept in the log folder and shown with its name before them. One that has the
    `terminal` writes there itself, for its progress bars.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: str | Path = "/"
    user: str | None = None
    stdin: bytes = b""
    terminal: bool = False
    may_end: bool = False
    """Whether its end is no accident: what it does in the background is done then."""
    grace: Sequence[tuple[int, float]] = GRACE
    last_words: str = ""
    """Where a line of its own holds them, it gets the first signal of `grace`: it waits for others
    who do not know that they should go."""
    process: subprocess.Popen[bytes] | None = None
    lines: list[str] = field(default_factory=list)
    _pump: threading.Thread | None = None

    def start(self, logs: Path, *, show: bool = True) -> int:
        output = None if self.terminal else subprocess.PIPE
        self.process = subprocess.Popen(
            list(self.command),
            env=dict(self.environment),
            cwd=self.folder,
            stdin=subprocess.PIPE if self.stdin else subprocess.DEVNULL,
            stdout=output,
            stderr=None if self.terminal else subprocess.STDOUT,
            process_group=0,
            user=self.user,
            group=group_of(self.user) if self.user else None,
            extra_groups=[] if self.user else None,
        )
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
                stdin.write(self.stdin)
        if self.process.stdout:
            self._pump = threading.Thread(
                target=self._keep,
                args=(self.process.stdout, logs / f"{self.name}.log", show),
                daemon=True,
            )
            self._pump.start()
        return self.process.pid

    def _keep(self, output: IO[bytes], path: Path, show: bool) -> None:
        """Read to the end, come what may: who writes into a pipe that nobody reads dies of it."""
        log = Log(path)
        with output, contextlib.closing(log):
            for line in output:
                log.write(line)
                text = line.decode(errors="replace").rstrip()
                self.lines = [*self.lines[-19:], text]
                if self.last_words and self.last_words in text and self.process:
                    send(self.process.pid, self.grace[0][0])
                if show:
                    say(f"{self.name:>8} | {text}")

    @property
    def ended(self) -> int | None:
        """The exit status, or None while it runs."""
        return self.process.poll() if self.process else None

    def log_tail(self) -> str:
        """Return its last lines, for a message about its end."""
        if self._pump:
            self._pump.join(timeout=1)
        return "\n".join(self.lines[-10:])

    def stop(self) -> None:
        """End it and what it started; return when it is gone."""
        if self.process is None:
            return
        for number, seconds in self.grace:
            if self.process.poll() is not None:
                break
            send(self.process.pid, number, group=number == signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        send(self.process.pid, signal.SIGKILL, group=True)
        if self._pump:
            self._pump.join(timeout=2)


class Log:
    """A file of bounded size, and the one before it; what a full disk refuses is not kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._is_refused = False

    def write(self, line: bytes) -> None:
        try:
            self._open().write(line)
        except OSError as error:
            self.close()
            if not self._is_refused:
                say(f"{self._path} cannot be written: {error}; what comes is shown here alone")
            self._is_refused = True
        else:
            self._is_refused = False

    def close(self) -> None:
        if self._file:
            with contextlib.suppress(OSError):
                self._file.close()
        self._file = None

    def _open(self) -> IO[bytes]:
        if self._file and self._file.tell() > LOG_BYTES:
            self.close()
        if self._file is None:
            with contextlib.suppress(OSError):
                if self._path.stat().st_size > LOG_BYTES:
                    self._path.replace(self._path.with_suffix(".log.1"))
            self._file = self._path.open("ab", buffering=0)
        return self._file


@dataclass
class Revival:
    """When a process that died is started again.

    Attributes:
        child: the process.
        started: when it was started last, by the monotonic clock.
        deaths: how often it died in a row, none of its lives a long one.
        due: when it is to be started; None while it lives.
    """

    child: Child
    started: float
    deaths: int = 0
    due: float | None = None


def group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def send(pid: int, number: int, *, group: bool = False) -> None:
    """Signal a process, or its group; nothing where it is gone."""
    try:
        (os.killpg if group else os.kill)(pid, number)
    except OSError as error:
        if error.errno not in (errno.ESRCH, errno.EPERM):
            raise


class Supervisor:
    """Owns every process the script starts: waits with them, notices a death, stops them all.

    Signals only set a flag, which all waiting looks at, so that no process is ever started and
    not owned. Each one is written down in `run/`, for the next start to find it should this
    script be killed. A quiet one shows only what steps write to the terminal themselves.
    """

    def __init__(self, home: Path, *, quiet: bool = False) -> None:
        self.logs = home / "log"
        self._quiet = quiet
        self._run = home / "run"
        self._children: list[Child] = []
        self._step: Child | None = None
        self._stop_asked = False
        self._revives = False
        self._revivals: dict[str, Revival] = {}
        self._run.mkdir(parents=True, exist_ok=True)

    def listen(self) -> None:
        """From now on Ctrl-C, SIGTERM and a closed terminal end the next wait with Stopped.

        A closed terminal does not where `nohup` started us.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self.ask_to_stop()

    def ask_to_stop(self) -> None:
        """End the next wait with Stopped."""
        self._stop_asked = True

    def pid_of(self, name: str) -> int | None:
        """Return a started process's number; None where none of that name runs."""
        running = (c.process for c in self._children if c.name == name and c.ended is None)
        return next((process.pid for process in running if process), None)

    def start(self, child: Child) -> None:
        self._look()
        self.logs.mkdir(exist_ok=True)
        self._children.append(child)
        pid = child.start(self.logs, show=not self._quiet)
        note = self._run / f"{child.name}.json"
        record = {"pid": pid, "start_id": start_id(pid), "name": child.name}
        note.write_text(json.dumps(record | {"grace": list(child.grace)}))

    def run(self, child: Child) -> int:
        """Wait for its end; its exit status.

        Raises:
            Failed: a process beside it died.
        """
        self._step = child
        self.start(child)
        status = self.until(lambda: child.ended, f"{child.name} to end", seconds=None)
        self.stop(child)
        return status

    def step(self, child: Child) -> None:
        """Run it to its end.

        Raises:
            Failed: it ended badly, or a process beside it died.
        """
        status = self.run(child)
        if status != 0:
            raise Failed(f"{child.name} failed with status {status}. {child.log_tail()}".strip())

    def until(
        self,
        ask: Callable[[], T | None],
        what: str,
        seconds: float | None,
        every: float = POLL_SECONDS,
    ) -> T:
        """Return the first answer that is not None, while every started process lives.

        Raises:
            Failed: a process died, or the time is up.
            Stopped: the end was asked for.
        """
        end = time.monotonic() + (seconds or 0)
        while True:
            answer = ask()
            if answer is not None:
                return answer
            self._look()
            if seconds is not None and time.monotonic() > end:
                raise Failed(f"waited {seconds:.0f} s in vain for {what}")
            time.sleep(every)

    def wait_for_stop(self) -> None:
        """Wait until somebody asks for the end; start again what dies meanwhile."""
        now = time.monotonic()
        self._revivals = {c.name: Revival(c, now) for c in self._children if not c.may_end}
        self._revives = True
        with contextlib.suppress(Stopped):
            self.until(self._revive, "the end", seconds=None)

    def _revive(self) -> None:
        """Start what is due."""
        now = time.monotonic()
        for revival in self._revivals.values():
            if revival.due is not None and revival.due <= now:
                revival.due, revival.started = None, now
                say(f"starting {revival.child.name} again")
                self.start(revival.child)

    def _plan_revival(self, child: Child) -> None:
        """Say what died and when it is started again, later each time in a row."""
        now, revival = time.monotonic(), self._revivals[child.name]
        lived = now - revival.started
        revival.deaths = 1 if lived > LONG_LIFE_SECONDS else revival.deaths + 1
        pause = min(REVIVAL_SECONDS * 2 ** (revival.deaths - 1), LONGEST_REVIVAL_SECONDS)
        revival.due = now + pause
        words = child.log_tail()
        child.stop()  # what it left of its group
        self._forget(child)
        say(
            f"{child.name} ended with status {child.ended} after {lived:.0f} s; it is started "
            f"again in {pause:g} s. Its last lines:\n{words}"
        )

    def _look(self) -> None:
        if self._stop_asked:
            raise Stopped
        for child in self._children.copy():
            if child is self._step or child.ended is None:
                continue
            if not child.may_end and self._revives:
                self._plan_revival(child)
                continue
            if not child.may_end:
                words = child.log_tail()
                raise Failed(f"{child.name} ended with status {child.ended}:\n{words}")
            if child.ended and not self._quiet:
                say(f"{child.name} ended with status {child.ended}; all else goes on")
            self._forget(child)

    def stop(self, child: Child) -> None:
        child.stop()
        self._forget(child)

    def stop_all(self) -> None:
        """Stop what is left, the last one started first."""
        for child in reversed(self._children.copy()):
            if not self._quiet:
                say(f"stopping {child.name}")
            self.stop(child)

    def _forget(self, child: Child) -> None:
        self._children.remove(child)
        (self._run / f"{child.name}.json").unlink(missing_ok=True)

    def stop_orphans(self) -> None:
        """Stop what a killed script left running; call with the home's lock held.

        A process counts only if its `start_id` is ours, because its number may be another's now.
        """
        for note in sorted(self._run.glob("*.json"), key=lambda n: n.stat().st_mtime, reverse=True):
            with contextlib.suppress(ValueError, KeyError):
                record = json.loads(note.read_text())
                expected = record["start_id"]
                if expected is not None and start_id(record["pid"]) == expected:
                    say(f"stopping {record['name']}, left over from a start that was killed")
                    _end(record["pid"], expected, record["grace"])
            note.unlink(missing_ok=True)


def _end(pid: int, expected: str, grace: Sequence[tuple[int, float]]) -> None:
    """End a process that is no child of ours."""
    for number, seconds in grace:
        send(pid, number, group=number == signal.SIGKILL)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if start_id(pid) != expected:
                send(pid, signal.SIGKILL, group=True)
                return
            time.sleep(POLL_SECONDS)
    raise Failed(f"process {pid} does not end; stop it by hand")
