"""Queries that are written in SQL once, and then asked with other values.

Django takes longer to write a query of unions and windows than PostgreSQL takes to answer it. What
every response asks is written at its first use, with a stand-in for each value; from then on the
values take the places of the stand-ins.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

STAND_INS: dict[type, Callable[[int], Any]] = {
    int: lambda n: -2_000_000_000 - n,
    datetime: lambda n: datetime(2, 2, 2, tzinfo=UTC) + timedelta(days=n),
    UUID: lambda n: UUID(int=n + 1),
}
"""Values that no row has, of each kind that a query may be asked with."""


class Prepared:
    """A query over named values, of rows as `values_list` gives them."""

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"], **kinds: type) -> None:
        """Keep how to build it.

        Args:
            build: returns the query for values given by name.
            kinds: each value's name and kind, of `STAND_INS`. None may be given for any of them,
                and equals nothing.
        """
        self._build, self._kinds = build, kinds
        self._written: tuple[str, list[tuple[str, Any]]] | None = None

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Ask. One query."""
        if self._written is None:
            self._written = self._write()
        sql, places = self._written
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[name] if name else fixed for name, fixed in places])
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _write(self) -> tuple[str, list[tuple[str, Any]]]:
        """Return the SQL, and for each of its places the name of a value, or what stands there."""
        stand_ins = {
            name: STAND_INS[kind](number) for number, (name, kind) in enumerate(self._kinds.items())
        }
        sql, given = self._build(**stand_ins).query.sql_with_params()
        names = {stand_in: name for name, stand_in in stand_ins.items()}
        places = list(_places(given, names))
        lost = stand_ins.keys() - {name for name, _ in places}
        if lost:
            raise TypeError(f"the query does not ask for {', '.join(sorted(lost))}")
        return sql, places


def _places(given: Any, names: dict[Any, str]) -> Iterator[tuple[str, Any]]:
    for value in given:
        name = names.get(value, "") if isinstance(value, tuple(STAND_INS)) else ""
        yield name, value
