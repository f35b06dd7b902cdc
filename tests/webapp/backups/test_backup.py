"""A site is backed up while it runs, and comes back in an empty database and an empty home."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from webapp.artifacts.store import artifact_store
from webapp.backups import programs, restoring, taking
from webapp.backups.archive import DATABASE, SETTINGS, read_archive, read_manifest, write_archive
from webapp.backups.errors import BackupError
from webapp.backups.kept_elsewhere import SECRETS
from webapp.backups.programs import (
    dump_database,
    find_program,
    restore_database,
    server_version,
)
from webapp.engine import responses
from webapp.engine.replay import replay
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event
from webapp.events.visits import current_visit
from webapp.profiles.models import Rating
from webapp.releases.models import Release, TrainingRun
from webapp.releases.publishing import publish
from webapp.releases.retention import LOCK, prune_artifacts, pruning_paused
from webapp.slates.models import Slate

ROOT = Path(__file__).resolve().parents[3]


def elsewhere(work):
    """Do the work over another connection, as another process would."""

    def run():
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def lock_is_free():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            LOCK[:1],
        )
        return cursor.fetchone()[0] == 0


def counts():
    return {m.__name__: m.objects.count() for m in (Event, Slate, Rating, Release, TrainingRun)}


def backup(path, **options):
    out = StringIO()
    call_command("backup", str(path), stdout=out, stderr=out, **options)
    return out.getvalue()


def restore(path):
    out = StringIO()
    call_command("restore", str(path), stdout=out)
    return out.getvalue()


def artifacts(home):
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted((home / "artifacts").glob("run-*/**/*"))
        if path.is_file()
    }


def another_release(live):
    """A copy of the live release, as if it had been trained since."""
    run = TrainingRun.objects.create(status="succeeded")
    release = Release.objects.create(run=run, folder=f"artifacts/run-{run.pk}")
    shutil.copytree(live.fetch(), release.fetch())
    return release


def test_every_page_is_the_same_on_an_empty_machine(
    another_site, pg_dump, shown, empty_database, tmp_path, settings, monkeypatch
):
    (settings.MARQUEE_HOME / "tuning").mkdir(parents=True)
    (settings.MARQUEE_HOME / "tuning" / "ials.json").write_text("{}")
    monkeypatch.setenv("MARQUEE_SECRET_KEY", "a key that no archive holds")
    before, files = counts(), artifacts(settings.MARQUEE_HOME)
    path, home = tmp_path / "site.backup", tmp_path / "empty"
    words = backup(path)
    assert "MARQUEE_SECRET_KEY" in words
    with another_site(empty_database, home):
        assert "as it was at" in restore(path)
        assert (counts(), artifacts(home)) == (before, files)
        assert (home / "tuning" / "ials.json").read_text() == "{}"
        for slate in Slate.objects.all():
            again = replay(slate)
            assert again.differences == []
            assert again.notes == []
        assert [replay(slate).rows for slate in Slate.objects.order_by("pk")] == [
            replay(slate).rows for slate in sorted(shown, key=lambda slate: slate.pk)
        ]
        assert sorted(p.name for p in home.iterdir()) == ["artifacts", "tuning"]
        # and it goes on: keys are new, and what belongs together still does
        visit = current_visit(None, None, slate.created_at)
        assert Slate.objects.filter(pk=responses.home(visit, slate.created_at).slate_id).exists()
        assert TrainingRun.objects.create().pk > max(
            TrainingRun.objects.filter(status="succeeded").values_list("pk", flat=True)
        )


def test_a_backup_holds_names_of_secrets_and_no_secret(
    pg_dump, films, tmp_path, settings, monkeypatch
):
    for name in SECRETS:
        monkeypatch.setenv(name, "a-secret-that-no-archive-holds")
    monkeypatch.setenv("MARQUEE_OF_TOMORROW", "a-secret-that-no-archive-holds")
    path, target = tmp_path / "site.backup", tmp_path / "target"
    backup(path)
    target.mkdir()
    read_archive(path, target)
    listed = (target / SETTINGS).read_text()
    assert all(f"{name} (set)" in listed for name in SECRETS)
    assert "MARQUEE_OF_TOMORROW" in listed
    assert b"a-secret-that-no-archive-holds" not in path.read_bytes()


def test_every_secret_is_a_setting():
    source = (ROOT / "webapp" / "settings.py").read_text()
    assert {name for name in SECRETS if f'"{name}"' not in source} == set()


def test_the_site_goes_on_while_it_is_backed_up(
    another_site, pg_dump, shown, empty_database, cast, films, now, tmp_path, settings, monkeypatch
):
    """What is published, shown and pruned meanwhile changes nothing of the backup."""
    settings.KEPT_RELEASES = 2
    live = Release.objects.get(is_live=True)
    before, files = counts(), artifacts(settings.MARQUEE_HOME)

    def meanwhile():
        for _ in range(3):
            publish(another_release(live), now)
        record_events(
            current_visit(None, cast.owner, now),
            [EventDraft(uuid4(), "open", films[3].pk, now)],
            now,
        )
        return prune_artifacts()

    def dump_beside_it(*args):
        assert elsewhere(meanwhile) == 0
        dump_database(*args)
        assert elsewhere(prune_artifacts) == 0

    monkeypatch.setattr(taking, "dump_database", dump_beside_it)
    path, home = tmp_path / "site.backup", tmp_path / "empty"
    backup(path)
    assert counts() != before
    assert prune_artifacts() == 1, "the first one, once the backup is taken"
    assert not live.fetch().exists()
    with another_site(empty_database, home):
        restore(path)
        assert (counts(), artifacts(home)) == (before, files)
        assert Release.objects.get(is_live=True) == live
        assert all(not replay(slate).differences for slate in Slate.objects.all())


def test_a_backup_waits_for_who_deletes_and_leaves_no_lock(pg_dump):
    with pruning_paused():
        assert not lock_is_free()
        with pruning_paused():  # two backups at once
            pass
        assert elsewhere(prune_artifacts) == 0
    assert lock_is_free()
    prune_artifacts()
    assert lock_is_free()


def test_artifacts_that_are_kept_come_on_request_and_those_that_are_gone_are_named(
    pg_dump, release, tmp_path, now
):
    others = [another_release(release) for _ in range(3)]
    publish(others[0], now)
    shutil.rmtree(release.fetch())
    words = backup(tmp_path / "usual")
    assert f"{release.folder} is not in it" in words
    backup(tmp_path / "every", every_artifact=True)

    def folders(name):
        members = read_manifest(tmp_path / name).members
        return {"/".join(m.split("/")[:2]) for m in members if m.startswith("artifacts")}

    assert folders("usual") == {others[0].folder, others[2].folder}
    assert folders("every") == {other.folder for other in others}
    assert read_manifest(tmp_path / "usual").origin.missing == [release.folder]


def test_a_backup_replaces_no_file(pg_dump, tmp_path, monkeypatch):
    path = tmp_path / "site.backup"
    path.write_text("yesterday's")
    with pytest.raises(CommandError, match="never replaces a file"):
        backup(path)
    path.unlink()

    def another_is_faster(*args):
        dump_database(*args)
        path.write_text("another's")

    monkeypatch.setattr(taking, "dump_database", another_is_faster)
    with pytest.raises(CommandError, match="was made meanwhile"):
        backup(path)
    assert [p.read_text() for p in tmp_path.iterdir() if p.is_file()] == ["another's"]


def fails_in_dump(monkeypatch):
    def fail(*_):
        raise BackupError("pg_dump failed: no space left")

    monkeypatch.setattr(taking, "dump_database", fail)


def fails_in_writing(monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(taking, "write_archive", fail)


def writes_what_cannot_be_read(monkeypatch):
    def write_badly(path, *args):
        manifest = write_archive(path, *args)
        os.truncate(path, path.stat().st_size // 2)
        return manifest

    monkeypatch.setattr(taking, "write_archive", write_badly)


@pytest.mark.parametrize("fault", [fails_in_dump, fails_in_writing, writes_what_cannot_be_read])
def test_a_backup_that_fails_leaves_nothing(pg_dump, tmp_path, monkeypatch, fault):
    folder = tmp_path / "backups"
    folder.mkdir()
    fault(monkeypatch)
    with pytest.raises(CommandError, match=r"[Nn]o space left|cannot be read|cut short"):
        backup(folder / "site.backup")
    assert list(folder.iterdir()) == []
    assert lock_is_free()


def test_a_folder_that_is_not_there_is_refused_in_words(pg_dump, tmp_path):
    with pytest.raises(CommandError, match=r"The backup cannot be written: .*No such file"):
        backup(tmp_path / "none" / "site.backup")


def test_a_backup_has_its_name_when_it_is_on_disk(pg_dump, tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace

    def record_sync(descriptor):
        done.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    def record_replace(draft, path):
        done.append("named")
        replace(draft, path)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(os, "replace", record_replace)
    backup(tmp_path / "site.backup")
    assert done == ["archive", "named", tmp_path.name]


@pytest.fixture
def archive(pg_dump, films, tmp_path, settings):
    """A backup with artifacts of a release that nobody reads."""
    run = TrainingRun.objects.create(status="succeeded")
    release = Release.objects.create(run=run, folder=f"artifacts/run-{run.pk}", is_live=True)
    release.fetch().mkdir(parents=True)
    (release.fetch() / "weights").write_text("1")
    backup(tmp_path / "site.backup")
    return tmp_path / "site.backup"


def is_empty(home):
    with connection.cursor() as cursor:
        cursor.execute(restoring.TABLES)
        tables = cursor.fetchone()[0]
    return tables == 0 and not any(p for p in home.rglob("*") if p.is_file() or p.is_symlink())


def test_a_database_that_is_not_empty_is_refused(archive, tmp_path, settings):
    before = counts()
    settings.MARQUEE_HOME = tmp_path / "empty"
    with pytest.raises(CommandError, match=r"is not empty \(\d+ tables.*Make a new database"):
        restore(archive)
    assert counts() == before
    assert not settings.MARQUEE_HOME.exists()


@pytest.mark.parametrize("name", ["artifacts", "tuning"])
def test_a_home_that_is_not_empty_is_refused(another_site, archive, empty_database, tmp_path, name):
    home = tmp_path / "home-with-something"
    (home / name / "catalogue").mkdir(parents=True)
    with another_site(empty_database, home):
        with pytest.raises(CommandError, match=r"is not empty, and a restore .*MARQUEE_HOME"):
            restore(archive)
        assert is_empty(home)
    assert [path.name for path in home.iterdir()] == [name]


def cut(path):
    os.truncate(path, path.stat().st_size - 20_000)


def changed(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("spoil", [cut, changed])
def test_a_broken_archive_changes_nothing(another_site, archive, empty_database, tmp_path, spoil):
    home = tmp_path / "empty"
    spoil(archive)
    with another_site(empty_database, home):
        with pytest.raises(CommandError, match=r"cut short|changed since|cannot be read"):
            restore(archive)
        assert is_empty(home)


def test_a_database_that_cannot_be_filled_leaves_both_empty(
    another_site, archive, empty_database, tmp_path, monkeypatch
):
    home = tmp_path / "empty"

    def fill_in_part(program, file):
        assert any((home / "artifacts").iterdir()), "artifacts come first"
        with connection.cursor() as cursor:  # in the way of a table of the middle
            cursor.execute("CREATE DOMAIN releases_release AS text")
        restore_database(program, file)

    monkeypatch.setattr(restoring, "restore_database", fill_in_part)
    with another_site(empty_database, home):
        with pytest.raises(CommandError, match=r"pg_restore failed: (.|\n)*releases_release"):
            restore(archive)
        assert is_empty(home)


@pytest.mark.parametrize("migration", ["catalog.9999_of_tomorrow", "of_tomorrow.0001_initial"])
def test_an_archive_of_a_newer_marquee_is_refused(
    another_site, pg_dump, empty_database, tmp_path, migration
):
    app, name = migration.split(".")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())", [app, name]
        )
    try:
        backup(tmp_path / "site.backup")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM django_migrations WHERE app = %s AND name = %s", [app, name]
            )
    home = tmp_path / "empty"
    with another_site(empty_database, home):
        with pytest.raises(CommandError, match=f"newer Marquee .*{migration}.* then restore"):
            restore(tmp_path / "site.backup")
        assert is_empty(home)


def test_an_archive_of_a_newer_server_is_refused(archive, monkeypatch):
    monkeypatch.setattr(restoring, "server_version", lambda: 14)
    with pytest.raises(CommandError, match=r"comes from PostgreSQL \d+, and this server is Pos"):
        restore(archive)


def test_a_program_of_another_version_is_none(tmp_path, monkeypatch):
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.4 (Debian)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "WHEEL", "a_package_that_is_not_there")
    monkeypatch.setattr(programs, "DEBIAN", str(tmp_path / "none"))
    assert find_program("pg_dump", 15) == program
    with pytest.raises(BackupError) as refusal:
        find_program("pg_dump", 17)
    assert f"{program} is of version 15" in str(refusal.value)
    assert "apt-get install postgresql-client-17" in str(refusal.value)
    with pytest.raises(BackupError, match="its pg_restore was found neither"):
        find_program("pg_restore", 17)


def test_the_password_is_no_argument(pg_dump, tmp_path, monkeypatch):
    """Other users of the machine see a command's words."""
    seen, run = [], subprocess.run

    def record(command, **kwargs):
        seen.append(command)
        return run(command, **kwargs)

    monkeypatch.setattr(subprocess, "run", record)
    backup(tmp_path / "site.backup")
    password = connection.settings_dict["PASSWORD"]
    assert seen
    assert not password or not any(password in str(word) for words in seen for word in words)


def test_the_archive_names_what_it_holds(archive):
    manifest = read_manifest(archive)
    assert manifest.origin.version == taking.marquee_version()
    assert manifest.origin.postgresql == server_version()
    assert "slates.0001_from_events" in manifest.origin.migrations
    assert {DATABASE, SETTINGS} < manifest.members.keys()


def test_artifacts_come_from_the_bucket_and_go_back_to_it(
    pg_dump, release, bucket, settings, tmp_path, empty_database, another_site
):
    def files():
        folder = artifact_store().fetch(release.folder)
        return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    artifact_store().put(release.folder)
    put = files()
    settings.MARQUEE_HOME = tmp_path / "elsewhere"
    backup(tmp_path / "backup.tar")
    artifact_store().delete(release.folder)
    with another_site(empty_database, tmp_path / "restored"):
        restore(tmp_path / "backup.tar")
        settings.MARQUEE_HOME = tmp_path / "third"
        assert files() == put
