"""manage.py index_catalogue: build the index that web processes map, before they start."""

from typing import Any

from django.core.management.base import BaseCommand

from webapp.engine.catalogue_index import publish_index


class Command(BaseCommand):
    help = "Build the catalogue's index in this process, where there is none of this catalogue yet."

    def handle(self, *args: Any, **options: Any) -> None:
        was_built = publish_index()
        self.stdout.write(
            "The catalogue's index is published."
            if was_built
            else "Nothing to build: an index of this catalogue exists or is being built."
        )
