from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone
from tqdm import tqdm

from webapp.demo.films import DemoPackagesMissing
from webapp.demo.simulated import HiddenRatingsLoaded, films_and_paths, log_in, simulated_people
from webapp.demo.simulation import DAYS, Journal, Target, month_before, plan, simulate
from webapp.demo.site import SiteError
from webapp.experiments.lifecycle import ExperimentRefused, built_in, start
from webapp.experiments.models import Experiment
from webapp.experiments.report import plan as plan_of
from webapp.metrics.daily import first_day
from webapp.releases.models import RankerVersion
from webapp.slates.readiness import readiness

ASSUMED_ABANDONMENT = 0.5
"""For the power calculation before any data: the rate with the largest variance."""
DETECTED_DIFFERENCE = 0.02
"""The smallest difference in abandonment that the experiment should detect."""


class Command(BaseCommand):
    help = (
        "Let simulated viewers visit a running site over HTTP: a month of visits, marked "
        "simulated, in both arms of the experiment among simulated viewers (the built-in one is "
        "started where none runs). Run again with the same numbers, it goes on."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--visits", type=int, required=True, metavar="N")
        parser.add_argument("--seed", type=int, default=0, metavar="S")
        parser.add_argument("--address", default="http://127.0.0.1:8000", help="of the site")
        parser.add_argument("--workers", type=int, default=4, help="viewers at a time")
        parser.add_argument(
            "--learn",
            action="store_true",
            help="then count the days, report, and let a first ranker learn if enough was seen",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        visits, seed, workers = options["visits"], options["seed"], options["workers"]
        if min(visits, workers) < 1:
            raise CommandError(f"--visits and --workers must be 1 or more, got {visits}, {workers}")
        if not settings.SIMULATION_TOKEN:
            raise CommandError(
                "MARQUEE_SIMULATION_TOKEN is not set: the site and this command must share it"
            )
        films, paths = films_and_paths()
        try:
            people = simulated_people(films)
        except (DemoPackagesMissing, HiddenRatingsLoaded) as error:
            raise CommandError(str(error)) from error
        if not people:
            raise CommandError("there is nobody to simulate: run `manage.py load_demo` first")
        until = timezone.now() - timedelta(days=1)
        path = Path(settings.MARQUEE_HOME) / "simulated" / f"{visits}-visits-seed-{seed}.jsonl"
        journal = Journal(path)
        journal.create(sorted(people), until)
        planned = plan(journal.people, visits, journal.until, seed)
        self._ensure_experiment(month_before(journal.until), visits)
        sessions = log_in(people.values())
        address = options["address"].rstrip("/")
        target = Target(address, settings.SIMULATION_TOKEN, sessions, films, paths)
        earlier = sum(1 for _ in journal.finished())
        with tqdm(total=visits, initial=earlier, unit="visits", disable=None) as bar:
            try:
                made = simulate(planned, people, target, journal, seed, workers, bar.update)
            except SiteError as error:
                raise CommandError(f"{error}. What was done is kept; run again to go on") from error
        self.stdout.write(
            f"{made} simulated visits made over {DAYS} days, {earlier} were there; {path} tells "
            "what each watched."
        )
        if options["learn"]:
            self._learn(month_before(journal.until))

    def _learn(self, since: datetime) -> None:
        """Count the days, report the experiment, and train a first ranker given enough data."""
        if (first := max(since.date(), first_day(timezone.now()))) <= timezone.now().date():
            call_command("metrics", "--from", str(first))
        for experiment in _running():
            call_command("experiments", experiment.name, "--report")
        if not RankerVersion.objects.exists() and readiness(timezone.now()).is_ready:
            call_command("rankers", "--train", "teacher")

    def _ensure_experiment(self, since: datetime, visits: int) -> None:
        running = _running().first()
        if running is None:
            running = built_in(is_simulated=True)
            if not running.plan:
                running.plan = plan_of(
                    running, ASSUMED_ABANDONMENT, visits, difference=DETECTED_DIFFERENCE
                )
                running.save(update_fields=["plan"])
            try:
                start(running, since)
            except ExperimentRefused as error:
                self.stdout.write(f"No experiment runs: {error}.")
                return
        self.stdout.write(f"Experiment: {running}, since {running.started_at:%Y-%m-%d}.")


def _running() -> "QuerySet[Experiment]":
    """Return the running experiment among simulated viewers, if there is one."""
    return Experiment.objects.filter(status=Experiment.Status.RUNNING, is_simulated=True)
