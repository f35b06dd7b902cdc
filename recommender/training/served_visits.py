"""Served visits: recorded requests in, the scores that a release would serve at each out.

A request is read as `recommender.serving.visit_taste` reads a viewer: histories folded in by
iALS, titles placed by their content, this visit's events weighed by their kind, and over all that
the prior's stated weights or learned ones. Searches are left out: their words are not resolved
here.

I titles of a catalogue, M items of iALS, B requests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from scipy import sparse

from recommender.arrays import Float32, Float64, Int64
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import Requests, is_positive_in_visit
from recommender.evaluation.protocols import next_item
from recommender.models.content_vectors import ContentVectors
from recommender.models.ials import Ials
from recommender.models.item_to_item import Neighbours
from recommender.models.learned_visits import (
    CatalogueEncoder,
    LearnedVisits,
    Reading,
    SessionScores,
    stated_weights,
)
from recommender.models.likeness import Likeness
from recommender.models.popularity import Popularity, spread
from recommender.models.session_encoder import SessionEncoder
from recommender.models.visit_counts import VisitCounts
from recommender.models.visit_intents import IntentEvidence, VisitIntents, weights_of
from recommender.training.visit_sides import Score, histories_before, without_history
from recommender.vocabulary import UNKNOWN

LIKENESSES_CACHED = 512
READ_AT_ONCE = 256
"""Requests whose long-term scores are in memory at a time."""
READ = 50
"""The newest events of a visit that are read; more than that say nothing of it any more."""


@dataclass(frozen=True)
class ServedCatalogue:
    """What a release scores titles by.

    Attributes:
        ials: folds histories in.
        catalogue: I titles, and how many like each in the release.
        vectors: (I, D) of the titles, placed by content where they have few likes.
        neighbours: over I; None without R-LARM.
        liked: over I, what every profile liked and when; None takes the positive events of the
            visits before.
    """

    ials: Ials
    catalogue: Catalogue
    vectors: Float32
    neighbours: Neighbours | None = None
    liked: Interactions | None = None

    @classmethod
    def of(
        cls,
        ials: Ials,
        popularity: Popularity,
        content: ContentVectors,
        neighbours: Neighbours | None,
        catalogue: Catalogue,
        liked: Interactions | None,
    ) -> "ServedCatalogue":
        """Bring what a release learned to a catalogue of I titles."""
        likes = spread(popularity.counts, popularity.items, catalogue)
        own = replace(catalogue, liked_by=likes)
        return cls(
            ials,
            own,
            content.placed(own, ials.items, ials.item_factors),
            neighbours.over(own.titles, own.is_available) if neighbours else None,
            liked.over(own.titles) if liked else None,
        )

    @cached_property
    def _folding(self) -> Ials:
        """IALS over the titles: by its own vectors where it has them, else as they are placed."""
        rows = self.ials.items.items_of(self.catalogue.titles.ids)  # (I,)
        factors = np.where((rows != UNKNOWN)[:, None], self.ials.item_factors[rows], self.vectors)
        return self.ials.with_items(self.catalogue.titles, factors.astype(np.float32))

    def long_term(self, histories: sparse.csr_array) -> Float32:
        """Return (B, I) scores by histories (B, I): of popularity where there is none."""
        scores = self._folding.fold_in(histories) @ self.vectors.T
        scores[np.diff(histories.indptr) == 0] = np.log1p(self.catalogue.liked_by)
        return np.asarray(scores, dtype=np.float32)


class ServedVisits:
    """Reads the visits of requests over the catalogue's item numbers."""

    def __init__(
        self,
        served: ServedCatalogue,
        encoder: SessionEncoder | None = None,
        intents: VisitIntents | None = None,
    ) -> None:
        """Prepare the likenesses.

        Args:
            served: what titles are scored by.
            encoder: over iALS's items; None leaves that expert out.
            intents: the prior; None takes the stated one.
        """
        self.served = served
        self.intents = (intents or VisitIntents()).over(served.catalogue.liked_by)
        likeness = Likeness(served.catalogue, served.vectors, served.neighbours)
        self._aspects = lru_cache(LIKENESSES_CACHED)(likeness.to)
        self._encoder = None
        if encoder is not None:
            self._encoder = CatalogueEncoder(encoder, served.catalogue.titles)

    def long_term(self, requests: Requests, rows: slice) -> Float32:
        """Return (B, I) the scores of the history alone."""
        return self.served.long_term(self._histories(requests, rows))

    def prior(self, requests: Requests, rows: slice) -> Float32:
        """Return (B, I) the scores of the stated prior."""
        posteriors = (
            self.intents.combined(reading.parts, self.intents.config.aspects)
            for reading in self._readings(requests, rows)
        )
        return np.stack([posterior.scores for posterior in posteriors])

    def by(self, learned: LearnedVisits) -> Score:
        """Return a scorer by learned weights: (B, I)."""

        def score(requests: Requests, rows: slice) -> Float32:
            readings = self._readings(requests, rows)
            return np.stack([learned.posterior(self.intents, one).scores for one in readings])

        return score

    def learn(self, requests: Requests, counts: VisitCounts) -> LearnedVisits:
        """Learn the weights of all experts on requests that taught none of them.

        Args:
            requests: over I; each for a title that is new to the viewer.
            counts: over I.
        """
        stated = stated_weights(self.intents, has_encoder=self._encoder is not None)
        return LearnedVisits.learn(stated, counts, self._asked(requests))

    def _asked(self, requests: Requests) -> Iterator[tuple[Reading, int]]:
        """Yield each request, and the title that was wanted."""
        for begin in range(0, len(requests), READ_AT_ONCE):
            rows = slice(begin, begin + READ_AT_ONCE)
            yield from zip(
                self._readings(requests, rows), requests.targets[rows].tolist(), strict=True
            )

    def _readings(self, requests: Requests, rows: slice) -> Iterator[Reading]:
        histories = self._histories(requests, rows)
        long_term = self.served.long_term(histories)
        met = requests.sessions.met_before(requests.events[rows], histories.shape[1])
        gone = sparse.csr_array(met.maximum(histories))
        recent = requests.recent(rows, READ, this_visit_only=True)
        session = self._session_scores(requests, rows)
        for row, scores in enumerate(long_term):
            eligible = self.served.catalogue.is_available.copy()
            eligible[gone.indices[gone.indptr[row] : gone.indptr[row + 1]]] = False
            there = recent.is_there[row] & (recent.items[row] != UNKNOWN)
            weights = weights_of(
                zip(
                    recent.items[row][there].tolist(),
                    recent.kinds[row][there].tolist(),
                    strict=True,
                )
            )
            evidence = [
                IntentEvidence(self._aspects(item), abs(weight), is_negative=weight < 0)
                for item, weight in list(weights.items())[-self.intents.config.max_events :]
            ]
            titles = np.array([item for item, weight in weights.items() if weight > 0], np.int64)
            parts = self.intents.parts(scores, evidence, eligible)
            yield Reading(parts, titles, session[row] if session else None)

    def _histories(self, requests: Requests, rows: slice) -> sparse.csr_array:
        return histories_before(requests, rows, len(self.served.catalogue), self.served.liked)

    def _session_scores(self, requests: Requests, rows: slice) -> list[SessionScores | None] | None:
        """Return what the encoder says of each request: nothing where the visit is new to it."""
        if self._encoder is None:
            return None
        encoder = self._encoder.encoder
        own = requests.sessions.over(self.served.catalogue.titles, encoder.items)
        recent = Requests(own, requests.events).recent(rows, encoder.config.max_events)
        return self._encoder.scores(recent)


@dataclass(frozen=True)
class SideOutcomes:
    """What each side found at B requests.

    Attributes:
        values: by side and metric of `next_item`, (B,).
        events_before: (B,) positive events of the visit before each request.
        viewers: (B,) whose.
    """

    values: Mapping[str, Mapping[str, Float64]]
    events_before: Int64
    viewers: Int64

    @classmethod
    def of(
        cls, sides: Mapping[str, Score], requests: Requests, served: ServedCatalogue
    ) -> "SideOutcomes":
        """Ask the sides for new titles over the whole catalogue."""
        num_items = len(served.catalogue)
        values = {
            name: next_item(
                without_history(score, num_items, served.liked), requests, num_items,
                without_past=True,
            )
            for name, score in sides.items()
        }  # fmt: skip
        before = is_positive_in_visit(requests.recent(slice(None), READ)).sum(axis=1)
        viewers = requests.sessions.viewers[requests.sessions.viewer_of[requests.events]]
        return cls(values, before, viewers)

    def of_metric(self, metric: str) -> dict[str, Float64]:
        """Return (B,) a metric by side."""
        return {name: values[metric] for name, values in self.values.items()}
