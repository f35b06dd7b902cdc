"""manage.py backup FILE: database and artifacts of the running site in one archive."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from webapp.backups.errors import BackupError
from webapp.backups.kept_elsewhere import SECRETS
from webapp.backups.taking import take_backup


class Command(BaseCommand):
    help = "Back up the database and the artifacts into a new file; the site may run meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the archive to write; must not exist")
        parser.add_argument(
            "--every-artifact",
            action="store_true",
            help="of all releases and rankers that are kept, so that their slates can be replayed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"].absolute()
        try:
            manifest = take_backup(path, timezone.now(), every_artifact=options["every_artifact"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database did not answer as it should: {error}") from error
        for folder in manifest.origin.missing:
            self.stderr.write(f"{folder} is not in it: its artifacts are gone.")
        megabytes = path.stat().st_size / 1e6
        self.stdout.write(
            f"{path} holds the database and {len(manifest.members)} files, {megabytes:,.1f} MB."
        )
        self.stdout.write(f"Keep these settings elsewhere: {', '.join(SECRETS)}.")
