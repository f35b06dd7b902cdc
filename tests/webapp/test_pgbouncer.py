"""Web processes behind a PgBouncer that pools transactions: no session state is relied upon."""

import os
import pwd
import shutil
import socket
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from tests.web_server import web_server
from webapp.events.models import Event
from webapp.profiles.models import Profile

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        PGBOUNCER is None, reason="No PgBouncer was found: `apt-get install pgbouncer`."
    ),
]
CONNECTIONS = 2
"""Fewer than threads that ask, so that they take turns at them."""
CLIENTS, ROUNDS = 6, 5
PASSWORD = "a long password"
CONFIGURATION = """
[databases]
* = host={host} port={server_port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
ignore_startup_parameters = extra_float_digits
logfile = {folder}/log
pidfile = {folder}/pid
"""


@pytest.fixture
def pooled(tmp_path_factory):
    """The address of the test's database by way of PgBouncer."""
    folder = tmp_path_factory.mktemp("pgbouncer")
    params = connection.get_connection_params()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = folder / "pgbouncer.ini"
    path.write_text(
        CONFIGURATION.format(
            host=params.get("host") or "127.0.0.1", server_port=params.get("port") or 5432,
            user=params["user"], password=params.get("password", ""),
            port=port, connections=CONNECTIONS, folder=folder,
        )
    )  # fmt: skip
    command = [str(PGBOUNCER), str(path)]
    if os.geteuid() == 0:  # which PgBouncer refuses
        command += ["-u", "nobody"]
        for part in (folder, path):
            shutil.chown(part, "nobody", pwd.getpwnam("nobody").pw_gid)
        make_enterable(folder)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not listens(port):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield f"postgres://{params['user']}@127.0.0.1:{port}/{params['dbname']}"
    finally:
        server.terminate()
        server.wait(20)


def make_enterable(folder: Path) -> None:
    """Let everyone enter the folders above, which pytest makes for its user alone."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and len(parent.parts) > 2:
            parent.chmod(parent.stat().st_mode | 0o011)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def log_in(address, name):
    """Return a browser of its own, logged in."""
    browser = requests.Session()
    browser.trust_env = False  # no proxy stands before our own machine
    ask(browser, "GET", address, "/login/")
    ask(browser, "POST", address, "/login/", data={"username": name, "password": PASSWORD})
    return browser


def ask(browser, method, address, path, **body):
    headers = {"X-CSRFToken": browser.cookies.get("csrftoken", "")}
    answer = browser.request(method, address + path, headers=headers, timeout=60, **body)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"


def visit(browser, address, film):
    for _ in range(ROUNDS):
        for path in ("/", film.get_absolute_url(), "/search/?q=noon", "/api/v1/suggest?q=cas"):
            ask(browser, "GET", address, path)
        event = {"id": str(uuid.uuid4()), "kind": "open", "title": film.pk}
        event["occurred_at"] = timezone.now().isoformat()
        ask(browser, "POST", address, "/api/v1/events", json={"events": [event]})


def test_pages_and_events_by_way_of_a_pool_of_transactions(release, films, pooled, tmp_path):
    for n in range(CLIENTS):
        user = User.objects.create_user(f"viewer-{n}", password=PASSWORD)
        Profile.objects.create(account=user, name=f"Viewer {n}")
    with (
        web_server(tmp_path, processes=2, DATABASE_URL=pooled, MARQUEE_PGBOUNCER="1") as server,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        # in turn: a process refuses to hash two passwords at once
        browsers = [log_in(server.address, f"viewer-{n}") for n in range(CLIENTS)]
        list(clients.map(visit, browsers, [server.address] * CLIENTS, films[:CLIENTS]))
        for browser in browsers:
            browser.close()
    assert "Traceback" not in (tmp_path / "server.log").read_text()
    opens = Event.objects.filter(kind="open", surface="")
    assert opens.count() == CLIENTS * ROUNDS
