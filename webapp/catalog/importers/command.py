"""The part that `load_catalogue` and `load_history` share: options, help, problems and summary."""

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
    """Keeps the table of columns as it is written."""


class ImportCommand(BaseCommand):
    """A command that loads one path."""

    requires_system_checks = []  # they would load the web app and its models: seconds for nothing
    requires_migrations_checks = True
    columns: Mapping[str, Column]
    accepts: str
    """What PATH may be."""
    what: str
    """What is loaded, for the summary."""

    @abstractmethod
    def load(self, path: Path, options: Options) -> Report:
        """Load the path; raise ImportRefused where nothing can be."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name,
            subcommand,
            formatter_class=_Help,
            epilog="Columns (* must be there):\n" + columns_text(self.columns),
            **kwargs,
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help=self.accepts)
        parser.add_argument(
            "--strict", action="store_true", help="Load nothing if any line is refused."
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Do everything, say what came of it, and roll it back.",
        )
        parser.add_argument(
            "--problems",
            type=int,
            default=SHOWN_PROBLEMS,
            metavar="N",
            help=f"Show at most N refused lines, all for 0 (default {SHOWN_PROBLEMS}).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = perf_counter()
        problems = _Problems(self, options["problems"])
        try:
            report = self.load(
                options["path"],
                Options(strict=options["strict"], dry_run=options["dry_run"], tell=problems.tell),
            )
        except ImportRefused as error:
            problems.say_hidden()
            raise CommandError(str(error)) from error
        problems.say_hidden()
        if report.ignored:
            self.stdout.write(f"Columns that were ignored: {', '.join(report.ignored)}.")
        rolled_back = " Dry run: nothing was kept." if options["dry_run"] else ""
        seconds = perf_counter() - started
        self.stdout.write(f"{self.what}: {report}, in {seconds:.1f} s.{rolled_back}")


class _Problems:
    """Writes refused lines to stderr, up to a limit; on a terminal above the progress bar."""

    def __init__(self, command: BaseCommand, limit: int) -> None:
        self.command = command
        self.limit = limit
        self.hidden = 0
        self.shown = 0

    def tell(self, problem: Problem) -> None:
        if self.limit and self.shown >= self.limit:
            self.hidden += 1
            return
        self.shown += 1
        with tqdm.external_write_mode() if self.command.stderr.isatty() else nullcontext():
            self.command.stderr.write(str(problem))

    def say_hidden(self) -> None:
        if self.hidden:
            self.command.stderr.write(
                f"and {self.hidden:,} more refused lines; --problems 0 shows all"
            )


def columns_text(columns: Mapping[str, Column]) -> str:
    return "\n".join(
        f"  {column.name + ('*' if column.required else ''):<17}{column.meaning}"
        for column in columns.values()
    )
