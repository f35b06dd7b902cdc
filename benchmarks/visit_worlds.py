"""Visits with known wants: a catalogue and people's hidden liked films in, visits out.

A visit wants up to five hidden liked films that hang together in one way (`Coherence`), and has
opened titles like them among the 300 that the long-term scores put first. The likenesses here are
those of the simulated viewers and of plain counting; no recommender under test uses them.

I items, G genres, P people, N persons.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from recommender.arrays import Float32, Int64
from webapp.demo.tastes import GENRES_WEIGHT, PEOPLE_WEIGHT, YEARS_SCALE, YEARS_WEIGHT

HALVES = ("dev", "test")
"""People with even numbers, of whom choices may be made, and those with odd ones."""
WANTED = 5
"""The most films that a visit wants."""
LEAST_LIKENESS = 0.2
"""A film less like the first one is not wanted."""
OPENED_FROM = 300
"""So many titles of the long-term order may be opened."""
ERA_YEARS = 4.0
"""Years apart at which films of one era are 1/e alike."""
CO_LIKE_DOUBT = 3.0

Coherence = Callable[[int], Float32]
"""(I,) the likeness of every title to one, 0 to 1."""


@dataclass(frozen=True)
class WatchingPerson:
    """A person of the demo, in item numbers.

    Attributes:
        number: in the demo's ratings; the constants of visit intents were chosen on even ones.
        wanted: (W,) hidden liked titles, which no model has seen.
        seen: (K,) titles with a visible rating.
        history: how many titles the models know this person to like.
        long_term: (I,) scores from that history.
    """

    number: int
    wanted: Int64
    seen: Int64
    history: int
    long_term: Float32


@dataclass(frozen=True)
class WantingVisit:
    """A visit: whose, what it has opened, and what it wants."""

    person: WatchingPerson
    opened: Int64
    wanted: Int64


class Coherences:
    """The ways in which wanted films hang together. Each likeness is cached by title."""

    def __init__(
        self,
        years: Int64,
        genres: sparse.csr_array,
        people: sparse.csr_array,
        hidden_likes: sparse.csr_array,
    ) -> None:
        """Prepare the ways.

        Args:
            years: (I,), 0 where it is unknown.
            genres: (I, G), 1 where a title has the genre.
            people: (I, P), 1 where a person directs it or plays in it.
            hidden_likes: (N, I), 1 where a person likes a title that models have not seen.
        """
        self._years = years.astype(np.float32)
        self._genres, self._people = genres, people
        self._genre_counts = np.asarray(genres.sum(axis=1), dtype=np.float32).ravel()
        self._likers = sparse.csr_array(hidden_likes.T)  # (I, N)
        likes = np.asarray(self._likers.sum(axis=1), dtype=np.float32).ravel()
        self._root_likes = np.sqrt(likes)
        cached = lru_cache(maxsize=None)
        self.by_name: dict[str, Coherence | None] = {
            "content": cached(self.content),
            "genre": cached(self.genre),
            "liked by the same": cached(self.liked_by_the_same),
            "era": cached(self.era),
            "random": None,
        }

    def content(self, item: int) -> Float32:
        """What simulated viewers see: genres, year and people (`webapp.demo.tastes`)."""
        nearness = np.exp(-np.abs(self._years - self._years[item]) / np.float32(YEARS_SCALE))
        shares_people = _products(self._people, item) > 0
        weighted = GENRES_WEIGHT * self.genre(item) + PEOPLE_WEIGHT * shares_people
        return np.asarray(weighted + YEARS_WEIGHT * nearness, dtype=np.float32)

    def genre(self, item: int) -> Float32:
        """The Jaccard similarity of the genres."""
        shared = _products(self._genres, item)
        either = self._genre_counts + self._genre_counts[item] - shared
        return np.asarray(shared / np.maximum(either, 1), dtype=np.float32)

    def liked_by_the_same(self, item: int) -> Float32:
        """The cosine of who likes them, shrunk, by likes that no model has seen."""
        together = _products(self._likers, item)
        norm = self._root_likes * self._root_likes[item] + CO_LIKE_DOUBT
        return np.asarray(together / norm, dtype=np.float32)

    def era(self, item: int) -> Float32:
        """The same years, above all with a genre in common."""
        nearness = np.exp(-np.abs(self._years - self._years[item]) / np.float32(ERA_YEARS))
        shares_genre = _products(self._genres, item) > 0
        return np.asarray(nearness * (0.3 + 0.7 * shares_genre), dtype=np.float32)


def drawn_visits(
    people: Sequence[WatchingPerson],
    coherence: Coherence | None,
    opens: int,
    count: int,
    rng: np.random.Generator,
) -> Iterator[WantingVisit]:
    """Draw visits.

    Args:
        people: each with two wanted films or more.
        coherence: how wanted films hang together; None draws them at random, and what was opened.
        opens: how many titles each visit has opened; 0 where nothing is known of it.
        count: how many visits; draws of which nothing like it can be opened are repeated, ten
            times that number at the most.
        rng: draws.
    """
    made = 0
    for _ in range(10 * count):
        if made == count:
            return
        person = people[int(rng.integers(len(people)))]
        wanted, nearness = _wanted(person, coherence, rng)
        if not opens:
            made += 1
            yield WantingVisit(person, np.empty(0, dtype=np.int64), wanted)
            continue
        scores = person.long_term.copy()
        scores[person.seen] = scores[wanted] = -np.inf
        first = np.argpartition(-scores, OPENED_FROM)[:OPENED_FROM]
        first = first[np.argsort(-scores[first], kind="stable")]
        weights = nearness[first].astype(np.float64) ** 3
        if (weights > 0).sum() < opens:
            continue
        made += 1
        opened = rng.choice(first, opens, replace=False, p=weights / weights.sum())
        yield WantingVisit(person, opened, wanted)


def is_found(visit: WantingVisit, scores: Float32, first: int = 20) -> bool:
    """Return whether a wanted film is among the first, of what was neither seen nor opened."""
    ranked = scores.astype(np.float64)
    ranked[visit.person.seen] = ranked[visit.opened] = -np.inf
    best = np.argpartition(-ranked, first)[:first]
    return bool(np.isin(visit.wanted, best).any())


def _wanted(
    person: WatchingPerson, coherence: Coherence | None, rng: np.random.Generator
) -> tuple[Int64, Float32]:
    """Return the wanted films, and (I,) how near every title is to the nearest of them."""
    pool = person.wanted
    if coherence is None:
        nearness = rng.random(len(person.long_term), dtype=np.float32)
        return rng.permutation(pool)[:WANTED], nearness
    seed = int(pool[int(rng.integers(len(pool)))])
    likeness = coherence(seed)
    others = pool[(pool != seed) & (likeness[pool] > LEAST_LIKENESS)]
    nearest = others[np.argsort(-likeness[others], kind="stable")][: WANTED - 1]
    wanted = np.concatenate([[seed], nearest]).astype(np.int64)
    return wanted, np.max([coherence(int(item)) for item in wanted], axis=0)


def _products(features: sparse.csr_array, item: int) -> Float32:
    """Return (I,) the products of all rows with one."""
    row = features[[item]].toarray()[0]
    return np.asarray(features @ row, dtype=np.float32)
