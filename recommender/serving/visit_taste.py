"""The taste of a visit by its prior: long-term scores and this visit's events in, a taste out.

What an event says (`EVENT_WEIGHTS`) follows the order of the evidence in docs/metrics.md. Of all
events of a title the strongest counts once, or its refusal if that came later; each newer subject
takes `RECENCY` from those before it.

I items of the catalogue.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from recommender.arrays import Bool, Float32, Int64
from recommender.data.catalogue import Catalogue
from recommender.data.sessions import EventKind
from recommender.models.likeness import Aspects, Likeness
from recommender.models.visit_intents import (
    IntentEvidence,
    VisitIntents,
    standardised,
)
from recommender.serving.candidates import catalogue_items
from recommender.serving.request import Viewer, ViewerEvent
from recommender.serving.taste import Taste
from recommender.vocabulary import UNKNOWN

EVENT_WEIGHTS = {
    EventKind.OPEN: 0.9,
    EventKind.CHOOSE: 0.9,
    EventKind.SEARCH: 0.9,
    EventKind.PLAY: 0.95,
    EventKind.PROGRESS: 0.95,
    EventKind.LIST: 0.95,
    EventKind.FINISH: 1.0,
    EventKind.LIKE: 1.0,
}
REFUSAL_WEIGHTS = {
    EventKind.STOP: 0.5,
    EventKind.UNLIST: 0.5,
    EventKind.DISLIKE: 1.0,
    EventKind.HIDE: 1.0,
}
PASSED_OVER_WEIGHT = 0.09
"""What a title that was shown and not opened says against what is like it: a tenth of an open."""
PASSED_OVER_LIMIT = 0.15
"""The most that all of them say, however many: so a genre loses at most a seventh of its odds."""
RECENCY = 0.95
LIKENESSES_CACHED = 64
"""Subjects whose likenesses are cached, 28 I bytes each: those that viewers open at this time."""


@dataclass(frozen=True)
class Subject:
    """What an event is about: an item, or a column of the genres or people."""

    kind: str
    number: int


@dataclass(frozen=True)
class _Said:
    """What this visit says of a subject."""

    subject: Subject
    weight: float
    is_negative: bool


class VisitTaste:
    """Tastes over one catalogue; immutable but for its cache, so threads may share it."""

    def __init__(self, catalogue: Catalogue, likeness: Likeness) -> None:
        """Take what is compared.

        Args:
            catalogue: I titles; its likes order them for someone without a history.
            likeness: over the same.
        """
        self._catalogue, self._likeness = catalogue, likeness
        self._intents = VisitIntents()
        self._aspects = lru_cache(LIKENESSES_CACHED)(self._aspects_of)
        self._popular = standardised(np.log1p(catalogue.liked_by))

    def taste(self, viewer: Viewer, history: Float32 | None) -> Taste | None:
        """Return what the viewer wants now, None where neither history nor visit says anything.

        Args:
            viewer: whose.
            history: (I,) long-term scores of any scale; None without a history.
        """
        said = self._said(viewer)
        is_about_something = any(not each.is_negative for each in said)
        if history is None and not is_about_something:
            return None
        long_term = self._popular if history is None else standardised(history)
        before = None if history is None else long_term
        passed_over = np.unique(catalogue_items(self._catalogue, viewer.passed_over))
        if not said and not len(passed_over):
            return Taste(long_term, before, None, 0.0)
        own = np.array(
            [e.subject.number for e in said if e.subject.kind == "title" and not e.is_negative],
            dtype=np.int64,
        )
        posterior = self._intents.posterior(
            long_term, list(self._evidence(said, passed_over)), self._wanted(viewer, own)
        )
        scores, visit = posterior.scores, posterior.visit
        # a title is like itself, which says nothing of whether it is wanted again
        scores[own] = np.minimum(scores[own], long_term[own])
        visit[own] = visit.min()
        share = 1.0 if history is None else min(posterior.share, 1.0)
        return Taste(
            scores, before, visit if is_about_something else None, share,
            aspects=posterior.aspects,
        )  # fmt: skip

    def _wanted(self, viewer: Viewer, own: Int64) -> Bool:
        """Return (I,) True at titles that could be wanted now."""
        wanted = self._catalogue.is_available.copy()
        ids = [*viewer.seen, *viewer.unfinished, *viewer.excluded]
        items = self._catalogue.items_of(np.array(ids, dtype=np.int64))
        wanted[items[items != UNKNOWN]] = False
        wanted[own] = False
        return wanted

    def _said(self, viewer: Viewer) -> list[_Said]:
        """Return what this visit says of each subject, oldest first by its newest event.

        What the viewer wants not now speaks last.
        """
        said: dict[Subject, _Said] = {}
        for event in viewer.events:
            if not event.is_this_visit:
                continue
            refusal = REFUSAL_WEIGHTS.get(event.kind)
            weight = EVENT_WEIGHTS.get(event.kind, 0.0) if refusal is None else refusal
            for subject in self._subjects(event):
                before = said.pop(subject, None)
                is_repeated = before is not None and before.is_negative == (refusal is not None)
                if before is not None and is_repeated:
                    said[subject] = _Said(subject, max(weight, before.weight), before.is_negative)
                else:
                    said[subject] = _Said(subject, weight, refusal is not None)
        for kind, ids, refused in (
            ("genre", self._catalogue.genre_ids, viewer.not_now_genres),
            ("person", self._catalogue.person_ids, viewer.not_now_people),
        ):
            for column in np.flatnonzero(np.isin(ids, list(refused))).tolist():
                said.pop(Subject(kind, column), None)
                said[Subject(kind, column)] = _Said(Subject(kind, column), 1.0, True)
        return list(said.values())

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
            for column in np.flatnonzero(np.isin(ids, wanted)).tolist() if wanted else ():
                yield Subject(kind, column)

    def _evidence(self, said: list[_Said], passed_over: Int64) -> Iterator[IntentEvidence]:
        """Yield the newest subjects, before them what was passed over, as one."""
        if len(passed_over):
            weight = min(PASSED_OVER_WEIGHT * len(passed_over), PASSED_OVER_LIMIT)
            yield IntentEvidence(self._likeness.to_many(passed_over), weight, is_negative=True)
        newest = said[-(self._intents.config.max_events - bool(len(passed_over))) :]
        for age, each in zip(range(len(newest) - 1, -1, -1), newest, strict=True):
            weight = each.weight * RECENCY**age
            yield IntentEvidence(self._aspects(each.subject), weight, each.is_negative)

    def _aspects_of(self, subject: Subject) -> Aspects:
        match subject.kind:
            case "genre":
                return self._likeness.of_genre(subject.number)
            case "person":
                return self._likeness.of_person(subject.number)
            case _:
                return self._likeness.to(subject.number)
