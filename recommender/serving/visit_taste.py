"""The taste of a visit: long-term scores and this visit's events in, a taste out.

The stated prior reads the visit, or what the release has learned from visits where that has won.

What an event weighs is `recommender.models.visit_intents.weights_of`.

I items of the catalogue.
"""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from recommender.arrays import Bool, Float32, Int64, Integer
from recommender.data.catalogue import Catalogue
from recommender.data.sessions import EventKind
from recommender.models.learned_visits import Reading
from recommender.models.likeness import Aspects, Likeness
from recommender.models.long_term_odds import LongTermOdds, standardised
from recommender.models.visit_intents import (
    IntentEvidence,
    IntentParts,
    IntentPosterior,
    VisitIntents,
    weights_of,
)
from recommender.serving.candidates import catalogue_items, columns_of
from recommender.serving.learned_taste import EncodedVisit, LearnedRelease
from recommender.serving.request import Viewer, ViewerEvent
from recommender.serving.taste import Taste
from recommender.serving.visit_scope import READ_WHOLE, VisitScope
from recommender.vocabulary import UNKNOWN

PASSED_OVER_WEIGHT = 0.09
"""What a title that was shown and not opened says against what is like it: a tenth of an open."""
PASSED_OVER_LIMIT = 0.15
"""The most that all of them say, however many: so a genre loses at most a seventh of its odds."""


@dataclass(frozen=True)
class Subject:
    """What an event is about: an item, or a column of the genres or people."""

    kind: str
    number: int


@dataclass(frozen=True)
class LongTerm:
    """What a viewer's history says of the catalogue, before any visit.

    Attributes:
        scores: (I,) in standard deviations.
        odds: how likely they make each title.
        scope: over which a visit is read, before it says what it is about; None for all titles.
    """

    scores: Float32
    odds: LongTermOdds
    scope: VisitScope | None = None


class VisitTaste:
    """Tastes over one catalogue; immutable but for its cache, so threads may share it."""

    CACHES = ("_of_popular",)
    """What no file holds (`recommender.mapped`)."""

    def __init__(
        self,
        catalogue: Catalogue,
        likeness: Likeness,
        intents: VisitIntents | None = None,
        learned: LearnedRelease | None = None,
    ) -> None:
        """Take what is compared.

        Args:
            catalogue: I titles; its likes order them for someone without a history.
            likeness: over the same.
            intents: with a release's constants; None takes those of today.
            learned: what reads visits instead of the stated prior.
        """
        self._learned = None if learned is None else learned.over(catalogue)
        encoder = None if learned is None else learned.encoder
        self._encoded = None if encoder is None else EncodedVisit(encoder, catalogue)
        self._catalogue, self._likeness = catalogue, likeness
        self._intents = (intents or VisitIntents()).over(catalogue.liked_by)
        self._popular = standardised(np.log1p(catalogue.liked_by))
        self.start_caches()

    def start_caches(self) -> None:
        """Begin with an empty cache."""
        self._of_popular = lru_cache(1)(partial(self.long_term, self._popular))

    @property
    def takes_titles(self) -> bool:
        """Whether `over` may have more titles."""
        return self._learned is None

    def over(self, catalogue: Catalogue, likeness: Likeness) -> "VisitTaste":
        """Return the same over another state of the same titles, and over titles behind them.

        Nothing learned changes. An added title is as popular as the least popular one.
        """
        visits = copy(self)
        added = len(catalogue) - len(self._catalogue)
        visits._catalogue, visits._likeness = catalogue, likeness
        if added:
            visits._intents = self._intents.over(catalogue.liked_by)
            least = self._popular.min(initial=0)
            visits._popular = np.append(self._popular, np.full(added, least, dtype=np.float32))
        visits.start_caches()
        return visits

    def long_term(self, history: Float32) -> LongTerm:
        """Return what a history says of each title, from (I,) scores of any scale. One sort."""
        scores = standardised(history)
        odds = self._intents.odds(scores)
        is_read_whole = len(scores) <= READ_WHOLE or self._learned is not None
        return LongTerm(scores, odds, None if is_read_whole else VisitScope.of(odds))

    def taste(self, viewer: Viewer, history: LongTerm | None) -> Taste | None:
        """Return what the viewer wants now, None where neither history nor visit says anything.

        Args:
            viewer: whose.
            history: theirs; None without a history.
        """
        weights = weights_of(self._events(viewer))
        is_about_something = any(weight > 0 for weight in weights.values())
        if history is None and not is_about_something:
            return None
        prior = self._of_popular() if history is None else history
        long_term = prior.scores
        before = None if history is None else long_term
        passed_over = np.unique(catalogue_items(self._catalogue, viewer.passed_over))
        if not weights and not len(passed_over):
            return Taste(long_term, before, None, 0.0)
        own = np.array(
            [one.number for one, weight in weights.items() if one.kind == "title" and weight > 0],
            dtype=np.int64,
        )
        wanted = self._wanted(viewer, own)
        if prior.scope is None:
            evidence = self._evidence(self._likeness, weights, passed_over)
            parts = self._intents.parts(prior.odds, list(evidence), wanted)
            posterior = self._posterior(parts, own, viewer)
            scores, visit = posterior.scores, posterior.visit
        else:
            scope = self._with_kin(prior.scope, weights, own)
            posterior = self._read_within(scope, prior.odds, weights, passed_over, wanted)
            scores = scope.over_all(long_term, posterior.scores)
            visit = np.full(len(long_term), posterior.visit.min(), dtype=np.float32)
            visit[scope.items] = posterior.visit
        # a title is like itself, which says nothing of whether it is wanted again
        scores[own] = np.minimum(scores[own], long_term[own])
        visit[own] = visit.min()
        share = 1.0 if history is None else min(posterior.share, 1.0)
        return Taste(
            scores, before, visit if is_about_something else None, share,
            aspects=posterior.aspects,
        )  # fmt: skip

    def _with_kin(
        self, scope: VisitScope, weights: Mapping[Subject, float], own: Int64
    ) -> VisitScope:
        """Return the scope with what the visit names, and what shares people or likers with it."""
        kin: list[Integer] = [own]
        for subject in weights:
            if subject.kind == "title":
                kin.append(self._likeness.kin(subject.number))
            elif subject.kind == "person":
                kin.append(self._catalogue.items_with_person(subject.number))
        return scope.with_titles(np.concatenate(kin))

    def _read_within(
        self,
        scope: VisitScope,
        odds: LongTermOdds,
        weights: Mapping[Subject, float],
        passed_over: Int64,
        wanted: Bool,
    ) -> IntentPosterior:
        """Weigh what the visit says of the scope's titles, as stated; arguments as of `taste`."""
        likeness, intents = self._likeness.among(scope.items), self._intents.among(scope.items)
        evidence = list(self._evidence(likeness, weights, passed_over))
        masses = scope.masses * wanted[scope.items]
        parts = intents.parts(odds.among(scope.items), evidence, masses)
        return intents.combined(parts, intents.config.aspects)

    def _posterior(self, parts: IntentParts, own: Int64, viewer: Viewer) -> IntentPosterior:
        """Weigh the parts by what was learned, or as stated."""
        if self._learned is None:
            return self._intents.combined(parts, self._intents.config.aspects)
        session = None if self._encoded is None else self._encoded.scores(viewer)
        return self._learned.posterior(self._intents, Reading(parts, own, session))

    def _wanted(self, viewer: Viewer, own: Int64) -> Bool:
        """Return (I,) True at titles that could be wanted now."""
        wanted = self._catalogue.is_available.copy()
        ids = [*viewer.seen, *viewer.unfinished, *viewer.excluded]
        items = self._catalogue.items_of(np.array(ids, dtype=np.int64))
        wanted[items[items != UNKNOWN]] = False
        wanted[own] = False
        return wanted

    def _events(self, viewer: Viewer) -> Iterator[tuple[Subject, EventKind]]:
        """Yield this visit's subjects with the kind of each event, oldest first.

        Genres and people that the viewer left out come last, and count as hidden.
        """
        for event in viewer.events:
            if event.is_this_visit:
                for subject in self._subjects(event):
                    yield subject, event.kind
        for kind, ids, refused in (
            ("genre", self._catalogue.genre_ids, viewer.not_now_genres),
            ("person", self._catalogue.person_ids, viewer.not_now_people),
        ):
            for column in columns_of(ids, refused):
                yield Subject(kind, column), EventKind.HIDE

    def _subjects(self, event: ViewerEvent) -> Iterator[Subject]:
        """Yield what an event is about that the catalogue has."""
        if event.title_id is not None:
            item = int(self._catalogue.items_of([event.title_id])[0])
            if item != UNKNOWN:
                yield Subject("title", item)
        for kind, ids, wanted in (
            ("genre", self._catalogue.genre_ids, event.genre_ids),
            ("person", self._catalogue.person_ids, event.person_ids),
        ):
            for column in columns_of(ids, wanted):
                yield Subject(kind, column)

    def _evidence(
        self, likeness: Likeness, weights: Mapping[Subject, float], passed_over: Int64
    ) -> Iterator[IntentEvidence]:
        """Yield the newest subjects, before them what was passed over, as one."""
        if len(passed_over):
            weight = min(PASSED_OVER_WEIGHT * len(passed_over), PASSED_OVER_LIMIT)
            yield IntentEvidence(likeness.to_many(passed_over), weight, is_negative=True)
        counted = self._intents.config.max_events - bool(len(passed_over))
        for subject, weight in list(weights.items())[-counted:]:
            aspects = _aspects_of(likeness, subject)
            yield IntentEvidence(aspects, abs(weight), is_negative=weight < 0)


def _aspects_of(likeness: Likeness, subject: Subject) -> Aspects:
    match subject.kind:
        case "genre":
            return likeness.of_genre(subject.number)
        case "person":
            return likeness.of_person(subject.number)
        case _:
            return likeness.to(subject.number)
