import os
from datetime import datetime
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from webapp.catalog.importers.errors import ImportRefused
from webapp.catalog.importers.loading import Options
from webapp.catalog.importers.titles import load_titles
from webapp.catalog.models import Title
from webapp.demo.accounts import PasswordRefused, give_profiles, make_account
from webapp.demo.films import (
    EXTERNAL_ID_PREFIX,
    DemoPackagesMissing,
    count_films,
    match_films,
    ratings_table,
    read_films,
    read_histories,
    read_votes,
    titles_table,
)
from webapp.demo.people import delete_hidden, split_ratings
from webapp.demo.rules import add_rules
from webapp.profiles.importers import load_ratings
from webapp.profiles.models import Profile

VIEWER_PASSWORD = "MARQUEE_DEMO_VIEWER_PASSWORD"  # noqa: S105  names a variable
OPERATOR_PASSWORD = "MARQUEE_DEMO_OPERATOR_PASSWORD"  # noqa: S105  names a variable


class Command(BaseCommand):
    help = (
        "Load the demo: 17,472 films, ratings of 671 people, and the logins `viewer` and "
        f"`operator`, whose passwords are taken from {VIEWER_PASSWORD} and {OPERATOR_PASSWORD} "
        "or made up and printed. Safe to run again."
    )
    requires_system_checks = []  # they would load the web app and its models: seconds for nothing
    requires_migrations_checks = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--again",
            action="store_true",
            help="Load films and ratings again, undoing edits of the films.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = perf_counter()
        try:
            if options["again"] or _loaded_films().count() != count_films():
                with transaction.atomic():
                    self._load(timezone.now())
            else:
                self._delete_hidden()
                self.stdout.write("Films and ratings are there already; --again loads them anew.")
            self._accounts()
        except (DemoPackagesMissing, ImportRefused, PasswordRefused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The demo is loaded, in {perf_counter() - started:.1f} s.")

    def _load(self, now: datetime) -> None:
        problems = Options(on_problem=lambda problem: self.stderr.write(str(problem)))
        films, histories = read_films(), read_histories()
        matches = match_films(films, histories.films)
        table = titles_table(films, _newest_added_at(now), read_votes(films))
        titles = load_titles(table, problems, now)
        self.stdout.write(f"Films: {titles}.")
        split = split_ratings(histories.ratings, matches)
        ratings = load_ratings(ratings_table(split.visible, matches), problems, now)
        delete_hidden(split.hidden, matches)
        self.stdout.write(f"Rules for searches: {add_rules()} new.")
        matched = sum(rating.rated_film_id in matches for rating in histories.ratings)
        rated = len({rating.rated_film_id for rating in histories.ratings})
        self.stdout.write(f"Ratings: {ratings}.")
        self.stdout.write(
            f"{len(matches):,} of {rated:,} rated films are among the {len(films):,} films, with "
            f"{matched:,} of {len(histories.ratings):,} ratings "
            f"({matched / len(histories.ratings):.1%}); the other rated films were skipped, and "
            f"{len(films) - len(matches):,} films have no ratings."
        )
        self.stdout.write(
            f"{sum(map(len, split.hidden.values())):,} of these are hidden: the later ratings of "
            f"{len(split.hidden)} people whom simulated viewers take after."
        )

    def _delete_hidden(self) -> None:
        """Delete hidden ratings from a database that was loaded by an earlier version."""
        histories = read_histories()
        matches = match_films(read_films(), histories.films)
        split = split_ratings(histories.ratings, matches)
        if number := delete_hidden(split.hidden, matches):
            self.stdout.write(
                f"{number:,} ratings are hidden now, for simulated viewers; the next training "
                "leaves them out."
            )

    def _accounts(self) -> None:
        viewer, operator = (
            os.environ.get(name, "") for name in (VIEWER_PASSWORD, OPERATOR_PASSWORD)
        )
        logins = [
            make_account("viewer", viewer, VIEWER_PASSWORD),
            make_account("operator", operator, OPERATOR_PASSWORD, operator=True),
        ]
        give_profiles("viewer")
        profiles = Profile.objects.filter(account__username="viewer").values_list("name", flat=True)
        self.stdout.write(f"Viewer: {logins[0]}; profiles {', '.join(profiles)}.")
        self.stdout.write(f"Operator: {logins[1]}.")


def _newest_added_at(now: datetime) -> datetime:
    """Return the newest `added_at` of the demo's films, so that a second run changes nothing."""
    newest: datetime | None = _loaded_films().aggregate(newest=Max("added_at"))["newest"]
    return newest or now


def _loaded_films() -> QuerySet[Title]:
    return Title.objects.filter(external_id__startswith=EXTERNAL_ID_PREFIX)
