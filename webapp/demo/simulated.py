"""What simulated viewers are made of here: people, films, accounts that are logged in."""

from collections import defaultdict
from collections.abc import Iterable
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.db.models import Q

from webapp.catalog.models import Credit, Title
from webapp.demo.films import EXTERNAL_ID_PREFIX, join, read_films, read_histories
from webapp.demo.people import external, part
from webapp.demo.tastes import FEWEST_LIKED, Film, Person
from webapp.events.middleware import PROFILE_KEY
from webapp.profiles.models import Profile, Rating

ACCOUNT_PREFIX = "simulated-"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


class NotHidden(Exception):
    """What a simulated viewer likes could have been learned by the models."""


def films_and_paths() -> tuple[dict[int, Film], dict[int, str]]:
    """Read the catalogue as viewers know it, and where each title's page is. Three queries."""
    people: dict[int, set[str]] = defaultdict(set)
    named = Credit.objects.exclude(role=Credit.Role.WRITER)
    for title_id, name in named.values_list("title_id", "person__name").iterator(20_000):
        people[title_id].add(name)
    films, paths = {}, {}
    for title in Title.objects.available().for_cards():
        genres = frozenset(genre.name for genre in title.genres.all())
        films[title.pk] = Film(
            title.pk, title.name, title.year or 0, genres, frozenset(people[title.pk]),
            title.runtime_seconds,
        )  # fmt: skip
        paths[title.pk] = title.get_absolute_url()
    return films, paths


def people_of(films: Iterable[int]) -> dict[int, Person]:
    """Return the people to simulate, by their number, with what is hidden of them.

    Those that somebody's account watches as are left out.

    Raises:
        NotHidden: some of it is in the database.
    """
    histories = read_histories()
    joined = join(read_films(), histories.films)
    hidden = part(histories.verdicts, joined).hidden
    titles = _ids_of(Title.objects.filter(external_id__startswith=EXTERNAL_ID_PREFIX))
    free = Q(account=None) | Q(account__username__startswith=ACCOUNT_PREFIX)
    theirs = Profile.objects.filter(free, external_id__in=map(external, hidden))
    profiles = _ids_of(theirs)
    rated: dict[int, set[int]] = defaultdict(set)
    for profile_id, title_id in Rating.objects.filter(profile__in=profiles.values()).values_list(
        "profile_id", "title_id"
    ):
        rated[profile_id].add(title_id)
    there, people = set(films), {}
    for number, verdicts in hidden.items():
        if (name := external(number)) not in profiles:
            continue
        profile_id = profiles[name]
        stars = {
            titles[name]: verdict.stars
            for verdict in verdicts
            if (name := external(joined[verdict.rated_film_id])) in titles and titles[name] in there
        }
        person = Person(number, profile_id, stars, rated[profile_id])
        if len(person.liked) >= FEWEST_LIKED:
            people[number] = person
    known = sum(len(person.hidden.keys() & person.known) for person in people.values())
    if known:
        raise NotHidden(
            f"{known} ratings of simulated people must be hidden and are in the database: run "
            "`manage.py load_demo`, then `manage.py train --wait`"
        )
    return people


def logged_in(people: Iterable[Person]) -> dict[int, str]:
    """Give each person an account without a password, and return Django's sessions, logged in.

    An account that is there is used again.
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


def _ids_of(named: "Iterable[Title] | Iterable[Profile]") -> dict[str, int]:
    return {one.external_id: one.pk for one in named if one.external_id}
