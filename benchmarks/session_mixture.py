"""One mixture of long-term taste, visit counts and session encoder, for the session benchmark.

It is the release's own (`recommender.models.learned_visits`), where titles have no content: no
aspect of likeness is in it.

B requests, I items, D iALS embedding, d width of the encoder.
"""

from dataclasses import dataclass, replace

import numpy as np

from recommender.arrays import Bool, Float32, Int64
from recommender.data.sessions import Requests
from recommender.models.fusion import FusionInputs
from recommender.models.learned_visits import (
    COUNTS,
    ENCODER,
    NOTHING,
    LearnedVisits,
    Reading,
    SessionScores,
    stated_weights,
)
from recommender.models.visit_counts import VisitCounts
from recommender.models.visit_intents import VisitIntents, VisitIntentsConfig
from recommender.models.visit_mixture import VisitMixture
from recommender.vocabulary import UNKNOWN

SHARPNESS = (0.05, 0.1, 0.2, 0.3, 0.4)
"""β that the likelihood chooses from."""
READ = 20


@dataclass(frozen=True)
class Vectors:
    """What both models say of some requests.

    Attributes:
        inputs: long (B, D) and short (B, d + 1).
        item_factors: (I, D).
        item_vectors: (I, d + 1).
    """

    inputs: FusionInputs
    item_factors: Float32
    item_vectors: Float32

    def long_term(self, row: int) -> Float32:
        """Return (I,) the scores of one request's history."""
        return np.asarray(self.item_factors @ self.inputs.long[row])

    def reading(self, row: int, intents: VisitIntents, titles: Int64, is_known: Bool) -> Reading:
        """Return one request; without what the encoder says where its visit has no event."""
        short = self.inputs.short[row]
        session = SessionScores(self.item_vectors @ short, is_known) if short.any() else None
        return Reading(intents.parts(self.long_term(row), []), titles, session)


class SessionMixture:
    """The weights of the three experts; `learned` may get newer counts."""

    def __init__(self, intents: VisitIntents, learned: LearnedVisits) -> None:
        self.intents, self.learned = intents, learned

    @classmethod
    def fit(cls, requests: Requests, vectors: Vectors, counts: VisitCounts) -> "SessionMixture":
        """Learn the weights and β on requests that taught none of the experts."""
        sharpness = max(SHARPNESS, key=lambda beta: _likelihood(beta, requests, vectors))
        intents = VisitIntents(VisitIntentsConfig(sharpness=sharpness, steepness=0, aspects={}))
        titles_of, targets = titles_before(requests, slice(None)), requests.targets
        is_known = np.ones(len(vectors.item_factors), dtype=bool)
        asked = (
            (vectors.reading(row, intents, titles_of[row], is_known), int(targets[row]))
            for row in np.flatnonzero(targets != UNKNOWN).tolist()
        )
        stated = stated_weights(intents, has_encoder=True)
        return cls(intents, LearnedVisits.learn(stated, counts, asked))

    def with_counts(self, counts: VisitCounts) -> "SessionMixture":
        """Return the same weights with counts of later visits."""
        return SessionMixture(self.intents, replace(self.learned, counts=counts))

    def of_counts_alone(self) -> "SessionMixture":
        """Return the counts by themselves, which fall back to long-term taste."""
        alone = VisitMixture(self.learned.mixture.config)
        alone.experts = (NOTHING, COUNTS)
        alone.weights = np.tile([0.0, 1.0], (len(alone.config.stages), 1))
        return SessionMixture(self.intents, replace(self.learned, mixture=alone))

    def scores(self, requests: Requests, rows: slice, vectors: Vectors) -> Float32:
        """Return (B, I) the scores of some requests, whose vectors all are in `vectors`."""
        titles_of = titles_before(requests, rows)
        is_known = np.ones(len(vectors.item_factors), dtype=bool)
        reads_encoder = ENCODER in self.learned.mixture.experts
        scores = np.empty((len(titles_of), len(is_known)), dtype=np.float32)
        for n, row in enumerate(range(*rows.indices(len(requests)))):
            reading = vectors.reading(row, self.intents, titles_of[n], is_known)
            if not reads_encoder:
                reading = replace(reading, session=None)
            scores[n] = self.learned.posterior(self.intents, reading).scores
        return scores


def titles_before(requests: Requests, rows: slice) -> list[Int64]:
    """Return each request's titles of its visit, oldest first by their last event, each once."""
    recent = requests.recent(rows, READ, this_visit_only=True)
    titles = []
    for items, there in zip(recent.items, recent.is_there, strict=True):
        newest_first = items[there & (items != UNKNOWN)][::-1].tolist()
        titles.append(np.array(list(dict.fromkeys(newest_first))[::-1], dtype=np.int64))
    return titles


def _likelihood(sharpness: float, requests: Requests, vectors: Vectors) -> float:
    """Return the mean log probability that long-term taste alone gives the first 1,000 targets."""
    intents = VisitIntents(VisitIntentsConfig(sharpness=sharpness, steepness=0, aspects={}))
    targets = requests.targets
    rows = np.flatnonzero(targets != UNKNOWN)[:1000].tolist()
    wanted = [intents.parts(vectors.long_term(row), []).wanted[targets[row]] for row in rows]
    return float(np.mean(np.log(np.maximum(wanted, 1e-30))))
