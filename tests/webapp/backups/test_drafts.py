"""A backup and a restore leave nothing, and take away what one that was killed left behind."""

import os
import time

import pytest

from webapp.backups import restoring, taking
from webapp.backups.drafts import STALE_SECONDS, draft_folder


def left_behind(folder, *, seconds, file_seconds=None):
    """Make a folder that holds a file, both written so long ago."""
    folder.mkdir()
    file = folder / "database.dump"
    file.write_text("half")
    now = time.time()
    for path, age in ((file, file_seconds or seconds), (folder, seconds)):
        os.utime(path, (now - age, now - age))
    return folder


@pytest.mark.parametrize("prefix", [taking.DRAFT, restoring.DRAFT])
def test_what_a_kill_left_is_swept_after_a_day_and_nothing_else(tmp_path, prefix):
    old, new = STALE_SECONDS + 60, STALE_SECONDS - 60
    stale = left_behind(tmp_path / f"{prefix}stale", seconds=old)
    kept = [
        left_behind(tmp_path / f"{prefix}new", seconds=new),
        left_behind(tmp_path / f"{prefix}written", seconds=old, file_seconds=new),
        left_behind(tmp_path / "artifacts", seconds=old),
        left_behind(tmp_path / ".other-stale", seconds=old),
    ]
    (tmp_path / f"{prefix}link").symlink_to(kept[2])
    with draft_folder(tmp_path, prefix) as draft:
        assert draft.stat().st_mode & 0o777 == 0o700
        assert not stale.exists()
        assert all((folder / "database.dump").exists() for folder in kept)
    assert not draft.exists()


def test_a_draft_is_gone_whatever_happens(tmp_path):
    def fail():
        with draft_folder(tmp_path, ".draft-") as draft:
            (draft / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_backup_sweeps_beside_its_file_and_a_restore_in_the_home(tmp_path, settings, monkeypatch):
    settings.MARQUEE_HOME = tmp_path / "home"
    settings.MARQUEE_HOME.mkdir()
    monkeypatch.setattr(restoring, "read_archive", lambda path, draft: None)
    beside = left_behind(tmp_path / f"{taking.DRAFT}stale", seconds=STALE_SECONDS + 60)
    within = left_behind(settings.MARQUEE_HOME / ".restore-stale", seconds=STALE_SECONDS + 60)
    with taking._draft(tmp_path / "site.tar"):
        assert not beside.exists()
    with restoring._unpacked(tmp_path / "site.tar"):
        assert not within.exists()
