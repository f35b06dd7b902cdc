"""What is started is stopped, and nothing else is."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import processes
import pytest
from processes import (
    Child,
    Failed,
    Stopped,
    Supervisor,
    free_port,
    is_free,
    locked,
    start_id,
    status_of,
)

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def sleeper(name="sleeper", command=SLEEP):
    return Child(name, command, os.environ, grace=[(signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)])


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.stop_all()


@pytest.fixture
def signals_restored():
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_lock_refuses_the_second_and_names_the_first(tmp_path):
    def hold():
        return locked(tmp_path / "lock", "held by {pid}")

    with hold(), pytest.raises(Failed, match=f"held by {os.getpid()}"), hold():
        pass
    with hold():
        pass


def test_a_port_that_is_listened_on_is_not_free():
    port = free_port()
    assert is_free(port)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert not is_free(port)


def test_a_proxy_is_not_asked_for_our_own_site(monkeypatch):
    class Unready(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(503)

        def log_message(self, *words):
            """Say nothing."""

    nobody = f"http://127.0.0.1:{free_port()}/"
    monkeypatch.setenv("http_proxy", nobody)
    monkeypatch.delenv("no_proxy", raising=False)
    assert status_of(nobody) is None
    with HTTPServer(("127.0.0.1", 0), Unready) as site:
        threading.Thread(target=site.handle_request, daemon=True).start()
        assert status_of(f"http://127.0.0.1:{site.server_port}/") == 503


def test_a_process_is_told_from_a_later_one_with_its_number():
    first = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    assert start_id(first.pid) == start_id(first.pid) != start_id(os.getpid())
    first.kill()
    first.wait()
    assert start_id(first.pid) is None


def test_lines_are_kept_and_shown_with_their_name(supervisor, tmp_path, capsys):
    child = sleeper()
    supervisor.start(child)
    supervisor.until(lambda: child.lines or None, "its first line", seconds=10)
    assert (tmp_path / "log" / "sleeper.log").read_text() == "up\n"
    assert " sleeper | up\n" in capsys.readouterr().out


@pytest.mark.parametrize("status", [0, 3])
def test_what_may_end_ends_nothing_else(supervisor, capsys, status):
    brief = sleeper("brief", [sys.executable, "-c", f"raise SystemExit({status})"])
    brief.may_end = True
    supervisor.start(brief)
    other = sleeper()
    supervisor.start(other)
    supervisor.until(lambda: brief not in supervisor._children or None, "its end", seconds=10)
    supervisor.until(lambda: other.lines or None, "another's first line", seconds=10)
    assert ("brief ended with status 3; all else goes on" in capsys.readouterr().out) == (
        status == 3
    )
    assert other.ended is None


def test_a_death_ends_the_wait_and_says_whose_it_was(supervisor):
    supervisor.start(sleeper("brief", [sys.executable, "-c", "print('why'); raise SystemExit(3)"]))
    with pytest.raises(Failed, match=r"brief ended with status 3:\nwhy"):
        supervisor.until(lambda: None, "ever", seconds=10)


def test_a_step_that_fails_says_so(supervisor):
    with pytest.raises(Failed, match="step failed with status 2"):
        supervisor.step(sleeper("step", [sys.executable, "-c", "raise SystemExit(2)"]))


def test_a_wait_has_an_end(supervisor):
    with pytest.raises(Failed, match="in vain for rain"):
        supervisor.until(lambda: None, "rain", seconds=0.1)


def waits_while(supervisor, act):
    """Wait for the end as `script/demo` does, and let a thread act and ask for it."""
    failures = []

    def run():
        try:
            act()
        except AssertionError as error:
            failures.append(error)
        finally:
            supervisor.ask_to_stop()

    thread = threading.Thread(target=run)
    thread.start()
    supervisor.wait_for_stop()
    thread.join(20)
    assert not failures


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_dies_is_started_again_and_the_others_go_on(supervisor, capsys):
    child, other = sleeper("web"), sleeper("other")
    for started in (child, other):
        supervisor.start(started)
    pids = [child.process.pid, other.process.pid]

    def kill():
        os.kill(pids[0], signal.SIGKILL)
        until(lambda: child.process.pid != pids[0] and child.ended is None)

    waits_while(supervisor, kill)
    shown = capsys.readouterr().out
    assert "web ended with status -9 after 0 s; it is started again in 0.5 s" in shown
    assert "starting web again" in shown
    assert other.process.pid == pids[1]
    assert other.ended is None


def test_who_waits_for_others_is_asked_to_end_and_started_again(supervisor):
    """PostgreSQL lets nobody in after a SIGTERM, and waits for its clients for ever."""
    deaf = """import signal, time
signal.signal(signal.SIGTERM, lambda *_: print('I wait for all to leave', flush=True))
print('up', flush=True)
while True: time.sleep(0.1)"""
    child = sleeper("database", [sys.executable, "-c", deaf])
    child.grace, child.last_words = [(signal.SIGINT, 5.0), (signal.SIGKILL, 5.0)], "wait for all"
    supervisor.start(child)
    until(lambda: child.lines == ["up"])
    first = child.process.pid

    def ask():
        os.kill(first, signal.SIGTERM)
        until(lambda: child.process.pid != first and child.ended is None)

    waits_while(supervisor, ask)


def test_what_dies_again_and_again_waits_longer_each_time(supervisor, capsys, monkeypatch):
    monkeypatch.setattr(processes, "REVIVAL_SECONDS", 0.02)
    monkeypatch.setattr(processes, "LONGEST_REVIVAL_SECONDS", 0.1)
    supervisor.start(
        sleeper("brief", [sys.executable, "-c", "print('no luck'); raise SystemExit(1)"])
    )
    shown = []

    def enough():
        shown.append(capsys.readouterr().out)
        return "".join(shown).count("starting brief again") >= 5

    waits_while(supervisor, lambda: until(enough))
    pauses = re.findall(r"again in ([0-9.]+) s", "".join(shown))
    assert pauses[:5] == ["0.02", "0.04", "0.08", "0.1", "0.1"]
    assert "no luck" in "".join(shown)


def test_a_full_disk_ends_no_process_and_no_log(tmp_path, monkeypatch, capsys):
    """What cannot be written is shown alone; what comes once there is room again is kept."""
    log = processes.Log(tmp_path / "web.log")
    log.write(b"one\n")
    is_full = True
    opened = Path.open

    class Full:
        def write(self, line):
            raise OSError(28, "No space left on device")

        def tell(self):
            return 0

        def close(self):
            pass

    monkeypatch.setattr(
        Path, "open", lambda path, *a, **k: Full() if is_full else opened(path, *a, **k)
    )
    log.close()
    log.write(b"two\n")
    log.write(b"three\n")
    is_full = False
    log.write(b"four\n")
    log.close()
    assert (tmp_path / "web.log").read_bytes() == b"one\nfour\n"
    assert capsys.readouterr().out.count("No space left on device") == 1


def test_a_log_is_bounded_while_its_process_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "LOG_BYTES", 10)
    log = processes.Log(tmp_path / "web.log")
    for n in range(9):
        log.write(b"line %d\n" % n)
    log.close()
    assert (tmp_path / "web.log").stat().st_size <= 17
    assert (tmp_path / "web.log.1").stat().st_size <= 17


@pytest.mark.usefixtures("signals_restored")
def test_a_signal_ends_the_wait(supervisor):
    supervisor.listen()
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(Stopped):
        supervisor.until(lambda: None, "ever", seconds=10)


def test_all_are_stopped_the_last_first(supervisor, capsys):
    children = [sleeper("first"), sleeper("last")]
    for child in children:
        supervisor.start(child)
    supervisor.stop_all()
    assert [child.ended for child in children] == [-signal.SIGTERM, -signal.SIGTERM]
    stopped = [line for line in capsys.readouterr().out.splitlines() if line.startswith("stopping")]
    assert stopped == ["stopping last", "stopping first"]


SUPERVISE = """
import os, sys
from pathlib import Path
from processes import Child, Supervisor, say

supervisor = Supervisor(Path(sys.argv[1]))
supervisor.listen()
chatter = "import time\\nwhile True: print('tick', flush=True); time.sleep(0.05)"
try:
    for name in ("one", "two"):
        supervisor.start(Child(name, [sys.executable, "-c", chatter], os.environ))
    say("all up")
    supervisor.wait_for_stop()
finally:
    supervisor.stop_all()
"""


def take_terminal():
    """Make stdin the controlling terminal, whose end is a SIGHUP, also where our caller ignores it.

    `nohup` and some CI do, and what is ignored is inherited.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN])
@pytest.mark.usefixtures("signals_restored")
def test_a_closed_terminal_leaves_nothing_running(tmp_path, inherited):
    """Its lines could not be written any more, and that kept the processes from being stopped."""
    signal.signal(signal.SIGHUP, inherited)
    ours, theirs = pty.openpty()
    script = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(tmp_path)],
        cwd=Path(processes.__file__).parent,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    try:
        os.close(theirs)
        seen = b""
        while b"all up" not in seen:
            seen += os.read(ours, 1000)
        notes = (tmp_path / "run").glob("*.json")
        started = [json.loads(note.read_text())["pid"] for note in notes]
        os.close(ours)
        script.wait(20)
    finally:
        script.kill()
        Supervisor(tmp_path).stop_orphans()
    assert len(started) == 2
    assert [start_id(pid) for pid in started] == [None, None]


@pytest.mark.usefixtures("signals_restored")
def test_nohup_is_respected(supervisor):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervisor.listen()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_what_a_killed_script_left_is_stopped_by_the_next(tmp_path):
    child = sleeper()
    Supervisor(tmp_path).start(child)
    Supervisor(tmp_path).stop_orphans()
    assert child.process.wait(5) == -signal.SIGTERM
    assert list((tmp_path / "run").glob("*.json")) == []


def test_anothers_process_with_the_same_number_is_left_alone(tmp_path):
    child = sleeper()
    supervisor = Supervisor(tmp_path)
    supervisor.start(child)
    note = tmp_path / "run" / "sleeper.json"
    note.write_text(note.read_text().replace(start_id(child.process.pid), "an earlier one"))
    Supervisor(tmp_path).stop_orphans()
    time.sleep(0.3)
    assert child.ended is None
    child.stop()
