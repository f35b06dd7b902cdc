"""manage.py rankers: list the rankers, train, publish one, roll back, or do without."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from webapp.releases.models import RankerVersion, TrainingRun
from webapp.releases.publishing import previous, publish
from webapp.slates.readiness import readiness
from webapp.training.runs import queue_training, run_training


class Command(BaseCommand):
    help = (
        "List the rankers; --train learns one now, --publish N makes one live, --roll-back the one "
        "before, --off leaves the order of lists to the fused score."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--train", choices=["teacher", "increment"], help="learn one now, here")
        choice.add_argument("--publish", type=int, metavar="N", help="make ranker N live")
        choice.add_argument("--roll-back", action="store_true", help="make the last one live again")
        choice.add_argument("--off", action="store_true", help="let none be live")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["train"]:
            self._train(TrainingRun.Kind(options["train"]))
        elif options["publish"] is not None:
            self._publish(RankerVersion.objects.filter(pk=options["publish"]).first())
        elif options["roll_back"]:
            self._publish(previous(RankerVersion))
        elif options["off"]:
            RankerVersion.objects.filter(is_live=True).update(is_live=False)
        ready = readiness(timezone.now())
        others = f", {ready.simulated} by simulated viewers" if ready.simulated else ""
        self.stdout.write(
            f"{ready.slates} slates were seen{others}; training needs {ready.needed}."
        )
        for version in RankerVersion.objects.select_related("run")[:20]:
            visits = ", simulated visits" if version.is_simulated else ""
            self.stdout.write(
                f"{version}  {version.run.kind} from {version.start}{visits}  {version.gate_reason}"
            )

    def _train(self, kind: TrainingRun.Kind) -> None:
        run = queue_training(lambda run_id: None, kind=kind)
        ended = run_training(run.pk)
        if ended is None or ended.status != TrainingRun.Status.SUCCEEDED:
            raise CommandError(ended.error if ended else "The run was taken by a worker.")

    def _publish(self, version: RankerVersion | None) -> None:
        if version is None:
            raise CommandError("There is no such ranker. `manage.py rankers` lists them.")
        publish(version, timezone.now())
