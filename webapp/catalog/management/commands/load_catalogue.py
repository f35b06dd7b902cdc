from pathlib import Path

from django.utils import timezone

from webapp.catalog.importers.command import ImportCommand
from webapp.catalog.importers.loading import Options, Report
from webapp.catalog.importers.titles import COLUMNS, load_catalogue


class Command(ImportCommand):
    help = (
        "Load titles from a MovieLens folder (movies and, if there, links, as .csv or .parquet) "
        "or from one .csv, .parquet or .jsonl file. A title whose external_id is known is "
        "updated; columns the file lacks stay as they are."
    )
    accepts = "a MovieLens folder, or a .csv, .parquet or .jsonl file"
    what = "Titles"
    columns = COLUMNS

    def load(self, path: Path, options: Options) -> Report:
        return load_catalogue(path, options, timezone.now())
