"""A connection is checked by its socket, one that has ended is replaced, and values are bound."""

import time

import psycopg
import pytest
from django.db import connection

from webapp.queries import Query

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_connection_that_works_is_asked_nothing(monkeypatch):
    connection.ensure_connection()
    monkeypatch.setattr(type(connection.connection), "cursor", lambda self: 1 / 0)
    assert connection.is_usable()


def test_one_that_the_server_has_ended_is_replaced():
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    time.sleep(0.2)
    assert not connection.is_usable()
    connection.health_check_enabled, connection.health_check_done = True, False  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != pid


def test_no_connection_is_none_to_use():
    connection.close()
    assert not connection.is_usable()


def test_values_of_a_query_stand_beside_its_statement(tmp_path):
    (tmp_path / "query.sql").write_text(
        "SELECT current_query(), %(word)s::text, %(numbers)s::int[]"
    )
    query = Query(tmp_path / "query.sql")
    for word in ("a'b", "%(c)s", "\\"):
        [(statement, same, numbers)] = query.rows(word=word, numbers=[1, 70_000])
        assert statement == "SELECT current_query(), $1::text, $2::int[]"
        assert (same, numbers) == (word, [1, 70_000])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        assert cursor.fetchone() == (0,), "a pool may give the next statement another connection"
