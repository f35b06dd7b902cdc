"""A filled site of an earlier version is migrated, and shows what it showed."""

import io

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from webapp.engine import responses
from webapp.engine.replay import replay
from webapp.events.visits import current_visit
from webapp.slates.models import Slate

EARLIER = [
    ("events", "0011_evidence_versions"),
    ("metrics", "0005_conversion_rate"),
    ("profiles", "0007_sessions_and_versions"),
]
"""Where the migrations of some apps stood; the others are as they are now."""
COLUMNS = """
SELECT c.table_name::text, array_agg(c.column_name::text)
FROM information_schema.columns AS c
JOIN information_schema.tables AS t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
    AND c.table_name <> 'django_migrations'
GROUP BY c.table_name
"""


def columns():
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        return {table: set(names) for table, names in cursor.fetchall()}


def listed(names):
    return ", ".join(f'"{name}"' for name in sorted(names))


def read(table, names):
    content = io.BytesIO()
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({listed(names)}) TO STDOUT') as rows,
    ):
        for row in rows:
            content.write(row)
    return content.getvalue()


def write(table, names, content):
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({listed(names)}) FROM STDIN') as rows,
    ):
        rows.write(content)


def clear(tables):
    """Take out what migrations put into tables, which is in the content too."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {listed(tables)} CASCADE")


PLAYS = """
SELECT visit_id, profile_id, title_id, began_at, qualified_at, last_at, last_kind
FROM events_play
ORDER BY visit_id, title_id
"""
KEPT_BY_TRIGGERS = {"events_play", "profiles_evidenceversion"}


def plays():
    with connection.cursor() as cursor:
        cursor.execute(PLAYS)
        return cursor.fetchall()


def test_a_filled_site_of_an_earlier_version_shows_what_it_showed(
    shown, empty_database, another_site, now, settings
):
    now_columns, content = columns(), {}
    kept_plays = plays()
    assert kept_plays
    with another_site(empty_database, settings.MARQUEE_HOME):
        executor = MigrationExecutor(connection)
        apps = {app for app, _ in EARLIER}
        leaves = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] not in apps]
        executor.migrate([*EARLIER, *leaves])
        earlier = columns()
    assert "events_play" not in earlier, "it was a view then"
    tables = sorted((now_columns.keys() & earlier.keys()) - KEPT_BY_TRIGGERS)
    for table in tables:
        content[table] = read(table, earlier[table] & now_columns[table])
    assert content["events_slate"]
    with another_site(empty_database, settings.MARQUEE_HOME):
        with transaction.atomic():
            clear(tables)
            for table in tables:
                write(table, earlier[table] & now_columns[table], content[table])
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        assert columns() == now_columns
        assert plays() == kept_plays
        for slate in Slate.objects.all():
            again = replay(slate)
            assert (again.differences, again.notes) == ([], [])
        assert Slate.objects.count() == len(shown)
        visit = current_visit(None, None, now)
        assert responses.home(visit, now).slate_id
