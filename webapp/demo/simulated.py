"""What a simulation needs from this site's database: films, people, and logged-in sessions."""

from collections import defaultdict
from collections.abc import Iterable
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.db.models import Q

from webapp.catalog.models import Credit, Title
from webapp.demo.films import EXTERNAL_ID_PREFIX, match_films, read_films, read_histories
from webapp.demo.people import demo_id, split_ratings
from webapp.demo.tastes import FEWEST_LIKED, Film, Person
from webapp.profiles.models import Profile, Rating
from webapp.profiles.session_store import PROFILE_KEY

ACCOUNT_PREFIX = "simulated-"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


class HiddenRatingsLoaded(Exception):
    """Ratings that must be hidden are in the database, where models can learn from them."""


def films_and_paths() -> tuple[dict[int, Film], dict[int, str]]:
    """Return the catalogue as viewers see it, and the path of each title's page. Three queries."""
    people: dict[int, set[str]] = defaultdict(set)
    credits = Credit.objects.exclude(role=Credit.Role.WRITER)
    for title_id, name in credits.values_list("title_id", "person__name").iterator(20_000):
        people[title_id].add(name)
    films, paths = {}, {}
    for title in Title.objects.available().for_cards():
        genres = frozenset(genre.name for genre in title.genre_list)
        films[title.pk] = Film(
            title.pk, title.name, title.year or 0, genres, frozenset(people[title.pk]),
            title.runtime_seconds,
        )  # fmt: skip
        paths[title.pk] = title.get_absolute_url()
    return films, paths


def simulated_people(films: Iterable[int]) -> dict[int, Person]:
    """Return the people to simulate, by their number, with their hidden ratings.

    People whose profile belongs to a real account are left out.

    Raises:
        HiddenRatingsLoaded: Some of their hidden ratings are in the database.
    """
    histories = read_histories()
    matches = match_films(read_films(), histories.films)
    hidden = split_ratings(histories.ratings, matches).hidden
    titles = _ids_of(Title.objects.filter(external_id__startswith=EXTERNAL_ID_PREFIX))
    is_free = Q(account=None) | Q(account__username__startswith=ACCOUNT_PREFIX)
    profiles = _ids_of(Profile.objects.filter(is_free, external_id__in=map(demo_id, hidden)))
    rated: dict[int, set[int]] = defaultdict(set)
    for profile_id, title_id in Rating.objects.filter(profile__in=profiles.values()).values_list(
        "profile_id", "title_id"
    ):
        rated[profile_id].add(title_id)
    available, people = set(films), {}
    for number, ratings in hidden.items():
        if (name := demo_id(number)) not in profiles:
            continue
        profile_id = profiles[name]
        stars = {
            titles[name]: rating.stars
            for rating in ratings
            if (name := demo_id(matches[rating.rated_film_id])) in titles
            and titles[name] in available
        }
        person = Person(number, profile_id, stars, rated[profile_id])
        if len(person.liked) >= FEWEST_LIKED:
            people[number] = person
    loaded = sum(len(person.hidden.keys() & person.seen) for person in people.values())
    if loaded:
        raise HiddenRatingsLoaded(
            f"{loaded} ratings of simulated people must be hidden and are in the database: run "
            "`manage.py load_demo`, then `manage.py train --wait`"
        )
    return people


def log_in(people: Iterable[Person]) -> dict[int, str]:
    """Return a logged-in Django session key by person, creating accounts without a password.

    Existing accounts are used again.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    sessions: dict[int, str] = {}
    for person in people:
        user, is_new = User.objects.get_or_create(username=f"{ACCOUNT_PREFIX}{person.number}")
        if is_new:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        Profile.objects.filter(pk=person.profile_id, account=None).update(account=user)
        session = store()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = MODEL_BACKEND
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session[PROFILE_KEY] = person.profile_id
        session.create()
        sessions[person.number] = session.session_key
    return sessions


def _ids_of(rows: "Iterable[Title] | Iterable[Profile]") -> dict[str, int]:
    """Return primary keys by external id."""
    return {row.external_id: row.pk for row in rows if row.external_id}
