"""The demo's two accounts: a viewer with profiles of three imported people, and an operator."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Count

from webapp.demo.films import EXTERNAL_ID_PREFIX
from webapp.demo.people import is_candidate
from webapp.profiles.models import Profile, Rating

TASTES = {"Alex": "Sci-Fi", "Robin": "Romance", "Sam": "Crime"}
"""The genre by which the imported person behind each profile is chosen."""
NEW_PROFILE = "New here"
FEWEST_RATINGS, MOST_RATINGS = 80, 250


class PasswordRefused(Exception):
    """The password from the environment is too weak."""


def make_account(username: str, password: str, variable: str, *, operator: bool = False) -> str:
    """Create the account or set its password; return a sentence about its login.

    Without a password, a new account gets a generated one and an existing one keeps its own.
    `variable` names where the password came from, for the sentence.
    """
    if password:
        _validate(password, variable)
    user, created = User.objects.get_or_create(
        username=username, defaults={"is_staff": operator, "is_superuser": operator}
    )
    if password:
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        return f"{username}, password as in {variable}"
    if not created:
        return f"{username}, password as before (set {variable} and load again to change it)"
    generated = secrets.token_urlsafe(9)
    user.set_password(generated)
    user.save(update_fields=["password"])
    return f"{username}, password {generated}"


def give_profiles(username: str) -> None:
    """Give the account three imported profiles and a new one, unless it has profiles already."""
    account = User.objects.get(username=username)
    if Profile.objects.filter(account=account).exists():
        return
    chosen: set[int] = set()
    likes = _likes_by_profile()
    for name, genre in TASTES.items():
        candidates = (id_ for id_ in likes if id_ not in chosen)
        best = max(candidates, key=_liked_share(genre, likes), default=None)
        if best is not None:
            chosen.add(best)
            Profile.objects.filter(pk=best).update(account=account, name=name)
    Profile.objects.create(account=account, name=NEW_PROFILE)


def _likes_by_profile() -> dict[int, Counter[str]]:
    """Return the number of liked titles by genre for people with 80 to 250 ratings. Two queries."""
    people = (
        Profile.objects.filter(account=None, external_id__startswith=EXTERNAL_ID_PREFIX)
        .annotate(rated=Count("ratings"))
        .filter(rated__gte=FEWEST_RATINGS, rated__lte=MOST_RATINGS)
        .order_by("external_id")
        .values_list("pk", "external_id")
    )
    likes: dict[int, Counter[str]] = {
        pk: Counter() for pk, id_ in people if not is_candidate(_number(id_ or ""))
    }
    counts: Iterable[tuple[int, str, int]] = (
        Rating.objects.filter(profile__in=likes, stars__gte=Rating.LIKED_FROM_STARS)
        .values_list("profile_id", "title__genres__name")
        .annotate(titles=Count("pk"))
    )
    for profile_id, genre, titles in counts:
        likes[profile_id][genre] = titles
    return likes


def _number(external_id: str) -> int:
    return int(external_id.removeprefix(EXTERNAL_ID_PREFIX))


def _liked_share(genre: str, likes: dict[int, Counter[str]]) -> Callable[[int], float]:
    """Return a function that gives the share of the genre among a profile's likes."""

    def share(profile_id: int) -> float:
        return likes[profile_id][genre] / max(1, likes[profile_id].total())

    return share


def _validate(password: str, variable: str) -> None:
    try:
        validate_password(password)
    except ValidationError as error:
        raise PasswordRefused(f"{variable}: {' '.join(error.messages)}") from error
