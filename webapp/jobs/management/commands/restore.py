"""manage.py restore FILE: fill an empty database and an empty MARQUEE_HOME from a backup."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from webapp.backups.errors import BackupError
from webapp.backups.restoring import restore_backup


class Command(BaseCommand):
    help = "Restore a backup into an empty database and an empty MARQUEE_HOME."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="an archive that `manage.py backup` wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restored = restore_backup(options["file"].absolute())
        except BackupError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database did not answer as it should: {error}") from error
        origin = restored.manifest.origin
        self.stdout.write(f"The site is as it was at {origin.created_at}.")
        if restored.pending_migrations:
            self.stdout.write(
                f"This Marquee is newer: run `manage.py migrate` for its "
                f"{restored.pending_migrations} migrations before anything starts."
            )
        self.stdout.write("Run `manage.py index_catalogue`, then start web, worker and beat.")
