"""Whom simulated viewers are: real people, whose later ratings the models never see.

Two thirds of those with a history long enough are simulated. What they rated last is not loaded:
it is their taste tonight, and nothing of ours has learned from it.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from webapp.demo.films import EXTERNAL_ID_PREFIX, Verdict
from webapp.profiles.models import Rating

FEWEST_RATINGS = 40
"""Of films in the catalogue: with fewer a person is not simulated."""
HIDDEN_SHARE = 0.4
"""The latest ratings of a simulated person, that are not loaded."""


class Histories(NamedTuple):
    """What is loaded, and what is hidden of each simulated person, oldest first."""

    shown: list[Verdict]
    hidden: dict[int, list[Verdict]]


def may_be_simulated(person: int) -> bool:
    """Return whether a person of the histories is, given enough ratings: two of three are."""
    return person % 3 != 0


def part(verdicts: Iterable[Verdict], joined: dict[int, int]) -> Histories:
    """Hide the later ratings of simulated people.

    Args:
        verdicts: all.
        joined: the catalogue's film of each rated film that it has.
    """
    by_person: dict[int, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.rated_film_id in joined:
            by_person[verdict.profile_id].append(verdict)
    shown, hidden = [], {}
    for person, theirs in by_person.items():
        theirs.sort(key=lambda verdict: (verdict.rated_at, verdict.rated_film_id))
        if may_be_simulated(person) and len(theirs) >= FEWEST_RATINGS:
            first = len(theirs) - int(HIDDEN_SHARE * len(theirs))
            hidden[person] = theirs[first:]
            theirs = theirs[:first]
        shown += theirs
    shown.sort(key=lambda verdict: (verdict.rated_at, verdict.profile_id, verdict.rated_film_id))
    return Histories(shown, hidden)


def forget_hidden(hidden: dict[int, list[Verdict]], joined: dict[int, int]) -> int:
    """Delete hidden ratings that an earlier load left; return how many. Two queries."""
    keys = {
        (external(person), external(joined[verdict.rated_film_id])): verdict.rated_at
        for person, verdicts in hidden.items()
        for verdict in verdicts
    }
    theirs = Rating.objects.filter(profile__external_id__in={person for person, _ in keys})
    rows = theirs.values_list("pk", "profile__external_id", "title__external_id", "rated_at")
    found = [
        pk
        for pk, person, title, at in rows
        if title and person and keys.get((person, title)) == int(at.timestamp())
    ]
    return Rating.objects.filter(pk__in=found).delete()[0]


def external(number: int) -> str:
    """Return the id under which the demo loads a person or a film."""
    return f"{EXTERNAL_ID_PREFIX}{number}"
