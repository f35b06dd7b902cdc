"""Archives: files and a manifest in, one tar file out, and back; every byte is checked.

    manifest.json   format, version, migrations, and every other member with its size and SHA-256
    settings.txt    names of the settings that must be kept elsewhere
    database.dump   what pg_dump wrote, in its custom format
    artifacts/...   folders of releases and rankers, as below MARQUEE_HOME
    tuning/...      iALS's settings as last tuned, as below MARQUEE_HOME

The manifest stands first, so that an archive of another format is refused before its rest is read.
Only plain files are members, and only those that the manifest names: no links, no folders, no path
that leads outside. The tar file is not compressed, so what comes out is no larger than the archive.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from cattrs import BaseValidationError, Converter

from recommender.whole_folder import sync
from webapp.backups.errors import BackupError

FORMAT = 1
"""A change that an older Marquee would misread raises it."""
MANIFEST, SETTINGS, DATABASE = "manifest.json", "settings.txt", "database.dump"
FOLDERS = ("artifacts", "tuning")
"""What is kept of MARQUEE_HOME."""
MOST_MANIFEST_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
_converter = Converter(forbid_extra_keys=True)


@dataclass(frozen=True)
class Member:
    """A file of the archive."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Origin:
    """Where a backup comes from.

    Attributes:
        version: of Marquee.
        created_at: when, ISO 8601.
        postgresql: the server's major version.
        migrations: all that were applied, each as `app.name`.
        missing: folders of releases and rankers whose artifacts were gone.
    """

    version: str
    created_at: str
    postgresql: int
    migrations: list[str]
    missing: list[str]


@dataclass(frozen=True)
class Manifest:
    format: int
    origin: Origin
    members: dict[str, Member]


def write_archive(path: Path, origin: Origin, files: Mapping[str, Path]) -> Manifest:
    """Write an archive, readable by its owner alone, and wait until it is on disk.

    Args:
        path: must not exist; what a failure leaves there is no archive.
        origin: goes into the manifest.
        files: by their names in the archive; they must not change meanwhile.
    """
    members = {name: Member(*_described(file)) for name, file in sorted(files.items())}
    manifest = Manifest(FORMAT, origin, members)
    content = json.dumps(asdict(manifest), indent=2).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
        tar.addfile(_header(MANIFEST, len(content)), io.BytesIO(content))
        for name, member in members.items():
            with files[name].open("rb") as file:
                tar.addfile(_header(name, member.size), file)
    sync(path)
    return manifest


def read_manifest(path: Path) -> Manifest:
    """Return an archive's manifest; the rest is not read.

    Raises:
        BackupError: the file is no archive, or one of another format.
    """
    with _reading(path) as tar:
        return _read_manifest(path, tar)


def read_archive(path: Path, folder: Path | None = None) -> Manifest:
    """Read an archive whole and check every member.

    Args:
        path: the archive.
        folder: where its members are written, and on disk when this returns; it must be empty, and
            holds anything after an error. None writes nothing.

    Raises:
        BackupError: the archive is broken, holds what its manifest does not name, or is of another
            format.
    """
    with _reading(path) as tar:
        manifest = _read_manifest(path, tar)
        left = dict(manifest.members)
        while (header := tar.next()) is not None:
            expected = left.pop(header.name, None)
            if expected is None or not _is_plain(header) or header.size != expected.size:
                raise BackupError(
                    f"{path} holds {header.name!r}, which is not as its manifest says: it is "
                    "damaged or was tampered with. Restore another backup."
                )
            content = _content(tar, header)
            if _copied(content, folder / header.name if folder else None) != expected.sha256:
                raise BackupError(
                    f"{header.name} in {path} has changed since it was written. Restore another "
                    "backup."
                )
    if left:
        raise BackupError(
            f"{path} lacks {len(left)} files, {min(left)} for one: it was cut short. Restore "
            "another backup."
        )
    if folder:
        for made in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
            sync(made)
        sync(folder)
    return manifest


def _read_manifest(path: Path, tar: tarfile.TarFile) -> Manifest:
    header = tar.next()
    if header is None or header.name != MANIFEST or not _is_plain(header):
        raise BackupError(f"{path} is no backup: it does not begin with {MANIFEST}.")
    if header.size > MOST_MANIFEST_BYTES:
        raise BackupError(f"{path} is no backup: its manifest has {header.size} bytes.")
    described = json.loads(_content(tar, header).read())
    written = described["format"]
    if written != FORMAT:
        raise BackupError(
            f"{path} has format {written!r}, and this version of Marquee reads format {FORMAT}. "
            "Restore it with the version that wrote it."
        )
    manifest = _converter.structure(described, Manifest)
    if wrong := sorted(name for name in manifest.members if not _is_inside(name)):
        raise BackupError(f"{path} names {wrong[0]!r}, which belongs into no backup.")
    if missing := {SETTINGS, DATABASE} - manifest.members.keys():
        raise BackupError(f"{path} is no backup: it has no {min(missing)}.")
    return manifest


def _is_inside(name: str) -> bool:
    """Return whether a member's name is one that we write."""
    path = PurePosixPath(name)
    if str(path) != name or "\0" in name or ".." in path.parts:
        return False
    return name in (SETTINGS, DATABASE) or (len(path.parts) > 1 and path.parts[0] in FOLDERS)


def _is_plain(header: tarfile.TarInfo) -> bool:
    return header.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not header.issparse()


def _content(tar: tarfile.TarFile, header: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(header)
    if content is None:
        raise tarfile.ReadError(f"{header.name!r} is no file")
    return content


@contextmanager
def _reading(path: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive, and turn whatever reading it raises into a BackupError."""
    try:
        with tarfile.open(path, "r:") as tar:
            yield tar
    except (
        tarfile.TarError, EOFError, OSError, OverflowError, RecursionError,
        LookupError, TypeError, ValueError, BaseValidationError,
    ) as error:  # fmt: skip
        raise BackupError(f"{path} cannot be read as a backup ({error}).") from error


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o600
    return header


def _described(file: Path) -> tuple[int, str]:
    with file.open("rb") as content:
        return file.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest()


def _copied(content: IO[bytes], target: Path | None) -> str:
    """Return the content's SHA-256; write it to a new file, on disk, where there is a target."""
    if target is None:
        return _hashed(content, None)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        digest = _hashed(content, file)
        file.flush()
        os.fsync(file.fileno())
    return digest


def _hashed(content: IO[bytes], file: IO[Any] | None) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
        if file:
            file.write(chunk)
    return digest.hexdigest()
