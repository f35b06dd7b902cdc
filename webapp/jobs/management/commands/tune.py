"""manage.py tune ials: search for better settings on the catalogue's own history."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommender.errors import RecommenderError
from recommender.models.ials import IalsConfig
from recommender.training.tuning import SearchConfig, table
from webapp.training.export import export_interactions
from webapp.training.tuning import tune_ials

SHOWN = 10


class Command(BaseCommand):
    help = (
        "Search for a model's settings on held-out profiles; training uses the best from then on. "
        "An interrupted search continues where it stopped when it is started again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", choices=["ials"], help="which model")
        parser.add_argument(
            "--quick", action="store_true", help="a coarse grid at 32 dimensions, minutes at most"
        )
        parser.add_argument(
            "--max-embedding-size", type=int, default=256, help="double up to this while it helps"
        )
        parser.add_argument("--seed", type=int, default=0, help="of the models and the split")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            trials = tune_ials(
                export_interactions(), _search(options), options["seed"], show_progress=True
            )
        except RecommenderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(table(trials[:SHOWN]))
        self.stdout.write(f"{len(trials)} settings tried. Training uses the first from now on.")


def _search(options: dict[str, Any]) -> SearchConfig:
    seed = options["seed"]
    if options["quick"]:
        return SearchConfig(
            start=IalsConfig(embedding_size=32, epochs=6, seed=seed),
            unobserved_weights=(1.0, 0.3, 0.1),
            regularizations=(0.01, 0.003, 0.001),
            refinements=0,
            max_embedding_size=32,
        )
    return SearchConfig(
        start=IalsConfig(embedding_size=64, epochs=8, seed=seed),
        max_embedding_size=max(64, options["max_embedding_size"]),
    )
