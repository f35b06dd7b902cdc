"""What a simulated viewer wants tonight: some of the hidden films, and what is like them.

Nothing here comes from a model of ours: a film's worth to a viewer is the real person's own hidden
verdict, and for films that the person never rated, how alike genres, year and people are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

LIKED_FROM_STARS = 4.0
REFUSED_TO_STARS = 2.5
CLUSTER_SIZE = 5
"""Most films that would be just right tonight."""
FEWEST_LIKED = 5
"""A person with fewer liked films among the hidden is not simulated."""
GENRES_COUNT, YEARS_COUNT, PEOPLE_COUNT = 0.5, 0.2, 0.3
YEARS_ALIKE = 10.0
LIKED_WORTH = 0.5
"""A film the person liked, though it is not what tonight is about."""
ALIKE_WORTH = 0.5
"""The most that a film the person never rated is worth."""


@dataclass(frozen=True)
class Film:
    """A title as one who looks at its card knows it."""

    id: int
    name: str
    year: int
    genres: frozenset[str]
    people: frozenset[str]
    seconds: int


@dataclass
class Person:
    """A real person: the verdicts hidden from the models, and what is no news.

    Attributes:
        number: in the histories.
        profile_id: here.
        hidden: stars by title.
        known: titles rated before, or watched in simulated visits.
    """

    number: int
    profile_id: int
    hidden: Mapping[int, float]
    known: set[int] = field(default_factory=set)

    @property
    def liked(self) -> list[int]:
        return [id_ for id_, stars in self.hidden.items() if stars >= LIKED_FROM_STARS]


@dataclass(frozen=True)
class Intent:
    """What one visit is about.

    Attributes:
        cluster: films that would be just right.
        person: whose visit.
        films: the catalogue.
    """

    cluster: Sequence[Film]
    person: Person
    films: Mapping[int, Film]

    def worth(self, title_id: int) -> float:
        """Return how much the viewer wants to watch it tonight, 0 to 1."""
        film = self.films.get(title_id)
        if film is None or title_id in self.person.known:
            return 0.0
        if any(wanted.id == title_id for wanted in self.cluster):
            return 1.0
        stars = self.person.hidden.get(title_id)
        if stars is not None and stars >= LIKED_FROM_STARS:
            return LIKED_WORTH
        if stars is not None and stars <= REFUSED_TO_STARS:
            return 0.0
        return ALIKE_WORTH * max(likeness(film, wanted) for wanted in self.cluster) ** 3


def tonights(person: Person, films: Mapping[int, Film], rng: np.random.Generator) -> Intent:
    """Choose one of the films that the person will like, and those of them most like it.

    Where fewer than two are news, all of them count: the viewer then looks for something similar.
    """
    liked = [films[id_] for id_ in person.liked if id_ in films]
    fresh = [film for film in liked if film.id not in person.known]
    pool = fresh if len(fresh) > 1 else liked
    seed = pool[int(rng.integers(len(pool)))]
    by_likeness = sorted(pool, key=lambda film: (-likeness(film, seed), film.id))
    return Intent(by_likeness[:CLUSTER_SIZE], person, films)


def likeness(one: Film, other: Film) -> float:
    """Return how alike two films are by what their pages say, 0 to 1."""
    return (
        GENRES_COUNT * _shared(one.genres, other.genres)
        + YEARS_COUNT * float(np.exp(-abs(one.year - other.year) / YEARS_ALIKE))
        + PEOPLE_COUNT * bool(one.people & other.people)
    )


def mistyped(text: str, rng: np.random.Generator) -> str:
    """Return the text with one mistake: two letters swapped, one left out, or one doubled."""
    if len(text) < 4:
        return text
    at = int(rng.integers(1, len(text) - 1))
    kind = int(rng.integers(3))
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[at] + text[at:]


def _shared(one: Iterable[str], other: Iterable[str]) -> float:
    """Jaccard's index, 0 for two empty sets."""
    mine, theirs = set(one), set(other)
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0
