"""The way of every import: check lines, COPY them into a temporary table, count what came of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from tqdm import tqdm

from webapp.catalog.importers.errors import BadValue, ImportRefused, Problem, StrictRefused
from webapp.catalog.importers.fields import Column, known_columns
from webapp.catalog.importers.tables import PROGRESS_AFTER_SECONDS, Row, Table

IMPORT_LOCK = 7_365_001
"""Any number that nothing else in this database locks: only one import runs at a time."""
PROGRESS_EVERY_LINES = 2_000


def ignore_problem(problem: Problem) -> None:
    """Count a problem without telling anybody."""


@dataclass(frozen=True)
class Options:
    strict: bool = False
    dry_run: bool = False
    tell: Callable[[Problem], None] = ignore_problem
    """Called with each refused line, in the order they are found."""


@dataclass
class Report:
    """What became of the lines: each is counted once."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    """Lines that a later line of the same file replaces."""
    refused: int = 0
    ignored: list[str] = field(default_factory=list)
    """Columns of the file that nothing is known of."""

    def __str__(self) -> str:
        repeated = f", {self.repeated:,} repeated" if self.repeated else ""
        return (
            f"{self.created:,} created, {self.updated:,} updated, {self.unchanged:,} unchanged"
            f"{repeated}, {self.refused:,} refused"
        )


@contextmanager
def importing(options: Options, report: Report) -> Iterator[Any]:
    """A cursor in one transaction, rolled back on a dry run and on any error."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [IMPORT_LOCK])
            if not cursor.fetchone()[0]:
                raise ImportRefused("another import is running; wait for it and start again")
            cursor.execute("SET LOCAL work_mem = '64MB'")
            cursor.execute("SET LOCAL jit = off")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            yield cursor
        refuse_if_strict(options, report)
        if options.dry_run:
            transaction.set_rollback(True)


def refuse_if_strict(options: Options, report: Report) -> None:
    """Stop where --strict was asked for and a line was refused."""
    if options.strict and report.refused:
        raise StrictRefused(
            f"{report.refused:,} lines were refused, so nothing was loaded; mend them, or load "
            "the rest without --strict"
        )


def stage(
    cursor: Any,
    copy: str,
    table: Table,
    columns: Mapping[str, Column],
    options: Options,
    report: Report,
) -> None:
    """Check each line and COPY the good ones.

    The COPY statement names the line number and the table's known columns, in their order.
    """
    where = known_columns(table, columns)
    report.ignored = [name for name in table.columns if name not in columns]
    with cursor.copy(copy) as into, progress(f"Reading {table.file}", table) as advance:
        for count, row in enumerate(table.rows):
            problem = row if isinstance(row, Problem) else None
            if not isinstance(row, Problem):
                try:
                    into.write_row([row.line, *[c.parse(row.values[at]) for at, c in where]])
                except BadValue:
                    problem = _explained(table, row, where)
            if problem:
                report.refused += 1
                options.tell(problem)
            if count % PROGRESS_EVERY_LINES == 0:
                advance(table.position.at)


def _explained(table: Table, row: Row, where: list[tuple[int, Column]]) -> Problem:
    """Which value of a refused row is bad; looked for only then, for most rows are good."""
    for at, column in where:
        try:
            column.parse(row.values[at])
        except BadValue as error:
            return table.problem(row.line, column.name, row.values[at], str(error))
    raise AssertionError("a row was refused whose values are all good")


def analyze(cursor: Any, *tables: type[Model] | str) -> None:
    """Tell the planner how large tables have become.

    What it learned when they held five rows would have it read them whole for every row we add,
    in our joins and in the checks of foreign keys alike: hours for a large catalogue.
    """
    for table in tables:
        name = table if isinstance(table, str) else table._meta.db_table
        cursor.execute(f"ANALYZE {name}")


@contextmanager
def progress(what: str, table: Table) -> Iterator[Callable[[int], None]]:
    """A bar on stderr once it takes over two seconds; call with how far it is."""
    with tqdm(
        desc=what,
        total=table.size or None,
        unit=table.unit,
        unit_scale=True,
        delay=PROGRESS_AFTER_SECONDS,
    ) as bar:

        def advance(position: int) -> None:
            bar.update(position - bar.n)

        yield advance
        advance(table.size)


def steps(what: str, total: int, unit: str = "steps") -> "tqdm[Any]":
    """A bar over a known number of steps, on stderr once it takes over two seconds."""
    return tqdm(
        desc=what, total=total, unit=unit, unit_scale=total > 1000, delay=PROGRESS_AFTER_SECONDS
    )
