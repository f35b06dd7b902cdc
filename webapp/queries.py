"""Queries kept as SQL files, read once: named values in, rows out.

Django takes longer to compile a query of unions and windows than PostgreSQL takes to answer it, so
what every response reads is kept as SQL in `sql/`. Each file has a twin in the ORM in its test.
"""

from pathlib import Path
from typing import Any, cast

from django.db import connection
from django.db.backends.utils import CursorWrapper


class Query:
    """A query with named parameters."""

    def __init__(self, path: Path) -> None:
        self.sql = path.read_text()

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows for these values. One query.

        Raises:
            ProgrammingError: a parameter has no value.
        """
        with binding_cursor() as cursor:
            cursor.execute(self.sql, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def execute(self, **values: Any) -> None:
        """Execute a statement that returns no rows. One query.

        Raises:
            ProgrammingError: a parameter has no value.
        """
        with binding_cursor() as cursor:
            cursor.execute(self.sql, values)


def binding_cursor() -> CursorWrapper:
    """Return a cursor of our backend (`webapp.postgresql`) that sends values beside statements."""
    return cast(CursorWrapper, cast(Any, connection).binding_cursor())


class Queries:
    """Several queries in one trip to the database, one after the other, with the same values.

    PostgreSQL takes several statements only with the values written into them.
    """

    def __init__(self, *queries: Query) -> None:
        self._sql = ";\n".join(query.sql for query in queries)

    def rows(self, **values: Any) -> list[list[tuple[Any, ...]]]:
        """Return the rows of each query, in their order. Each sees what was committed before it.

        Raises:
            ProgrammingError: a parameter has no value.
        """
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            sets = [cursor.fetchall()]
            while cursor.nextset():
                sets.append(cursor.fetchall())
        return sets
