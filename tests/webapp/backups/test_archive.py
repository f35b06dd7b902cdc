"""An archive comes back as it was written, and anything else is refused in words."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from webapp.backups.archive import (
    DATABASE,
    FORMAT,
    MANIFEST,
    SETTINGS,
    Origin,
    read_archive,
    read_manifest,
    write_archive,
)
from webapp.backups.errors import BackupError

ORIGIN = Origin("0.1.0", "2026-03-01T12:00:00+00:00", 18, ["catalog.0001_initial"], [])
CONTENT = {
    DATABASE: b"what pg_dump wrote" * 1000,
    SETTINGS: b"MARQUEE_SECRET_KEY",
    "artifacts/run-1/ials/arrays.safetensors": bytes(range(256)) * 9,
    "tuning/ials.json": b"{}",
}


@pytest.fixture
def archive(tmp_path):
    files = {}
    for n, (name, content) in enumerate(CONTENT.items()):
        files[name] = tmp_path / f"file-{n}"
        files[name].write_bytes(content)
    path = tmp_path / "site.backup"
    write_archive(path, ORIGIN, files)
    return path


def rewritten(archive, change):
    """Write the archive again with its members, a list of headers and contents, changed."""
    with tarfile.open(archive) as tar:
        members = [(header, tar.extractfile(header).read()) for header in tar]
    path = archive.with_name("rewritten")
    with tarfile.open(path, "w") as tar:
        for header, content in change(members):
            if header.isreg():
                header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path


def with_manifest(members, /, **changes):
    (header, content), *others = members
    return [(header, json.dumps(json.loads(content) | changes).encode()), *others]


def test_an_archive_comes_back_as_it_was_written(archive, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    manifest = read_archive(archive, target)
    assert (manifest.format, manifest.origin) == (FORMAT, ORIGIN)
    files = {str(p.relative_to(target)): p for p in target.rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in files.items()} == CONTENT
    assert read_archive(archive) == read_manifest(archive) == manifest


def test_only_its_owner_may_read_an_archive(archive):
    assert archive.stat().st_mode & 0o777 == 0o600


def test_what_is_unpacked_is_on_disk(archive, tmp_path, monkeypatch):
    synced, fsync = set(), os.fsync

    def record(descriptor):
        synced.add(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    target = tmp_path / "target"
    target.mkdir()
    read_archive(archive, target)
    assert synced == {target, *target.rglob("*")}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.6, 0.95, 0.9999])
def test_an_archive_that_was_cut_short_is_refused(archive, tmp_path, share):
    with tarfile.open(archive) as tar:
        last = tar.getmembers()[-1]
    cut = tmp_path / "cut"
    cut.write_bytes(archive.read_bytes()[: int(share * (last.offset_data + last.size))])
    with pytest.raises(BackupError, match=r"cannot be read as a backup|cut short|no backup"):
        read_archive(cut)


def test_an_archive_cut_at_the_end_of_a_file_is_refused(archive):
    with pytest.raises(BackupError, match=r"lacks 1 files, tuning/ials.json for one: it was cut"):
        read_archive(rewritten(archive, lambda members: members[:-1]))


def test_any_byte_that_changed_is_seen(archive, tmp_path):
    content = bytearray(archive.read_bytes())
    with tarfile.open(archive) as tar:
        places = [header.offset_data for header in tar if header.name != MANIFEST]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        path = tmp_path / "changed"
        path.write_bytes(changed)
        with pytest.raises(BackupError, match="has changed since it was written"):
            read_archive(path)


def test_a_newer_archive_is_refused_before_its_rest_is_read(archive):
    def newer(members):
        return with_manifest(members, format=FORMAT + 1, something_new=[1])[:1]

    for read in (read_manifest, read_archive):
        with pytest.raises(BackupError, match=f"has format {FORMAT + 1}, and this version of"):
            read(rewritten(archive, newer))


OUTSIDE = [
    "/etc/cron.d/x",
    "../x",
    "artifacts/../../x",
    "artifacts/./x",
    "artifacts//x",
    "artifacts",
    "secrets/x",
    "artifacts/x\0y",
    "",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_path_outside_is_refused_though_the_manifest_names_it(archive, tmp_path, name):
    def outside(members):
        named = json.loads(members[0][1])["members"]
        named[name] = named["tuning/ials.json"]
        members[1][0].name = name
        return with_manifest(members, members=named)

    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(BackupError, match="belongs into no backup"):
        read_archive(rewritten(archive, outside), target)
    assert list(target.iterdir()) == []


def added(name="artifacts/x", kind=tarfile.REGTYPE, link=""):
    def change(members):
        header = tarfile.TarInfo(name)
        header.type, header.linkname = kind, link
        return [members[0], (header, b""), *members[1:]]

    return change


def replaced_by(kind):
    def change(members):
        header = tarfile.TarInfo(members[-1][0].name)
        header.type, header.linkname = kind, "/etc/passwd"
        named = json.loads(members[0][1])["members"]
        named[header.name]["size"] = 0
        return [*with_manifest(members, members=named)[:-1], (header, b"")]

    return change


STRANGE = {
    "a file that is not named": added(),
    "a link out": added("artifacts/x", tarfile.SYMTYPE, "/etc"),
    "a path out": added("../x"),
    "a file twice": lambda members: [*members, members[-1]],
    "a longer file": lambda members: [*members[:-1], (members[-1][0], b"{} ")],
    "a symbolic link": replaced_by(tarfile.SYMTYPE),
    "a hard link": replaced_by(tarfile.LNKTYPE),
    "a folder": replaced_by(tarfile.DIRTYPE),
    "a device": replaced_by(tarfile.CHRTYPE),
    "a pipe": replaced_by(tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE)
def test_a_member_that_is_not_as_the_manifest_says_is_refused(archive, tmp_path, change):
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(BackupError, match="not as its manifest says"):
        read_archive(rewritten(archive, change), target)
    assert not any(path.is_symlink() for path in target.rglob("*"))
    assert not (tmp_path / "x").exists()


NO_MANIFESTS = [b"", b"[]", b"{}", b"null", b'{"format": 1}', b"[" * 100_000, b"\xff"]


@pytest.mark.parametrize("content", NO_MANIFESTS)
def test_a_manifest_that_is_none_is_refused(archive, content):
    broken = rewritten(archive, lambda members: [(members[0][0], content), *members[1:]])
    with pytest.raises(BackupError, match="cannot be read as a backup"):
        read_archive(broken)


@pytest.mark.parametrize("lost", [DATABASE, SETTINGS])
def test_an_archive_without_a_database_or_settings_is_refused(archive, lost):
    def without(members):
        named = json.loads(members[0][1])["members"]
        del named[lost]
        return with_manifest(members, members=named)

    with pytest.raises(BackupError, match=f"it has no {lost}"):
        read_manifest(rewritten(archive, without))


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "notes").write_text("Remember the milk.\n" * 1000)
    with tarfile.open(tmp_path / "packed", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(MANIFEST))
    with tarfile.open(tmp_path / "other", "w") as tar:
        tar.addfile(tarfile.TarInfo("README"))
    for name in ("notes", "packed", "other", "none", "."):
        with pytest.raises(BackupError, match=r"cannot be read as a backup|is no backup"):
            read_archive(tmp_path / name)
