"""A small site of a benchmark's own: made-up titles and people with tastes, a release, accounts.

It is ready within a minute, and whatever is done to it is thrown away.
"""

import csv
import random
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from benchmarks.harness import say
from benchmarks.site import PASSWORD, TRAIN, Site
from benchmarks.viewers import session_of

GENRES = ("Drama", "Western", "Comedy", "Horror", "Science Fiction", "Romance")
TITLES_A_GENRE, PEOPLE_A_GENRE = 40, 20
RATED_SHARE, OTHERS_SHARE = 0.6, 0.03
"""How many titles of their genre, and of another, somebody has rated."""
SEED = 7


def prepare(site: Site, home: Path) -> None:
    """Migrate, load titles and ratings, and train."""
    rng = random.Random(SEED)  # noqa: S311  who rates what
    titles = [(f"{genre}-{n}", genre, n) for genre in GENRES for n in range(TITLES_A_GENRE)]
    with (home / "titles.csv").open("w", newline="") as file:
        write = csv.writer(file).writerow
        write(("external_id", "name", "year", "genres", "plot", "directors", "cast", "maturity"))
        for id_, genre, n in titles:
            plot = f"The plot of number {n}: a {genre.lower()} story."
            people = f"Director {n % 9}", f"Actor {n % 13}|Actor {n % 17}"
            maturity = (6, 12, 16, 18, "")[n % 5]
            write((id_, f"{genre} Number {n}", 1950 + n, genre, plot, *people, maturity))
    with (home / "ratings.csv").open("w", newline="") as file:
        write = csv.writer(file).writerow
        write(("profile_id", "title_id", "stars", "rated_at"))
        for person in range(PEOPLE_A_GENRE * len(GENRES)):
            for id_, genre, n in titles:
                own = genre == GENRES[person % len(GENRES)]
                if rng.random() < (RATED_SHARE if own else OTHERS_SHARE):
                    write((f"person-{person}", id_, 4.5, f"2026-02-{1 + n % 28:02d}"))
    for command in (
        "migrate --verbosity=0", "collectstatic --noinput --verbosity=0",
        f"load_catalogue {home}/titles.csv", f"load_history {home}/ratings.csv",
    ):  # fmt: skip
        say(f"manage.py {command}")
        site.manage(*command.split())
    say("training")
    site.python(TRAIN)


@dataclass(frozen=True)
class Actor:
    """An account with two profiles.

    Attributes:
        limit: of its profiles.
    """

    name: str
    is_operator: bool = False
    limit: int | None = None


CAST = (
    Actor("viewer"),
    Actor("other"),
    Actor("child", limit=6),
    Actor("operator", is_operator=True),
)


class Door:
    """Lets the cast log in, again and again: accounts and profiles that are gone are made anew."""

    def __init__(self) -> None:
        self._password = make_password(PASSWORD)  # half a second, once
        self._lock = threading.Lock()

    def sessions(self) -> dict[str, str]:
        """Return the key of a new session, in which a profile is chosen, by actor."""
        with self._lock:
            return {actor.name: self._log_in(actor) for actor in CAST}

    def _log_in(self, actor: Actor) -> str:
        account, _ = get_user_model().objects.update_or_create(
            username=actor.name,
            defaults={
                "password": self._password, "is_active": True,
                "is_staff": actor.is_operator, "is_superuser": actor.is_operator,
            },
        )  # fmt: skip
        profiles: Any = apps.get_model("profiles", "Profile").objects
        for _ in range(2 - profiles.filter(account=account).count()):
            profiles.create(account=account, name="Somebody", maturity_limit=actor.limit)
        profile = profiles.filter(account=account).order_by("pk").first()
        return str(session_of(account, profile).session_key)
