"""Secrets are kept and private; requirements are known by all they include."""

import re
import sys

import pytest
from embedded import PASSWORD_DIGEST, ROOT, UV, Postgres, Venv, digest_of, fingerprint, secret
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


class Recorder:
    """A supervisor that starts nothing, and notes what it was to start."""

    def __init__(self, uv_status=0):
        self.commands = []
        self._uv_status = uv_status

    def run(self, child):
        self.commands.append(" ".join(child.command[2:]))
        return self._uv_status if child.name == "uv" else 0

    step = run


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    return Venv(tmp_path)


def test_locked_packages_are_installed_by_hash_and_then_the_rest_once(environment):
    supervisor = Recorder()
    for _ in range(2):
        environment.prepare("requirements-demo.txt", supervisor)
    uv, locked, rest = supervisor.commands
    assert uv.endswith(UV)
    assert locked.startswith("uv pip install")
    assert locked.endswith("--no-deps --require-hashes -r requirements-demo.lock")
    assert rest.startswith("pip install")
    assert rest.endswith(" -r requirements-demo.txt")


def test_pip_installs_them_by_hash_too_where_uv_fails(environment):
    supervisor = Recorder(uv_status=2)
    environment.prepare("requirements-demo.txt", supervisor)
    assert supervisor.commands[2].startswith("pip install")
    assert supervisor.commands[2].endswith("--no-deps --require-hashes -r requirements-demo.lock")
    assert supervisor.commands[3].endswith(" -r requirements-demo.txt")


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_every_requirement_is_locked_as_it_is_pinned(path):
    """`script/lock` writes the locks anew after a change. PyTorch is not locked."""
    pin = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)

    def pins(text):
        return {(re.sub("[._-]+", "-", n).lower(), version) for n, version in pin.findall(text)}

    lock = path.with_suffix(".lock")
    locked = pins(lock.read_text())
    while include := re.search(r"^-r (\S+)", lock.read_text(), re.MULTILINE):
        lock = ROOT / include[1]
        locked |= pins(lock.read_text())
    missing = pins(path.read_text()) - locked
    assert {pin for pin in missing if pin[0] != "torch"} == set()
