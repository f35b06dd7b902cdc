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
from webapp.demo.simulated import NotHidden, films_and_paths, logged_in, people_of
from webapp.demo.simulation import DAYS, Diary, Place, month_before, plan, simulate
from webapp.demo.site import SiteError
from webapp.experiments.lifecycle import ExperimentRefused, built_in, start
from webapp.experiments.models import Experiment
from webapp.experiments.report import plan as plan_of
from webapp.metrics.daily import first_day
from webapp.releases.models import RankerVersion
from webapp.slates.seen import readiness

HALF = 0.5
"""Abandonment expected where nothing is known of it: the rate that varies most."""
DIFFERENCE = 0.02
"""What would be worth finding."""


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
            people = people_of(films)
        except (DemoPackagesMissing, NotHidden) as error:
            raise CommandError(str(error)) from error
        if not people:
            raise CommandError("there is nobody to simulate: run `manage.py load_demo` first")
        until = timezone.now() - timedelta(days=1)
        path = Path(settings.MARQUEE_HOME) / "simulated" / f"{visits}-visits-seed-{seed}.jsonl"
        diary = Diary(path)
        diary.begin(sorted(people), until)
        planned = plan(diary.people, visits, diary.until, seed)
        self._experiment(month_before(diary.until), visits)
        sessions = logged_in(people.values())
        address = options["address"].rstrip("/")
        place = Place(address, settings.SIMULATION_TOKEN, sessions, films, paths)
        was_done = sum(1 for _ in diary.done())
        with tqdm(total=visits, initial=was_done, unit="visits", disable=None) as bar:
            try:
                made = simulate(planned, people, place, diary, seed, workers, bar.update)
            except SiteError as error:
                raise CommandError(f"{error}. What was done is kept; run again to go on") from error
        self.stdout.write(
            f"{made} simulated visits made over {DAYS} days, {was_done} were there; {path} tells "
            "what each watched."
        )
        if options["learn"]:
            self._learn(month_before(diary.until))

    def _learn(self, since: datetime) -> None:
        """Bring charts, the experiment's report and the ranker up to what was simulated."""
        if (first := max(since.date(), first_day(timezone.now()))) <= timezone.now().date():
            call_command("metrics", "--from", str(first))
        for experiment in _running():
            call_command("experiments", experiment.name, "--report")
        if not RankerVersion.objects.exists() and readiness(timezone.now()).is_there:
            call_command("rankers", "--train", "teacher")

    def _experiment(self, since: datetime, visits: int) -> None:
        running = _running().first()
        if running is None:
            running = built_in(is_simulated=True)
            if not running.plan:
                running.plan = plan_of(running, HALF, visits, difference=DIFFERENCE)
                running.save(update_fields=["plan"])
            try:
                start(running, since)
            except ExperimentRefused as error:
                self.stdout.write(f"No experiment runs: {error}.")
                return
        self.stdout.write(f"Experiment: {running}, since {running.started_at:%Y-%m-%d}.")


def _running() -> "QuerySet[Experiment]":
    """The experiment among simulated viewers, if one runs: people's is not theirs."""
    return Experiment.objects.filter(status=Experiment.Status.RUNNING, is_simulated=True)
