from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from webapp.catalog.importers.command import ImportCommand
from webapp.catalog.importers.loading import Options, Report
from webapp.profiles.importers import COLUMNS, load_history


class Command(ImportCommand):
    help = (
        "Load ratings from a MovieLens folder (ratings.csv or .parquet) or from one .csv, "
        ".parquet or .jsonl file. Load the catalogue first: a rating of a title that is not "
        "in it is refused."
    )
    path_help = "a MovieLens folder, or a .csv, .parquet or .jsonl file"
    subject = "Ratings"
    columns = COLUMNS

    scale: int | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--scale",
            type=int,
            choices=(5, 10, 100),
            help="The most stars that the file gives (5, and a file with more is refused).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.scale = options["scale"]
        super().handle(*args, **options)

    def load(self, path: Path, options: Options) -> Report:
        return load_history(path, options, timezone.now(), self.scale)
