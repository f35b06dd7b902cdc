"""Taste model of simulated viewers: hidden ratings go in, the utility of a title comes out.

It shares nothing with the recommenders under test. A film's utility is the real person's hidden
rating or, for a film without one, its similarity in genres, year and people to tonight's films.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

LIKED_FROM_STARS = 4.0
REFUSED_TO_STARS = 2.5
CLUSTER_SIZE = 5
"""The largest number of films that a visit is about."""
FEWEST_LIKED = 5
"""A person with fewer liked films among the hidden ratings is not simulated."""
GENRES_WEIGHT, YEARS_WEIGHT, PEOPLE_WEIGHT = 0.5, 0.2, 0.3
YEARS_SCALE = 10.0
LIKED_UTILITY = 0.5
"""Utility of a film that the person liked and that tonight is not about."""
MAX_UNRATED_UTILITY = 0.5
"""Highest utility of a film that the person never rated."""


@dataclass(frozen=True)
class Film:
    """The facts of a title that a viewer can read from its card."""

    id: int
    name: str
    year: int
    genres: frozenset[str]
    people: frozenset[str]
    seconds: int


@dataclass
class Person:
    """A real person whom a simulated viewer stands for.

    Attributes:
        number: Id in the demo's ratings.
        profile_id: Id of the profile.
        hidden: Stars by title id, hidden from the models.
        seen: Titles with a visible rating, or watched in simulated visits.
    """

    number: int
    profile_id: int
    hidden: Mapping[int, float]
    seen: set[int] = field(default_factory=set)

    @property
    def liked(self) -> list[int]:
        """Return the liked titles among the hidden ratings."""
        return [id_ for id_, stars in self.hidden.items() if stars >= LIKED_FROM_STARS]


@dataclass(frozen=True)
class Intent:
    """What one visit is about.

    Attributes:
        cluster: Films of full utility tonight, similar to each other.
        person: The visitor.
        films: The catalogue by title id.
    """

    cluster: Sequence[Film]
    person: Person
    films: Mapping[int, Film]

    def utility(self, title_id: int) -> float:
        """Return the title's utility to the viewer tonight, 0 to 1; 0 if it was seen."""
        film = self.films.get(title_id)
        if film is None or title_id in self.person.seen:
            return 0.0
        if any(target.id == title_id for target in self.cluster):
            return 1.0
        stars = self.person.hidden.get(title_id)
        if stars is not None and stars >= LIKED_FROM_STARS:
            return LIKED_UTILITY
        if stars is not None and stars <= REFUSED_TO_STARS:
            return 0.0
        return MAX_UNRATED_UTILITY * max(similarity(film, target) for target in self.cluster) ** 3


def draw_intent(person: Person, films: Mapping[int, Film], rng: np.random.Generator) -> Intent:
    """Draw one of the films the person will like, and add the most similar of the others.

    If fewer than two of them are unseen, seen ones count too: the viewer then looks for titles
    similar to those.
    """
    liked = [films[id_] for id_ in person.liked if id_ in films]
    unseen = [film for film in liked if film.id not in person.seen]
    pool = unseen if len(unseen) > 1 else liked
    seed = pool[int(rng.integers(len(pool)))]
    by_similarity = sorted(pool, key=lambda film: (-similarity(film, seed), film.id))
    return Intent(by_similarity[:CLUSTER_SIZE], person, films)


def similarity(first: Film, second: Film) -> float:
    """Return the content similarity of two films, 0 to 1: genres, year and people."""
    return (
        GENRES_WEIGHT * _jaccard(first.genres, second.genres)
        + YEARS_WEIGHT * float(np.exp(-abs(first.year - second.year) / YEARS_SCALE))
        + PEOPLE_WEIGHT * bool(first.people & second.people)
    )


def with_typo(text: str, rng: np.random.Generator) -> str:
    """Return the text with one typo: two letters swapped, one left out, or one doubled."""
    if len(text) < 4:
        return text
    at = int(rng.integers(1, len(text) - 1))
    kind = int(rng.integers(3))
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[at] + text[at:]


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the Jaccard index, 0 for two empty sets."""
    union = first | second
    return len(first & second) / len(union) if union else 0.0
