"""A visit's first opens help: wanted films among the first 20, for real people's hidden likes.

coherent  wanted films hang together by content, by genre, by who likes them, or by era
random    wanted films drawn at random, so that a visit says nothing

Long-term only, a plain prior of added similarities, visit intents, and what the live release does,
after one open and after three, by history size. It reads the database and the artifacts that the
environment names, those of a demo (`. var/demo.env`), with a live release. People whose number is
even chose the constants of visit intents ("dev"); the others are kept apart ("test").
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import django
import numpy as np
from scipy import sparse

from benchmarks.harness import Options, Row
from benchmarks.visit_worlds import (
    HALVES,
    Coherences,
    WantingVisit,
    WatchingPerson,
    drawn_visits,
    is_found,
)
from recommender.arrays import Bool, Float32, Float64, Int64, unit_rows
from recommender.data.catalogue import Catalogue
from recommender.models.item_to_item import Neighbours
from recommender.models.likeness import Likeness, unit_sparse_rows, weighted_by_idf
from recommender.models.long_term_odds import standardised
from recommender.models.visit_intents import IntentEvidence, VisitIntents

if TYPE_CHECKING:
    from benchmarks.visit_demo import Demo

VISITS, QUICK_VISITS = 300, 60
"""Visits of each way of hanging together, number of opens, half of the people and seed."""
OPENS = (1, 3)
LONG_TERM = "long-term only"
RESAMPLES = 2000
CONTENT_IDF_LIMIT = 3.0

Score = Callable[[WantingVisit], Float32]


def run(options: Options) -> Iterator[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    count = options.visits or (QUICK_VISITS if options.quick else VISITS)
    options.settings.update(
        visits=count, seeds=options.seeds, halves="dev: people with even numbers, test: odd",
        intervals="95 %, bootstrap over people, of the gain over long-term only in %",
    )  # fmt: skip
    site = _demo()
    for name, coherence in site.coherences.by_name.items():
        if not options.wants("random" if coherence is None else "coherent"):
            continue
        for opens in OPENS:
            visits, outcomes = [], []
            for half, people in enumerate(site.halves):
                for seed in range(options.seeds):
                    rng = np.random.default_rng([seed, half])
                    for visit in drawn_visits(people, coherence, opens, count, rng):
                        visits.append(visit)
                        outcomes.append(
                            [is_found(visit, score(visit)) for score in site.systems.values()]
                        )
            hits = np.array(outcomes, dtype=np.float64).T  # (S, V)
            yield from _rows(
                f"{name}, {opens} opened", visits, dict(zip(site.systems, hits, strict=True))
            )


@dataclass(frozen=True)
class _Demo:
    """People by half, ways of hanging together, and the systems compared."""

    halves: tuple[list[WatchingPerson], list[WatchingPerson]]
    coherences: Coherences
    systems: dict[str, Score]


def _rows(protocol: str, visits: list[WantingVisit], hits: dict[str, Float64]) -> Iterator[Row]:
    """Yield HR@20 and the gain over long-term only, by half of the people and history size."""
    numbers = np.array([visit.person.number for visit in visits])
    sizes = np.array([visit.person.history for visit in visits])
    bounds = np.quantile(sizes, [1 / 3, 2 / 3])
    third = np.searchsorted(bounds, sizes)
    parts: dict[str, Bool] = {half: numbers % 2 == parity for parity, half in enumerate(HALVES)}
    for number in range(3):
        here = third == number
        if here.any():
            parts[f"history {sizes[here].min()} to {sizes[here].max()}"] = here
    for part, here in parts.items():
        for system, values in hits.items():
            yield Row(f"{protocol}, {part}", system, "HR@20", float(values[here].mean()))
            if system != LONG_TERM:
                baseline = hits[LONG_TERM][here]
                gain, low, high = relative_gain(values[here], baseline, numbers[here])
                yield Row(f"{protocol}, {part}", system, "gain %", gain, low, high)


def relative_gain(ours: Float64, theirs: Float64, people: Int64) -> tuple[float, float, float]:
    """Return by how many percent the mean is higher, and its interval: people are resampled.

    Args:
        ours: (V,) outcomes of visits.
        theirs: (V,) of the same visits.
        people: (V,) whose visit each is.
    """
    _, owner = np.unique(people, return_inverse=True)
    sums = np.array([np.bincount(owner, values) for values in (ours, theirs)])  # (2, N)
    count = sums.shape[1]
    rng = np.random.default_rng(0)
    weights = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)  # (R, N)
    resampled = weights @ sums.T  # (R, 2)
    gains = 100 * (resampled[:, 0] / np.maximum(resampled[:, 1], 1) - 1)
    low, high = np.quantile(gains, [0.025, 0.975])
    return 100 * float(ours.sum() / max(theirs.sum(), 1) - 1), float(low), float(high)


def _demo() -> _Demo:
    """Read the demo's people, films and live release.

    Raises:
        SystemExit: something is missing; says what.
    """
    from benchmarks.visit_demo import demo_of  # noqa: PLC0415  after the setup

    demo = demo_of("visits")
    return _Demo(demo.halves, demo.coherences(), _systems(demo))


def _systems(demo: "Demo") -> dict[str, Score]:
    catalogue = demo.recommender.catalogue
    likeness = Likeness(catalogue, demo.recommender.space, demo.neighbours)
    intents = VisitIntents(liked_by=catalogue.liked_by)
    aspects = lru_cache(256)(likeness.to)

    def by_intents(visit: WantingVisit) -> Float32:
        wanted = catalogue.is_available.copy()
        wanted[visit.person.seen] = wanted[visit.opened] = False
        evidence = [IntentEvidence(aspects(int(item))) for item in visit.opened]
        return intents.posterior(visit.person.long_term, evidence, wanted).scores

    return {
        LONG_TERM: lambda visit: visit.person.long_term,
        "plain prior": PlainPrior(catalogue, demo.recommender.space, demo.neighbours).scores,
        "visit intents": by_intents,
        "live release": demo.live_scores,
    }


class PlainPrior:
    """z(long) + .3 z(content) + .3 z(item vectors) + .1 z(neighbours), means over what was opened.

    The content is the cosine of genres, people and decades, weighted by idf.
    """

    def __init__(
        self, catalogue: Catalogue, vectors: Float32, neighbours: Neighbours | None
    ) -> None:
        decades = np.concatenate([catalogue.years // 10, (catalogue.years + 5) // 10])
        number = np.unique(decades, return_inverse=True)[1]
        count = len(catalogue)
        half = number.max() + 1
        columns = np.concatenate([number[:count], half + number[count:]])
        known = np.tile(catalogue.years > 0, 2)
        rows = np.tile(np.arange(count), 2)[known]
        years = sparse.csr_array(
            (np.ones(len(rows), np.float32), (rows, columns[known])), shape=(count, 2 * half)
        )
        parts = [catalogue.genres.sign(), catalogue.people.sign(), years]
        features = sparse.csr_array(sparse.hstack(parts))
        weighted = weighted_by_idf(features, CONTENT_IDF_LIMIT)
        self._content, self._vectors = unit_sparse_rows(weighted), unit_rows(vectors)
        self._neighbours = neighbours

    def scores(self, visit: WantingVisit) -> Float32:
        opened = visit.opened
        content = np.asarray((self._content @ self._content[opened].T).mean(axis=1)).ravel()
        cosine = (self._vectors @ self._vectors[opened].T).mean(axis=1)
        scores = standardised(visit.person.long_term)
        scores += np.float32(0.3) * (standardised(content) + standardised(cosine))
        if self._neighbours is not None:
            weights = np.mean([self._neighbours.of(int(item)) for item in opened], axis=0)
            scores += np.float32(0.1) * standardised(weights)
        return scores
