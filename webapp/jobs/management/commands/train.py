"""manage.py train: ask the worker for a new release."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from recommender.errors import RecommenderError
from recommender.serving.recommender import Recommender
from webapp.artifacts.store import StoreError
from webapp.engine.catalogue import export_catalogue
from webapp.jobs.tasks import train
from webapp.releases.models import Release, TrainingRun
from webapp.training.runs import queue_training

POLL_SECONDS = 0.5


class Command(BaseCommand):
    help = "Queue the training of a release; a Celery worker does the work and publishes it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", action="store_true", help="stay until it ended")
        parser.add_argument(
            "--if-needed", action="store_true", help="do nothing where a live release can be read"
        )
        parser.add_argument("--seed", type=int, default=0, help="of the models and the split")
        parser.add_argument(
            "--timeout-seconds", type=float, default=1800, help="how long --wait stays"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_needed"] and _live_release_is_readable():
            self.stdout.write("The live release is in order; nothing to train.")
            return
        run = queue_training(train.delay, options["seed"])
        self.stdout.write(f"Training run {run.pk} is queued.")
        if options["wait"]:
            self._wait(run, time.monotonic() + options["timeout_seconds"])

    def _wait(self, run: TrainingRun, until: float) -> None:
        layout = "{desc:<28}{percentage:3.0f}%|{bar}| {elapsed}"
        with tqdm(total=1.0, desc="waiting for the worker", bar_format=layout) as bar:
            while not run.has_ended:
                if time.monotonic() > until:
                    raise CommandError(
                        f"Run {run.pk} is still {run.status}. Is a worker running? "
                        "`celery -A webapp worker` starts one."
                    )
                time.sleep(POLL_SECONDS)
                run.refresh_from_db()
                bar.set_description_str(run.stage or run.status)
                bar.n = run.progress
                bar.refresh()
        if run.status == TrainingRun.Status.FAILED:
            raise CommandError(f"Run {run.pk} failed. {run.error}")
        if search := run.metrics["ials"].get("search"):
            self.stdout.write(search["summary"])
        release = Release.objects.get(run=run)
        self.stdout.write(f"{str(release).capitalize()}: {release.gate_reason}")


def _live_release_is_readable() -> bool:
    release = Release.objects.filter(is_live=True).first()
    if release is None:
        return False
    try:
        Recommender.load(release.fetch(), export_catalogue())
    except StoreError as error:
        raise CommandError(
            f"Whether the live release can be read is not known: {error}."
        ) from error
    except RecommenderError:
        return False
    return True
