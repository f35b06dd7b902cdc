"""A web process waits for the database so long and no longer, whatever keeps it."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client

from tests.architecture.test_deployment import GOOD
from webapp.postgresql.timeouts import answers_within

ROOT = Path(__file__).resolve().parents[2]
SHOW = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    names = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
    for name in names:
        cursor.execute("SELECT current_setting(%s)", [name]); print(cursor.fetchone()[0])
print(connection.answer_seconds)
"""


@pytest.mark.parametrize(
    ("process", "expected"),
    [
        ("web", ["5s", "3s", "10s", "7.0"]),
        ("worker", ["1h", "36min", "2h", "None"]),
        ("", ["0", "0", "0", "None"]),
    ],
)
def test_each_process_has_its_time_outs(process, expected):
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=ROOT, env=GOOD | {"MARQUEE_PROCESS": process},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.split() == expected


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_takes_too_long_is_ended_by_the_server():
    with (
        pytest.raises(OperationalError, match="statement timeout"),
        answers_within(0.2),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(3)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0",)


@pytest.mark.django_db(transaction=True)
def test_a_server_that_hangs_is_given_up():
    """It does not end the statement itself; the next request has a new connection."""
    with (
        pytest.raises(OperationalError, match="did not answer within"),
        connections["default"].waiting(0.3),  # type: ignore[attr-defined]
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(1)")
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT pg_sleep(1)")  # until the server has noticed, and lets tests end


@pytest.mark.django_db(transaction=True)
def test_readiness_is_refused_soon_where_the_database_hangs(monkeypatch):
    monkeypatch.setattr("webapp.pages.health.READY_SECONDS", 0.2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    monkeypatch.setattr(
        "webapp.postgresql.timeouts.LIMITS",
        "SELECT set_config('statement_timeout', %(ms)s, true), pg_sleep(2)",
    )
    response = Client().get("/readyz")
    assert (response.status_code, response.content) == (503, b"The database does not answer.")
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(2)")
