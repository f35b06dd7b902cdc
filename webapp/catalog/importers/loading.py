"""The steps all imports share: transaction and lock, checking lines, COPY, progress, report."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from tqdm import tqdm

from webapp.catalog.importers.errors import BadValue, ImportRefused, Problem, StrictRefused
from webapp.catalog.importers.fields import Column, known_name, match_columns
from webapp.catalog.importers.tables import PROGRESS_AFTER_SECONDS, Row, Table

IMPORT_LOCK = 7_365_001
"""Key of the advisory lock that lets one import run at a time; unique in this database."""
PROGRESS_EVERY_LINES = 2_000


def ignore_problem(problem: Problem) -> None:
    """Do nothing with a refused line; the report still counts it."""


@dataclass(frozen=True)
class Options:
    """How to import: `strict` loads nothing if a line is refused, `dry_run` rolls back."""

    strict: bool = False
    dry_run: bool = False
    on_problem: Callable[[Problem], None] = ignore_problem
    """Called with each refused line, in the order of the file."""


@dataclass
class Report:
    """The outcome of an import, in lines; each line is counted once."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    """Lines replaced by a later line of the same file."""
    refused: int = 0
    ignored: list[str] = field(default_factory=list)
    """Columns of the file that the importer does not have."""
    notes: list[str] = field(default_factory=list)
    """How the file was read, where that may be a surprise; a sentence each."""

    def __str__(self) -> str:
        repeated = f", {self.repeated:,} repeated" if self.repeated else ""
        return (
            f"{self.created:,} created, {self.updated:,} updated, {self.unchanged:,} unchanged"
            f"{repeated}, {self.refused:,} refused"
        )


@contextmanager
def import_transaction(options: Options, report: Report) -> Iterator[Any]:
    """Yield a cursor in one transaction, rolled back on a dry run and on any error.

    Raises:
        ImportRefused: Another import is running, or a line was refused and `strict` is set.
    """
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
    """Raise StrictRefused if `strict` is set and a line was refused."""
    if options.strict and report.refused:
        raise StrictRefused(
            f"{report.refused:,} lines were refused, so nothing was loaded; correct them, or load "
            "the rest without --strict"
        )


def copy_valid_lines(
    cursor: Any,
    copy_statement: str,
    table: Table,
    columns: Mapping[str, Column],
    options: Options,
    report: Report,
) -> None:
    """Parse every line of the table and COPY the valid ones; report the others.

    `copy_statement` has the line number first, then the matched columns in the table's order.
    """
    matched = match_columns(table, columns)
    report.ignored = [name for name in table.columns if known_name(name, columns) is None]
    report.notes += table.notes
    with (
        cursor.copy(copy_statement) as copy,
        progress_bar(f"Reading {table.file}", table) as advance,
    ):
        for count, row in enumerate(table.rows):
            problem = row if isinstance(row, Problem) else None
            if not isinstance(row, Problem):
                try:
                    copy.write_row([row.line, *[c.parse(row.values[n]) for n, c in matched]])
                except BadValue:
                    problem = _problem_of(table, row, matched)
            if problem:
                report.refused += 1
                options.on_problem(problem)
            if count % PROGRESS_EVERY_LINES == 0:
                advance(table.position.offset)


def _problem_of(table: Table, row: Row, matched: list[tuple[int, Column]]) -> Problem:
    """Return which value of a refused row is bad; a second pass, because most rows are valid."""
    for index, column in matched:
        try:
            column.parse(row.values[index])
        except BadValue as error:
            return table.problem(row.line, column.name, row.values[index], str(error))
    raise AssertionError("a row was refused although all its values are valid")


def analyze(cursor: Any, *tables: type[Model] | str) -> None:
    """Update the planner's statistics of these tables.

    With statistics from when the tables were nearly empty, it would scan them for every inserted
    row, in joins and in foreign key checks: hours for a large catalogue.
    """
    for table in tables:
        name = table if isinstance(table, str) else table._meta.db_table
        cursor.execute(f"ANALYZE {name}")


@contextmanager
def progress_bar(description: str, table: Table) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr after two seconds; yield a function that takes the current offset."""
    with tqdm(
        desc=description,
        total=table.size or None,
        unit=table.unit,
        unit_scale=True,
        delay=PROGRESS_AFTER_SECONDS,
    ) as bar:

        def advance(offset: int) -> None:
            bar.update(offset - bar.n)

        yield advance
        advance(table.size)


def step_bar(description: str, total: int, unit: str = "steps") -> "tqdm[Any]":
    """Return a bar over a known number of steps, shown on stderr after two seconds."""
    return tqdm(
        desc=description,
        total=total,
        unit=unit,
        unit_scale=total > 1000,
        delay=PROGRESS_AFTER_SECONDS,
    )
