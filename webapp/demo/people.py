"""Held-out ratings of simulated viewers: ratings go in, a visible and a hidden part come out.

Simulated viewers are two thirds of the people with a long enough history. Their latest ratings are
not loaded: they are the viewers' taste, which no model has learned from.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from webapp.demo.films import EXTERNAL_ID_PREFIX, DemoRating
from webapp.profiles.models import Rating

FEWEST_RATINGS = 40
"""Of films in the catalogue. A person with fewer is not simulated."""
HIDDEN_SHARE = 0.4
"""Share of a simulated person's ratings, the latest ones, that is not loaded."""


class RatingSplit(NamedTuple):
    """The ratings to load, and the hidden ones of each simulated person, oldest first."""

    visible: list[DemoRating]
    hidden: dict[int, list[DemoRating]]


def is_candidate(person: int) -> bool:
    """Return True if the person is simulated when there are enough ratings: two of three are."""
    return person % 3 != 0


def split_ratings(ratings: Iterable[DemoRating], matches: dict[int, int]) -> RatingSplit:
    """Split the ratings of matched films; the latest of each simulated person are hidden.

    Args:
        ratings: All of them.
        matches: The catalogue's film id by rated film id (`match_films`).
    """
    by_person: dict[int, list[DemoRating]] = defaultdict(list)
    for rating in ratings:
        if rating.rated_film_id in matches:
            by_person[rating.profile_id].append(rating)
    visible, hidden = [], {}
    for person, history in by_person.items():
        history.sort(key=lambda rating: (rating.rated_at, rating.rated_film_id))
        if is_candidate(person) and len(history) >= FEWEST_RATINGS:
            first_hidden = len(history) - int(HIDDEN_SHARE * len(history))
            hidden[person] = history[first_hidden:]
            history = history[:first_hidden]
        visible += history
    visible.sort(key=lambda rating: (rating.rated_at, rating.profile_id, rating.rated_film_id))
    return RatingSplit(visible, hidden)


def delete_hidden(hidden: dict[int, list[DemoRating]], matches: dict[int, int]) -> int:
    """Delete hidden ratings that an earlier version loaded; return their number. Two queries."""
    keys = {
        (demo_id(person), demo_id(matches[rating.rated_film_id])): rating.rated_at
        for person, ratings in hidden.items()
        for rating in ratings
    }
    of_people = Rating.objects.filter(profile__external_id__in={person for person, _ in keys})
    rows = of_people.values_list("pk", "profile__external_id", "title__external_id", "rated_at")
    pks = [
        pk
        for pk, person, title, at in rows
        if title and person and keys.get((person, title)) == int(at.timestamp())
    ]
    return Rating.objects.filter(pk__in=pks).delete()[0]


def demo_id(number: int) -> str:
    """Return the external id under which the demo loads a person or a film."""
    return f"{EXTERNAL_ID_PREFIX}{number}"
