from pathlib import Path

from django.utils import timezone

from webapp.catalog.importers.command import ImportCommand
from webapp.catalog.importers.loading import Options, Report
from webapp.catalog.importers.titles import COLUMNS, load_catalogue
from webapp.celery import ask_for_index


class Command(ImportCommand):
    help = (
        "Load titles from a MovieLens folder (movies and, if present, links, as .csv or .parquet) "
        "or from one .csv, .parquet or .jsonl file. A title whose external_id exists is "
        "updated; columns missing from the file stay unchanged."
    )
    path_help = "a MovieLens folder, or a .csv, .parquet or .jsonl file"
    subject = "Titles"
    columns = COLUMNS

    def load(self, path: Path, options: Options) -> Report:
        report = load_catalogue(path, options, timezone.now())
        if (report.created or report.updated) and not options.dry_run:
            ask_for_index()  # once, for all; where no broker is reached, web processes ask again
        return report
