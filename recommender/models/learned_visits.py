"""Learned visits: what the prior's aspects say, visit counts and an encoder in, one posterior out.

The stated prior (`recommender.models.visit_intents`) is a mixture of aspects with stated weights.
Here the counts of recorded visits and the session encoder are experts beside the aspects, and the
weights of all are learned (`recommender.models.visit_mixture`):

    encoder   D_i = p(K) softmax_i(scores) of the titles K that the encoder knows, p_i of others
    counts    D of `recommender.models.visit_counts`, which falls back to the encoder, or to p
              where there is none

Each is given over p, as the aspects' products are.

I items, F experts, N requests.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.data.sessions import RecentEvents, is_positive_in_visit
from recommender.models.session_encoder import SessionEncoder
from recommender.models.visit_counts import VisitCounts
from recommender.models.visit_intents import IntentParts, IntentPosterior, VisitIntents
from recommender.models.visit_mixture import VisitMixture
from recommender.vocabulary import UNKNOWN, Vocabulary

NOTHING, COUNTS, ENCODER = "nothing", "counts", "encoder"
NEW_EXPERT = 0.05
"""The stated weight of the counts and of the encoder, before any visit was seen."""


@dataclass(frozen=True)
class SessionScores:
    """What a session encoder says of this moment.

    Attributes:
        scores: (I,) logits.
        is_known: (I,) False at titles that it has not learned.
    """

    scores: Float32
    is_known: Bool


class CatalogueEncoder:
    """A session encoder over one catalogue's titles. Immutable."""

    def __init__(self, encoder: SessionEncoder, titles: Vocabulary) -> None:
        self.encoder = encoder
        items = encoder.items.items_of(titles.ids)  # (I,)
        self._is_known = items != UNKNOWN
        self._vectors = encoder.item_vectors[items]  # (I, d + 1)

    def scores(self, recent: RecentEvents) -> list[SessionScores | None]:
        """Return what it says of each of B requests; None where no event of the visit is positive.

        Args:
            recent: (B, L) events, over the encoder's own items.
        """
        is_begun = np.asarray(is_positive_in_visit(recent).any(axis=1))
        if not is_begun.any():
            return [None] * len(is_begun)
        return [
            SessionScores(self._vectors @ vector, self._is_known) if begun else None
            for vector, begun in zip(self.encoder.encode(recent), is_begun, strict=True)
        ]


@dataclass(frozen=True)
class Reading:
    """What is known at a request before any weight.

    Attributes:
        parts: what the aspects say.
        titles: (E,) what speaks for itself in the visit, oldest first, each once.
        session: what the encoder says; None where there is none, or the visit is new.
    """

    parts: IntentParts
    titles: Int64
    session: SessionScores | None = None


@dataclass(frozen=True)
class LearnedVisits:
    """Reads visits by learned weights, over one catalogue.

    Attributes:
        mixture: the weights.
        counts: over the catalogue's item numbers.
    """

    mixture: VisitMixture
    counts: VisitCounts

    @classmethod
    def learn(
        cls,
        stated: Mapping[str, float],
        counts: VisitCounts,
        asked: Iterable[tuple[Reading, int]],
    ) -> "LearnedVisits":
        """Learn the weights on requests that taught none of the experts.

        Args:
            stated: π⁰ of all experts, by name.
            counts: over the catalogue's item numbers.
            asked: each request, and the title that was wanted next.
        """
        experts = tuple(stated)
        found: list[tuple[Float64, Float64]] = []
        titles: list[int] = []
        for reading, target in asked:
            found.append(likelihoods(with_experts(reading, counts), experts, target))
            titles.append(len(reading.titles))
        values = np.array(found).reshape(-1, 2, len(experts))  # (N, 2, F)
        mixture = VisitMixture().fit(
            experts, stated, values[:, 0], values[:, 1], np.array(titles, dtype=np.int64)
        )
        return cls(mixture, counts)

    def posterior(self, intents: VisitIntents, reading: Reading) -> IntentPosterior:
        """Return what is wanted, by the intents that made the reading's parts."""
        weights = self.mixture.of(len(reading.titles))
        weights.pop(NOTHING)
        return intents.combined(with_experts(reading, self.counts), weights)


def with_experts(reading: Reading, counts: VisitCounts) -> IntentParts:
    """Return the parts, with what counts and encoder say where they say anything."""
    parts, session = reading.parts, reading.session
    ratios: dict[str, Float32] = dict(parts.ratios)
    known = parts.prior
    if session is not None:
        ratios[ENCODER] = _session_ratio(session, parts)
        known = ratios[ENCODER] * parts.prior
    counted = counts.distribution(reading.titles, known)
    if counted is not None:
        ratios[COUNTS] = (counted / np.maximum(parts.prior, 1e-30)).astype(np.float32)
    return replace(parts, ratios=ratios)


def likelihoods(
    parts: IntentParts, experts: tuple[str, ...], target: int
) -> tuple[Float64, Float64]:
    """Return what the mixture learns from: (F,) each expert's D of the target, and (F,) its mass.

    Both are 0 where an expert says nothing; `NOTHING` is p itself.
    """
    found, masses = np.zeros(len(experts)), np.zeros(len(experts))
    for n, name in enumerate(experts):
        if name == NOTHING:
            found[n], masses[n] = parts.wanted[target], 1.0
        elif name in parts.ratios:
            ratio = parts.ratios[name]
            if name not in (COUNTS, ENCODER):
                ratio = parts.believed(ratio)
            found[n] = parts.wanted[target] * ratio[target]
            masses[n] = parts.wanted @ ratio
    return found, masses


def stated_weights(intents: VisitIntents, *, has_encoder: bool) -> dict[str, float]:
    """Return π⁰: the prior's weights, less a share for the experts that visits teach."""
    experts = [COUNTS, ENCODER] if has_encoder else [COUNTS]
    left = 1 - NEW_EXPERT * len(experts)
    aspects = intents.config.aspects
    stated = {NOTHING: left * (1 - sum(aspects.values()))}
    stated |= {name: left * share for name, share in aspects.items()}
    return stated | dict.fromkeys(experts, NEW_EXPERT)


def _session_ratio(session: SessionScores, parts: IntentParts) -> Float32:
    """Return (I,) the encoder's distribution over p."""
    wanted = np.where(session.is_known, parts.wanted, np.float32(0))
    known = wanted > 0
    best = np.max(session.scores, where=known, initial=-np.inf)
    if not np.isfinite(best):
        return np.ones(len(known), dtype=np.float32)
    odds = np.exp(np.minimum(session.scores - best, np.float32(30)))
    scale = wanted.sum() / (odds @ known)
    ratio = scale * odds / np.maximum(parts.prior, np.float32(1e-30))
    return np.where(session.is_known, ratio, np.float32(1)).astype(np.float32)
