"""Restore a backup: one archive in, the database and the artifacts of an empty site out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from recommender.whole_folder import sync
from webapp.artifacts.store import StoreError, artifact_store
from webapp.backups.archive import DATABASE, FOLDERS, Manifest, read_archive, read_manifest
from webapp.backups.drafts import draft_folder
from webapp.backups.errors import BackupError
from webapp.backups.programs import find_program, restore_database, server_version
from webapp.releases.models import ARTIFACTS

DRAFT = ".restore-"
"""How the names of folders begin in which archives are unpacked."""
TABLES = """
SELECT count(*), min(c.relname)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
"""
"""Tables, views and sequences that are neither the server's nor an extension's."""


@dataclass(frozen=True)
class Restored:
    """A restored backup, and how many migrations are still to be applied."""

    manifest: Manifest
    pending_migrations: int


def restore_backup(path: Path) -> Restored:
    """Fill an empty database and an empty home from an archive.

    Nothing changes before the archive was read whole. The artifacts come first, then the database
    in one transaction; a failure leaves both empty.

    Raises:
        BackupError: the archive is broken or newer than this Marquee or this server, the database
            or the home is not empty, or pg_restore is missing or failed.
    """
    manifest = read_manifest(path)
    pending = _pending_migrations(path, manifest)
    version = server_version()
    if manifest.origin.postgresql > version:
        raise BackupError(
            f"{path} comes from PostgreSQL {manifest.origin.postgresql}, and this server is "
            f"PostgreSQL {version}. Restore it into that version or a newer one."
        )
    program = find_program("pg_restore", version)
    _refuse_filled_database()
    _refuse_filled_home()
    with _unpacked(path) as draft, _moved(draft):
        _put_artifacts(path)
        restore_database(program, draft / DATABASE)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Restored(manifest, pending)


def _pending_migrations(path: Path, manifest: Manifest) -> int:
    """Return how many of our migrations the archive's database lacks.

    Raises:
        BackupError: it has one that this Marquee does not know.
    """
    migrations = MigrationLoader(None).disk_migrations
    ours = {f"{app}.{name}" for app, name in migrations}
    replaced = {f"{app}.{name}" for m in migrations.values() for app, name in m.replaces}
    applied = set(manifest.origin.migrations)
    if newer := sorted(applied - ours - replaced):
        raise BackupError(
            f"{path} was written by a newer Marquee ({manifest.origin.version}): this one does not "
            f"know the migration {newer[0]}. Install that version or a newer one, then restore."
        )
    return len(ours - applied)


def _refuse_filled_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        count, first = cursor.fetchone()
    if count:
        name = connection.settings_dict["NAME"]
        raise BackupError(
            f"The database {name} is not empty ({count} tables, views and sequences, {first} for "
            "one), and a restore changes nothing that is there. Make a new database, name it in "
            "DATABASE_URL, and do not migrate it before."
        )


def _refuse_filled_home() -> None:
    for name in FOLDERS:
        folder = settings.MARQUEE_HOME / name
        if folder.exists() and any(folder.iterdir()):
            raise BackupError(
                f"{folder} is not empty, and a restore changes nothing that is there. Move it "
                "away, or name another folder in MARQUEE_HOME."
            )


def _put_artifacts(path: Path) -> None:
    """Give other hosts the restored artifacts.

    Raises:
        BackupError: the artifact store does not take them.
    """
    store = artifact_store()
    try:
        for folder in (settings.MARQUEE_HOME / ARTIFACTS).glob("*/"):
            store.put(f"{ARTIFACTS}/{folder.name}")
    except StoreError as error:
        raise BackupError(f"{path} cannot be restored: {error}.") from error


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Yield a folder of the home that holds the archive's files; it is gone after the block.

    Raises:
        BackupError: the archive is broken, or the home cannot be written.
    """
    try:
        settings.MARQUEE_HOME.mkdir(parents=True, exist_ok=True)
        with draft_folder(settings.MARQUEE_HOME, DRAFT) as draft:
            read_archive(path, draft)
            yield draft
    except OSError as error:
        raise BackupError(f"{path} cannot be restored: {error}.") from error


@contextmanager
def _moved(draft: Path) -> Iterator[None]:
    """Move the draft's artifacts into the home; a block that raises takes them away again."""
    placed = []
    try:
        for name in FOLDERS:
            target = settings.MARQUEE_HOME / name
            for entry in sorted((draft / name).glob("*")):
                target.mkdir(exist_ok=True)
                placed.append(target / entry.name)
                shutil.move(entry, placed[-1])
            if target.exists():
                sync(target)
        sync(settings.MARQUEE_HOME)
        yield
    except BaseException:
        for path in placed:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise
