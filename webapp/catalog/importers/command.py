"""Base class of `load_catalogue` and `load_history`: options, help, problems and summary."""

from abc import abstractmethod
from argparse import RawDescriptionHelpFormatter
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from tqdm import tqdm

from webapp.catalog.importers.errors import ImportRefused, Problem
from webapp.catalog.importers.fields import Column
from webapp.catalog.importers.loading import Options, Report

SHOWN_PROBLEMS = 100


class _Help(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """A help formatter that leaves the table of columns as it is."""


class ImportCommand(BaseCommand):
    """A command that loads one file or folder."""

    requires_system_checks = []  # they would load the web app and its models: seconds for nothing
    requires_migrations_checks = True
    columns: Mapping[str, Column]
    path_help: str
    """What PATH may be."""
    subject: str
    """The plural of what is loaded, for the summary."""

    @abstractmethod
    def load(self, path: Path, options: Options) -> Report:
        """Load the path.

        Raises:
            ImportRefused: Nothing was loaded.
        """

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name,
            subcommand,
            formatter_class=_Help,
            epilog="Columns (* required):\n" + columns_text(self.columns),
            **kwargs,
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help=self.path_help)
        parser.add_argument(
            "--strict", action="store_true", help="Load nothing if any line is refused."
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Check and count everything, then roll back.",
        )
        parser.add_argument(
            "--problems",
            type=int,
            default=SHOWN_PROBLEMS,
            metavar="N",
            help=f"Show at most N refused lines; 0 shows all (default {SHOWN_PROBLEMS}).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        start = perf_counter()
        problems = _Problems(self, options["problems"])
        try:
            report = self.load(
                options["path"],
                Options(
                    strict=options["strict"], dry_run=options["dry_run"], on_problem=problems.write
                ),
            )
        except ImportRefused as error:
            problems.write_hidden_count()
            raise CommandError(str(error)) from error
        problems.write_hidden_count()
        for note in report.notes:
            self.stdout.write(note)
        if report.ignored:
            self.stdout.write(f"Columns that were ignored: {', '.join(report.ignored)}.")
        rolled_back = " Dry run: nothing was kept." if options["dry_run"] else ""
        seconds = perf_counter() - start
        self.stdout.write(f"{self.subject}: {report}, in {seconds:.1f} s.{rolled_back}")


class _Problems:
    """Writes refused lines to stderr, at most `limit`; on a terminal above the progress bar."""

    def __init__(self, command: BaseCommand, limit: int) -> None:
        self.command = command
        self.limit = limit
        self.hidden = 0
        self.shown = 0

    def write(self, problem: Problem) -> None:
        if self.limit and self.shown >= self.limit:
            self.hidden += 1
            return
        self.shown += 1
        with tqdm.external_write_mode() if self.command.stderr.isatty() else nullcontext():
            self.command.stderr.write(str(problem))

    def write_hidden_count(self) -> None:
        if self.hidden:
            self.command.stderr.write(
                f"and {self.hidden:,} more refused lines; --problems 0 shows all"
            )


def columns_text(columns: Mapping[str, Column]) -> str:
    return "\n".join(
        f"  {column.name + ('*' if column.required else ''):<17}{column.description}"
        for column in columns.values()
    )
