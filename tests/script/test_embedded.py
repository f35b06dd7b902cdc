"""Secrets are kept and private; requirements are known by all they include."""

import pytest
from embedded import PASSWORD_DIGEST, Postgres, Venv, digest_of, fingerprint, secret
from processes import Failed


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "secrets" / "key"
    first = secret(path)
    assert len(first) >= 40
    assert secret(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_change_in_an_included_file_is_a_change(tmp_path):
    (tmp_path / "base.txt").write_text("one==1\n")
    outer = tmp_path / "outer.txt"
    outer.write_text("-r base.txt\ntwo==2\n")
    before = fingerprint(outer)
    assert fingerprint(outer) == before
    (tmp_path / "base.txt").write_text("one==2\n")
    assert fingerprint(outer) != before


def test_the_environment_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("MARQUEE_VENV", str(tmp_path))
    assert Venv.chosen().python == str(tmp_path / "bin" / "python")


class Cluster(Postgres):
    """One that is there already, under a home that holds this password."""

    def __init__(self, home, password):
        self._home = self._folder = home
        self._password = password


def test_a_cluster_that_outlived_its_home_is_refused(tmp_path):
    Cluster(tmp_path, "old").data.mkdir()
    Cluster(tmp_path, "any").check_password()  # made before the note was kept
    (tmp_path / "postgres" / PASSWORD_DIGEST).write_text(digest_of("old"))
    Cluster(tmp_path, "old").check_password()
    with pytest.raises(Failed, match="made with another password"):
        Cluster(tmp_path, "new").check_password()
