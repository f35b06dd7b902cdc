"""A real standby of the test's server: dashboards and exports alone read from it."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection

from tests.web_server import web_server
from tests.webapp.test_pgbouncer import PASSWORD, log_in
from webapp.backups.errors import BackupError
from webapp.backups.programs import find_program, server_version
from webapp.profiles.models import Profile

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 60


@pytest.fixture
def standby():
    """Where a standby of the test's server listens, and a connection to it."""
    try:
        program = find_program("pg_basebackup", server_version())
    except BackupError as error:
        pytest.skip(str(error))
    params = connection.get_connection_params()
    if not str(params.get("host", "")).startswith("/"):
        pytest.skip("A standby is made of a server on this machine alone.")
    folder = Path(tempfile.mkdtemp(prefix="marquee-standby-"))  # short, for a socket's name
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # which PostgreSQL refuses
        user = pwd.getpwnam("nobody")
        shutil.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    try:
        subprocess.run([program, "--version"], cwd="/", check=True, capture_output=True, **as_user)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(folder)
        pytest.skip(f"nobody cannot run {program}: {error}")
    environment = os.environ | {"PGPASSWORD": params.get("password", ""), "LC_ALL": "C"}
    copy = [str(program), "-D", str(folder / "data"), "-R", "-X", "stream", "-c", "fast"]
    copy += ["-h", params["host"], "-p", str(params.get("port", 5432)), "-U", params["user"]]
    subprocess.run(copy, env=environment, cwd="/", check=True, **as_user)
    server = [str(program.with_name("postgres")), "-D", str(folder / "data")]
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")  # a standby may have no fewer
        options = [f"max_connections={cursor.fetchone()[0]}", "listen_addresses=", "port=5432"]
    for option in (*options, f"unix_socket_directories={folder}"):
        server += ["-c", option]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            server, env=environment, cwd="/", stdout=log, stderr=log, **as_user
        )
    wanted = {"dbname": params["dbname"], "user": params["user"], "host": str(folder)}
    try:
        wanted["password"] = params.get("password", "")
        with connected(wanted, process, folder / "log") as other:
            host = str(folder).replace("/", "%2F")
            who = f"{params['user']}:{params.get('password', '')}"
            yield f"postgres://{who}@{host}:5432/{params['dbname']}", other
    finally:
        process.send_signal(3)
        process.wait(SECONDS)
        shutil.rmtree(folder)


def connected(wanted, process, log):
    until = time.monotonic() + SECONDS
    while True:
        try:
            return psycopg.connect(**wanted, autocommit=True)
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)


def follow(other):
    """Wait until the standby has all that was written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()")
        [written] = cursor.fetchone()
    until = time.monotonic() + SECONDS
    while other.execute("SELECT pg_last_wal_replay_lsn() < %s", [written]).fetchone()[0]:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_dashboards_read_from_the_replica_and_pages_do_not(release, standby, tmp_path):
    url, other = standby
    User.objects.create_user("operator", password=PASSWORD, is_staff=True, is_superuser=True)
    viewer = User.objects.create_user("viewer", password=PASSWORD)
    follow(other)
    with web_server(tmp_path, processes=1, MARQUEE_REPLICA_URL=url) as server:
        operator = log_in(server.address, "operator")
        other.execute("SELECT pg_wal_replay_pause()")
        Profile.objects.create(account=viewer, name="Ana of late")
        own = log_in(server.address, "viewer")
        assert "Ana of late" in own.get(f"{server.address}/profiles/", timeout=60).text
        found = f"{server.address}/staff/people/?q=Ana"
        assert "Ana of late" not in operator.get(found, timeout=60).text
        other.execute("SELECT pg_wal_replay_resume()")
        follow(other)
        assert "Ana of late" in operator.get(found, timeout=60).text
        page = operator.get(f"{server.address}/staff/", timeout=60)
        assert page.status_code == 200
        operator.close()
        own.close()
    assert "Traceback" not in (tmp_path / "server.log").read_text()
