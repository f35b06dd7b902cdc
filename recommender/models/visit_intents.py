"""Visit intents: long-term scores and this visit's events in, the posterior of what is wanted out.

A visit is about something, or about nothing in particular. What it is about is an aspect in which
the titles that are wanted are like the titles that were opened (`recommender.models.likeness`).
With p_i the long-term probability of title i, an event on title j says

    r_ij = 1 - b w + b w (ε + s_ij) / Σ_i p_i (ε + s_ij)         positive, b = a / n^γ
    r_ij = (1 - a w s_ij) / Σ_i p_i (1 - a w s_ij)               negative: refused, or passed over

s the likeness in an aspect, w how much the kind of event says, a that an event is no accident, ε
what is likely without any likeness. Of n positive events not every one is about the one thing.
Over the aspects f with prior π_f, and π_0 = 1 - Σ π_f for a visit about nothing,

    q_i ∝ p_i (π_0 + Σ_f π_f Π_j r^f_ij)        p_i ∝ (n_i + h)^-α

n_i how many titles have a greater long-term score: what is wanted falls with the rank by a power,
as of Zipf and Mandelbrot, whatever the scale and the tails of the scores. Events that contradict
each other make every product small, and q returns towards p: a visit that says nothing changes
little. Where nobody has liked title i so far, q_i is t q_i + (1 - t) p_i instead: that it is like
what was opened does not make it good. Scores are read off the long-term ones: of the title that
would have to be as likely without events (`recommender.models.long_term_odds`).

The form is ours. The constants are a prior that needs no data (docs/models/visit_intents.md says
how they were chosen).

I items, E events.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from recommender import checks
from recommender.arrays import Bool, Float32, Int64
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.data.sessions import EventKind
from recommender.models.likeness import Aspects
from recommender.models.long_term_odds import LongTermOdds, standardised

Subject = TypeVar("Subject")

EVENT_WEIGHTS: Mapping[int, float] = {
    EventKind.OPEN: 0.9,
    EventKind.CHOOSE: 0.9,
    EventKind.SEARCH: 0.9,
    EventKind.PLAY: 0.95,
    EventKind.PROGRESS: 0.95,
    EventKind.LIST: 0.95,
    EventKind.FINISH: 1.0,
    EventKind.LIKE: 1.0,
    EventKind.STOP: -0.5,
    EventKind.UNLIST: -0.5,
    EventKind.DISLIKE: -1.0,
    EventKind.HIDE: -1.0,
}
"""w by kind of event, below 0 for a refusal, in the order of the evidence in docs/metrics.md."""
RECENCY = 0.95
"""What each newer subject multiplies the weights of those before it by."""
PRIOR = {
    "overall": 0.66,
    "genres": 0.05,
    "people": 0.03,
    "era": 0.1,
    "period": 0.08,
    "neighbours": 0.03,
}
FIRST_PRIOR = {"overall": 0.5, "genres": 0.1, "people": 0.1, "era": 0.1, "period": 0.15}


@dataclass(frozen=True)
class VisitIntentsConfig:
    sharpness: float = 0.4
    """β: how much a standard deviation of the long-term score says: where α is 0, and where a title
    is more likely than the history's first, or less than its last."""
    steepness: float = 1.5
    """α: how fast what is wanted falls with the rank; 0 takes p_i ∝ exp(β z_i) instead."""
    head: float = 5.0
    """h: of about so many titles at the top none is much more likely than another."""
    reliability: float = 0.95
    """a: how seldom an event of weight 1 is an accident."""
    dilution: float = 0.5
    """γ: 0 believes each of many events as much as one, 1 all of them together as much as one."""
    floor: float = 0.005
    """ε."""
    unrated: float = 0.3
    """t: how much of what a visit says counts for a title that nobody has liked."""
    aspects: Mapping[str, float] = field(default_factory=lambda: dict(PRIOR))
    """π_f by aspect of `Likeness`; what is left of 1 is a visit about nothing in particular."""
    max_events: int = 12
    """The newest events that count."""

    def __post_init__(self) -> None:
        checks.positive(sharpness=self.sharpness, floor=self.floor, head=self.head)
        checks.between(0, 10, steepness=self.steepness)
        checks.between(
            0, 1, reliability=self.reliability, dilution=self.dilution, unrated=self.unrated
        )
        checks.between(0, 1, **{f"aspects[{name}]": pi for name, pi in self.aspects.items()})
        checks.between(0, 1, **{"the sum of aspects": round(sum(self.aspects.values()), 9)})
        checks.whole(1, max_events=self.max_events)


FIRST_CONFIG = VisitIntentsConfig(
    floor=0.03, aspects=FIRST_PRIOR, dilution=0.0, unrated=1.0, steepness=0.0
)
"""Of releases that note no constants: their slates can be answered again."""


@dataclass(frozen=True)
class IntentEvidence:
    """What one event of the visit says.

    Attributes:
        likeness: of all titles to what the event was about.
        weight: w, 0 says nothing, 1 the most.
        is_negative: whether it speaks against what is alike.
    """

    likeness: Aspects
    weight: float = 1.0
    is_negative: bool = False


@dataclass(frozen=True)
class IntentPosterior:
    """What is wanted, after the visit's events.

    Attributes:
        scores: (I,) in standard deviations: without events they are the long-term scores.
        visit: (I,) the same of the part of q that is about something, less a constant.
        share: ½ Σ |q_i - p_i|, how much the visit has changed what is wanted: 0 to 1.
        aspects: the posterior of each aspect; with the rest, π_0's, they sum to 1.
    """

    scores: Float32
    visit: Float32
    share: float
    aspects: Mapping[str, float]


@dataclass(frozen=True)
class IntentParts:
    """What the long-term scores and each expert say of every title.

    Attributes:
        long_term: how likely the long-term scores make each title.
        prior: (I,) that over its sum over what can be wanted.
        wanted: (I,) p: the same, 0 where a title cannot be wanted.
        ratios: by expert, an aspect or another, (I,) its distribution over p.
        has_events: whether any event counted.
        counted: (I,) how much of what the aspects say counts for a title; None for all of it.
    """

    long_term: LongTermOdds
    prior: Float32
    wanted: Float32
    ratios: Mapping[str, Float32]
    has_events: bool
    counted: Float32 | None = None

    def believed(self, ratio: Float32) -> Float32:
        """Return a (I,) ratio nearer to its mean where a title counts less; its mass stays."""
        if self.counted is None:
            return ratio
        mass = np.float32(self.wanted @ ratio)
        nearer = ratio - mass
        nearer *= self.counted
        nearer += mass
        return nearer


class VisitIntents:
    """Infers what a visit is about. Immutable, learns nothing."""

    kind = "visit_intents"

    def __init__(
        self,
        config: VisitIntentsConfig = VisitIntentsConfig(),
        liked_by: Float32 | None = None,
    ) -> None:
        """Take the constants.

        Args:
            config: the constants.
            liked_by: (I,) how many profiles liked each title; None takes all for liked.
        """
        self.config = config
        self._counted = None  # (I,) how much of what a visit says counts for a title
        if liked_by is not None and config.unrated < 1:
            self._counted = np.where(liked_by > 0, np.float32(1), np.float32(config.unrated))

    def over(self, liked_by: Float32) -> "VisitIntents":
        """Return the same over a catalogue, by how many profiles liked each title, (I,)."""
        return VisitIntents(self.config, liked_by)

    def among(self, items: Int64) -> "VisitIntents":
        """Return the same over (N,) of the titles."""
        intents = copy(self)
        if self._counted is not None:
            intents._counted = self._counted[items]
        return intents

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the constants as an artifact."""
        return save_artifact(folder, self.kind, self.config, {}, provenance)

    @classmethod
    def load(cls, folder: Path) -> "VisitIntents":
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or of another kind.
        """
        with loading(folder):
            saved = {"steepness": 0.0, **load_artifact(folder, cls.kind).manifest.config}
            return cls(read_config(VisitIntentsConfig, saved, {}))

    def posterior(
        self, long_term: Float32, evidence: Sequence[IntentEvidence], eligible: Bool | None = None
    ) -> IntentPosterior:
        """Return what is wanted by the stated weights. Cost: 3 I operations an event and aspect.

        Args:
            long_term: (I,) scores of any scale; constant where nothing is known of the viewer.
            evidence: this visit's events, oldest first.
            eligible: (I,) False at titles that cannot be wanted: those just opened, those refused.
        """
        return self.combined(self.parts(long_term, evidence, eligible), self.config.aspects)

    def odds(self, long_term: Float32) -> LongTermOdds:
        """Return how likely (I,) long-term scores of any scale make each title."""
        config = self.config
        return LongTermOdds.of(
            standardised(long_term), config.sharpness, config.steepness, config.head
        )

    def parts(
        self,
        long_term: Float32 | LongTermOdds,
        evidence: Sequence[IntentEvidence],
        eligible: Bool | Float32 | None = None,
    ) -> IntentParts:
        """Return what each aspect says of every title.

        Args:
            long_term: (I,) scores as of `posterior`, or their `odds`.
            evidence: as of `posterior`.
            eligible: likewise; or (I,) how many titles each stands for, 0 where it is not eligible.
        """
        config = self.config
        odds = long_term if isinstance(long_term, LongTermOdds) else self.odds(long_term)
        prior = odds.relative
        wanted: Float32 = prior if eligible is None else prior * eligible
        total = np.float32(max(float(wanted.sum()), 1e-30))
        newest = evidence[-config.max_events :]
        ratios = {name: self._ratios(name, newest, wanted / total) for name in config.aspects}
        return IntentParts(odds, prior / total, wanted / total, ratios, bool(newest), self._counted)

    def combined(self, parts: IntentParts, weights: Mapping[str, float]) -> IntentPosterior:
        """Return what is wanted, from what each expert says.

        Args:
            parts: of `parts`, with the ratios of other experts where there are any.
            weights: π by expert; what is left of 1 is a visit about nothing in particular. What
                experts other than the aspects say counts whole for titles that nobody has liked.
        """
        names = set(self.config.aspects)
        about = _weighted(parts, weights, names & parts.ratios.keys())
        learned = _weighted(parts, weights, parts.ratios.keys() - names)
        nothing = max(1 - sum(weights.values()), 0.0)
        odds = parts.believed(about + np.float32(nothing))
        odds += learned
        odds /= np.float32(max(float(parts.wanted @ odds), 1e-9))  # (I,) q over p
        share = float(parts.wanted @ np.abs(odds - 1)) / 2 if parts.has_events else 0.0
        about += learned
        if self.config.steepness:  # a search for a genre says nothing of years: they lift nothing
            silent = (name for name, ratio in parts.ratios.items() if not np.ptp(ratio))
            about -= np.float32(sum(weights.get(name, 0.0) for name in silent))
        masses = {
            name: weights.get(name, 0.0) * float(parts.wanted @ ratio)
            for name, ratio in parts.ratios.items()
        }
        total = max(nothing + sum(masses.values()), 1e-30)
        return IntentPosterior(
            parts.long_term.scores(_log(odds)),
            parts.long_term.scores(_log(about)),
            share,
            {name: mass / total for name, mass in masses.items()},
        )

    def _ratios(self, name: str, evidence: Sequence[IntentEvidence], prior: Float32) -> Float32:
        """Return (I,) the product of what each event says of every title, by one aspect.

        What one says is a straight line of the likeness, so that three passes over the titles do.
        """
        config = self.config
        product, ratio = np.ones(len(prior), dtype=np.float32), np.empty_like(prior)
        mass = float(prior.sum())
        positive = sum(not event.is_negative for event in evidence)
        diluted = config.reliability / max(positive, 1) ** config.dilution
        for event in evidence:
            likeness = event.likeness.get(name)
            if likeness is None:
                continue
            expected = float(prior @ likeness)
            if event.is_negative:
                trust = config.reliability * event.weight
                slope = -trust / max(mass - trust * expected, 1e-9)
                constant = -slope / trust if trust else 1 / mass
            else:
                trust = diluted * event.weight
                slope = trust / (expected + config.floor)
                constant = 1 - trust + slope * config.floor
            np.multiply(likeness, np.float32(slope), out=ratio)
            ratio += np.float32(constant)
            product *= ratio
        return product


def _weighted(parts: IntentParts, weights: Mapping[str, float], names: Set[str]) -> Float32:
    """Return (I,) the sum of what experts say of each title, by their weights."""
    total = np.zeros_like(parts.wanted)
    for name, ratio in parts.ratios.items():
        if name in names:
            total += np.float32(weights.get(name, 0.0)) * ratio
    return total


def _log(ratio: Float32) -> Float32:
    """Return (I,) the logarithms, in place."""
    np.maximum(ratio, np.float32(1e-12), out=ratio)
    return np.log(ratio, out=ratio)


def weights_of(events: Iterable[tuple[Subject, int]]) -> dict[Subject, float]:
    """Return w by subject, below 0 for a refusal, in the order of their last events.

    Of all events of a subject the strongest counts once, or its refusal if that came later. Each
    newer subject multiplies the weights of those before it by `RECENCY`.

    Args:
        events: subjects with kinds of event, oldest first.
    """
    weights: dict[Subject, float] = {}
    for subject, kind in events:
        weight, before = EVENT_WEIGHTS[kind], weights.pop(subject, 0.0)
        weights[subject] = max(weight, before, key=abs) if weight * before > 0 else weight
    ages = range(len(weights) - 1, -1, -1)
    return {
        subject: weight * RECENCY**age
        for age, (subject, weight) in zip(ages, weights.items(), strict=True)
    }
