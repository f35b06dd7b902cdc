"""A small world of our own: sixty films of three kinds, people with clear tastes, a release."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.db.models import Model
from django.test import Client

from recommender.artifacts import Provenance
from recommender.data.sessions import Sessions
from recommender.models.fusion import FusionGate
from recommender.models.ials import Ials
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from tests.trained import TrainedOnce
from webapp.catalog.models import Credit, Genre, Person, Title
from webapp.engine.polling import poller
from webapp.profiles.models import Profile, Rating
from webapp.releases.models import Release
from webapp.training import runs

hypothesis.settings.register_profile("untimed", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("untimed")  # a busy machine is no failure

GENRES = ("Western", "Romance", "Science Fiction")
FILMS_A_GENRE = 20
RATED_A_GENRE = 18
PEOPLE_A_GENRE = 14
FIRST_PERSON = 1_000_001
"""An id: who is held out of training goes by it, so it must not go by which test ran before."""
FIRST_FILM = 1_001
FIRST_GENRE = 101
FIRST_CREDITED = 101
"""Ids: the same in every test, so that what was trained for one is right for all."""
NAMED = {
    0: "The Good, the Bad and the Ugly",
    1: "High Noon",
    FILMS_A_GENRE: "Casablanca",
    2 * FILMS_A_GENRE: "Metropolis",
    2 * FILMS_A_GENRE + 1: "Solaris",
}


@dataclass(frozen=True)
class Cast:
    """The owner, another profile of the same account, and a stranger with an account."""

    owner: Profile
    sibling: Profile
    stranger: Profile


@pytest.fixture(autouse=True)
def _fresh_process(settings: object, tmp_path: Path) -> Iterator[None]:
    """No test sees another's live release, artifacts or rate limits, or leaves pages to chance."""
    settings.MARQUEE_HOME = tmp_path / "home"  # type: ignore[attr-defined]
    settings.EXPLORATION = 0.0  # type: ignore[attr-defined]
    settings.PASSWORD_HASHERS = ["tests.hashing.OneRound"]  # type: ignore[attr-defined]
    poller.forget()
    cache.clear()
    yield
    poller.forget()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def films(db: None) -> list[Title]:
    """Sixty films, twenty a genre; the last two of each genre are rated by nobody."""
    added_at = datetime(2026, 1, 1, tzinfo=UTC)
    genres = [
        Genre.objects.create(pk=FIRST_GENRE + n, name=name, slug=name.lower().replace(" ", "-"))
        for n, name in enumerate(GENRES)
    ]
    _number_from(Genre, FIRST_GENRE + len(GENRES))
    count = FILMS_A_GENRE * len(GENRES)
    films = Title.objects.bulk_create(
        Title(
            pk=FIRST_FILM + n,
            external_id=f"film-{n}",
            name=NAMED.get(n, f"{GENRES[n // FILMS_A_GENRE]} Number {n}"),
            year=1950 + n,
            runtime_minutes=100,
            plot=f"The plot of film {n}.",
            added_at=added_at + timedelta(days=n),
        )
        for n in range(count)
    )
    _number_from(Title, FIRST_FILM + count)
    Title.genres.through.objects.bulk_create(
        Title.genres.through(title=film, genre=genres[n // FILMS_A_GENRE])
        for n, film in enumerate(films)
    )
    director = Person.objects.create(pk=FIRST_CREDITED, name="Sergio Leone")
    _number_from(Person, FIRST_CREDITED + 1)
    Credit.objects.create(title=films[0], person=director, role=Credit.Role.DIRECTOR)
    return films


@pytest.fixture
def people(films: list[Title]) -> list[Profile]:
    """Forty-two people, fourteen a genre, each liking most rated films of it and few others."""
    rng = np.random.default_rng(7)
    people = Profile.objects.bulk_create(
        Profile(pk=FIRST_PERSON + n, name=f"Person {n}", external_id=f"person-{n}")
        for n in range(PEOPLE_A_GENRE * len(GENRES))
    )
    rated_at = datetime(2026, 2, 1, tzinfo=UTC)
    ratings = []
    for n, person in enumerate(people):
        genre = n // PEOPLE_A_GENRE
        for m, film in enumerate(films):
            own, place = m // FILMS_A_GENRE == genre, m % FILMS_A_GENRE
            if place < RATED_A_GENRE and rng.random() < (0.85 if own else 0.02):
                at = rated_at + timedelta(hours=int(rng.integers(1000)))
                ratings.append(Rating(profile=person, title=film, stars=4.5, rated_at=at))
    Rating.objects.bulk_create(ratings)
    return people


def _number_from(model: type[Model], number: int) -> None:
    """Let the rows to come have ids from this number on."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(seq, greatest(%s, nextval(seq)), false)"
            " FROM pg_get_serial_sequence(%s, 'id') AS seq",
            [number, table],
        )


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> TrainedOnce:
    """Trainings of this run of the tests, shared by its workers."""
    base = tmp_path_factory.getbasetemp()
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    return TrainedOnce((base.parent if is_worker else base) / "trained")


@pytest.fixture
def release(people: list[Profile], trained_once: TrainedOnce) -> Release:
    """A release trained on these people and live."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "train_release", trained_once.train_release)
        ended = runs.run_training(runs.queue_training(lambda run_id: None).pk)
    assert ended is not None
    assert ended.status == "succeeded", ended.error
    return Release.objects.get(is_live=True)


@pytest.fixture
def visit_release(release: Release, trained_once: TrainedOnce) -> Release:
    """The release with a session encoder that has learned to stay within a genre."""
    folder = release.fetch()
    ials = Ials.load(folder / "ials")
    trained_once.copy(
        f"visits-{ials.item_factors.sum():.9f}", folder, lambda made: _train_on_visits(ials, made)
    )
    return release


def _train_on_visits(ials: Ials, folder: Path) -> None:
    """Train a session encoder on visits that stay within a genre each."""
    genres = (ials.items.ids - FIRST_FILM) // FILMS_A_GENRE
    rng = np.random.default_rng(5)
    viewers, items = np.repeat(np.arange(150), 8), np.empty((150, 8), dtype=np.int64)
    for viewer, chosen in enumerate(items):
        chosen[:] = rng.choice(np.flatnonzero(genres == viewer % len(GENRES)), 8)
    at = np.tile(np.arange(8) * 60.0, 150)
    config = SessionEncoderConfig(width=16, num_blocks=1, epochs=5, patience=None)
    encoder = SessionEncoder(config).fit(
        Sessions.from_events(viewers, items.ravel(), at), ials.items, ials.item_factors
    )
    encoder.save(folder / "session_encoder")
    won = Provenance(metrics={"visit_side": "encoder"})
    FusionGate().save(folder / "fusion", won)


@pytest.fixture
def cast(db: None) -> Cast:
    ana = User.objects.create_user("ana", password="a long password")
    bo = User.objects.create_user("bo", password="a long password")
    return Cast(
        owner=Profile.objects.create(account=ana, name="Ana"),
        sibling=Profile.objects.create(account=ana, name="Kim"),
        stranger=Profile.objects.create(account=bo, name="Bo"),
    )


@pytest.fixture
def log_in() -> Callable[[Client, Profile], Client]:
    """A function that logs a client in and chooses the profile, as a browser would."""

    def log_in(client: Client, profile: Profile) -> Client:
        assert profile.account is not None
        client.force_login(profile.account)
        response = client.post(f"/profiles/{profile.pk}/choose/")
        assert response.status_code == 302, response.content
        return client

    return log_in


@pytest.fixture
def owner_client(client: Client, cast: Cast, log_in: Callable[[Client, Profile], Client]) -> Client:
    return log_in(client, cast.owner)
