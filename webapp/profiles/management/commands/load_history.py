from pathlib import Path

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

    def load(self, path: Path, options: Options) -> Report:
        return load_history(path, options, timezone.now())
