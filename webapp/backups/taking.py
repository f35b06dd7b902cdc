"""Take a backup of a running site: database and artifacts in, one archive out."""

import os
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from recommender.errors import ArtifactError
from recommender.whole_folder import sync
from webapp.artifacts.store import StoreError, artifact_store
from webapp.backups.archive import DATABASE, SETTINGS, Manifest, Origin, read_archive, write_archive
from webapp.backups.drafts import draft_folder
from webapp.backups.errors import BackupError
from webapp.backups.kept_elsewhere import settings_to_keep
from webapp.backups.programs import dump_database, find_program, server_version
from webapp.releases.retention import kept_folders, pruning_paused

TUNING = "tuning"
DRAFT = ".marquee-backup-"
"""How the names of folders begin in which archives are written."""
TUNED = ("ials.json", "shape.json")


@dataclass(frozen=True)
class _Moment:
    """What the database said at the moment of the backup."""

    folders: list[str]
    migrations: list[str]


def take_backup(path: Path, now: datetime, *, every_artifact: bool = False) -> Manifest:
    """Write the database and the artifacts it goes by into a new file.

    The site may run: the database is read as it was at one moment, and until the artifacts of that
    moment are copied, none is deleted. The file gets its name when it is whole, was read back, and
    is on disk; a failure leaves nothing.

    Args:
        path: must not exist.
        now: the moment, for the manifest.
        every_artifact: those of all releases and rankers that are kept, which replaying old slates
            needs; else of the live ones, of the ones before, and of the newest of each kind.

    Raises:
        BackupError: the file exists, cannot be written, or pg_dump is missing or failed.
    """
    if path.exists():
        raise BackupError(f"{path} exists already, and a backup never replaces a file.")
    version = server_version()
    program = find_program("pg_dump", version)
    with _draft(path) as draft:
        archive = draft / "archive"
        with pruning_paused():
            moment = _dump(program, draft / DATABASE, every_artifact)
            (draft / SETTINGS).write_text(settings_to_keep(os.environ))
            artifacts, missing = _artifacts(moment.folders)
            files = {name: draft / name for name in (DATABASE, SETTINGS)} | artifacts | _tuned()
            origin = Origin(marquee_version(), now.isoformat(), version, moment.migrations, missing)
            manifest = write_archive(archive, origin, files)
        read_archive(archive)
        if path.exists():
            raise BackupError(f"{path} was made meanwhile, and a backup never replaces a file.")
        os.replace(archive, path)
        sync(path.parent)
    return manifest


def marquee_version() -> str:
    """Return this Marquee's version."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _dump(program: Path, file: Path, every_artifact: bool) -> _Moment:
    """Write the database's dump, and return what it says at that same moment."""
    newest = (settings.KEPT_RELEASES, settings.KEPT_RANKERS) if every_artifact else (1, 1)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        [snapshot] = cursor.fetchone()
        applied = MigrationRecorder(connection).applied_migrations()
        migrations = sorted(f"{app}.{name}" for app, name in applied)
        moment = _Moment(sorted(kept_folders(*newest)), migrations)
        dump_database(program, snapshot, file)
    return moment


def _artifacts(folders: Iterable[str]) -> tuple[dict[str, Path], list[str]]:
    """Return the files of artifacts' folders by name, and the folders that are gone.

    Raises:
        BackupError: the artifact store does not answer.
    """
    files: dict[str, Path] = {}
    missing = []
    for name in folders:
        try:
            folder = artifact_store().fetch(name)
        except ArtifactError:
            missing.append(name)
            continue
        except StoreError as error:
            raise BackupError(f"The artifacts cannot be read: {error}.") from error
        found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        files |= {f"{name}/{path.relative_to(folder).as_posix()}": path for path in found}
        if not found:
            missing.append(name)
    return files, missing


def _tuned() -> dict[str, Path]:
    """Return the files of iALS's settings as last tuned, by name."""
    files = {f"{TUNING}/{name}": settings.MARQUEE_HOME / TUNING / name for name in TUNED}
    return {name: path for name, path in files.items() if path.is_file()}


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside the path, for its owner alone; it is gone after the block.

    Raises:
        BackupError: it cannot be made or written.
    """
    try:
        with draft_folder(path.parent, DRAFT) as draft:
            yield draft
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {error}.") from error
