"""The taste of a viewer at this moment: history and visit, fused in one item space.

I items of a catalogue, M items that the models know, D iALS embedding, d width of the session
encoder.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recommender.arrays import Float32
from recommender.artifacts import load_artifact
from recommender.data.sessions import RecentEvents, is_last_of_playback, is_positive_in_visit
from recommender.errors import ArtifactError, NotFittedError
from recommender.models.fusion import (
    ENCODER,
    SURFACES,
    FusionGate,
    FusionInputs,
    GateFeatures,
    joint_space,
)
from recommender.models.ials import Ials
from recommender.models.session_encoder import SessionEncoder
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from recommender.vocabulary import UNKNOWN, Vocabulary

OTHER = "title"
"""What the gate takes a surface for that it has not learned: a page one comes to from elsewhere."""


Side = Float32 | Callable[[], Float32] | None
"""Scores, or what returns them when they are first read; None where there are none."""


class Taste:
    """What a viewer wants now, as scores over a catalogue. Immutable.

    Attributes:
        scores: (I,) of every title; `history_weight` times `history`, and what this visit adds.
        visit_share: how much of the taste is this visit, 0 to 1; None where it is not known.
        history_weight: of the history in `scores`.
        aspects: by name of an aspect of likeness, the probability that the visit is about it;
            empty where a model says no such thing.
        derived: what was made of it and is kept with it, by all that it was made from.
    """

    def __init__(
        self,
        scores: Float32,
        history: Side,
        visit: Side,
        visit_share: float | None,
        history_weight: float = 1.0,
        aspects: Mapping[str, float] | None = None,
    ) -> None:
        self.scores, self._history, self._visit = scores, history, visit
        self.visit_share, self.history_weight = visit_share, history_weight
        self.aspects = aspects or {}
        self.derived: dict[Hashable, Any] = {}

    @classmethod
    def of_vectors(cls, vectors: "TasteVectors", space: Float32) -> "Taste":
        """Return the scores of (I, D + d + 1) titles by a fused vector.

        Cost: one product, and one more for each side that is read: a keystroke reads none.
        """
        history, visit = (
            None if side is None else partial(np.matmul, space, side)
            for side in (vectors.history_vector, vectors.visit_vector)
        )
        share = vectors.visit_share
        weight = 1.0 if share is None else 1.0 - share
        return cls(space @ vectors.vector, history, visit, share, weight)

    @cached_property
    def history(self) -> Float32 | None:
        """(I,) the scores by the history alone, None where there is none."""
        return self._history() if callable(self._history) else self._history

    @cached_property
    def visit(self) -> Float32 | None:
        """(I,) the scores by this visit alone, None where it says nothing."""
        return self._visit() if callable(self._visit) else self._visit


@dataclass(frozen=True)
class TasteVectors:
    """A viewer's history and visit as vectors of the item space, and both fused.

    Attributes:
        vector: (D + d + 1,), multiplied with `TasteModel.space`; (D,) without a session encoder.
        history_vector: the same from the history alone, None where there is none.
        visit_vector: the same from this visit alone, None where it says nothing.
        visit_share: g, how much of the taste is this visit: 0 to 1. Without a session encoder
            the visit is folded into the history, and its share is not known: None.
    """

    vector: Float32
    history_vector: Float32 | None
    visit_vector: Float32 | None
    visit_share: float | None


class TasteModel:
    """iALS, and the session encoder with its gate where a release has them."""

    def __init__(
        self, ials: Ials, encoder: SessionEncoder | None = None, gate: FusionGate | None = None
    ) -> None:
        """Join the models.

        Raises:
            NotFittedError: iALS has learned nothing.
            ArtifactError: the encoder was trained over other items than iALS, or the gate is
                missing.
        """
        if not len(ials.items):
            raise NotFittedError("the iALS model has no item factors: fit or load it first")
        self._ials, self._encoder, self._gate = ials, encoder, gate or FusionGate()
        self.space = ials.item_factors
        """(M, D + d + 1)."""
        if encoder is None:
            return
        if gate is None:
            raise ArtifactError("a release with a session encoder needs its fusion gate")
        if not np.array_equal(encoder.items.ids, ials.items.ids):
            raise ArtifactError(
                f"the session encoder knows {len(encoder.items)} items, iALS {len(ials.items)}, "
                "and they are not the same: they must be trained together"
            )
        self.space = joint_space(ials.item_factors, encoder.item_vectors)

    @classmethod
    def load(cls, folder: Path, *, with_encoder: bool = True) -> "TasteModel":
        """Read a release's models.

        Args:
            folder: the release's.
            with_encoder: False leaves a session encoder out.

        Raises:
            ArtifactError: one is broken, or they do not fit each other.
        """
        ials = Ials.load(folder / "ials")
        if not with_encoder or not (folder / "session_encoder").exists():
            return cls(ials)
        encoder = SessionEncoder.load(folder / "session_encoder")
        return cls(ials, encoder, FusionGate.load(folder / "fusion"))

    @property
    def items(self) -> Vocabulary:
        """What the rows of `space` are."""
        return self._ials.items

    @property
    def has_encoder(self) -> bool:
        return self._encoder is not None

    @property
    def item_factors(self) -> Float32:
        """(M, D) iALS's vectors of the items."""
        return self._ials.item_factors

    @property
    def history_size(self) -> int:
        """How many of the first columns of `space` are iALS's own."""
        return int(self._ials.item_factors.shape[1])

    def taste(self, viewer: Viewer, context: RequestContext) -> TasteVectors | None:
        """Return what the viewer wants, or None where nothing is known that the models know.

        An anonymous newcomer has the visit alone, a fresh visit the history alone.
        """
        if self._encoder is None:
            vector = self._fold_in(viewer.liked)[0]
            history = self._fold_in(viewer.liked_before)[0]
            before = history if history.any() else None
            return TasteVectors(vector, before, None, None) if vector.any() else None
        sides = self._sides(viewer, context, self._encoder)
        if not (sides.long.any() or sides.short.any()):
            return None
        gate = self._gate.gate(sides)
        history, visit = (
            self._gate.fuse(sides, np.full(1, share, np.float32))[0] if side.any() else None
            for share, side in ((0, sides.long), (1, sides.short))
        )
        return TasteVectors(self._gate.fuse(sides, gate)[0], history, visit, float(gate[0]))

    def history(self, liked: Mapping[int, float]) -> Float32 | None:
        """Return the iALS vector (D,) of who liked these, None where nothing of it is known."""
        vector = self._fold_in(liked)[0]
        return vector if vector.any() else None

    def with_items(self, items: Vocabulary, factors: Float32) -> "TasteModel":
        """Return the same models that know other items too, by (M', D) vectors of iALS's space.

        The session encoder says nothing of those it has not learned.
        """
        model = copy(self)
        model._ials = self._ials.with_items(items, factors)
        model.space = factors
        if self._encoder is not None:
            rows = items.items_of(self._encoder.items.ids)
            vectors = np.zeros((len(items), self._encoder.item_vectors.shape[1]), dtype=np.float32)
            vectors[rows] = self._encoder.item_vectors
            model.space = joint_space(factors, vectors)
        return model

    def like(self, title_id: int) -> Float32 | None:
        """Return the taste of someone who liked this title alone, None where it is unknown."""
        long = self._fold_in({title_id: 1.0})
        if not long.any():
            return None
        vector = np.zeros(self.space.shape[1], dtype=np.float32)
        vector[: long.shape[1]] = long[0]
        return vector

    def _fold_in(self, liked: Mapping[int, float]) -> Float32:
        items = self.items.items_of(np.fromiter(liked.keys(), dtype=np.int64))
        weights = np.fromiter(liked.values(), dtype=np.float32)
        known = items != UNKNOWN
        bounds = np.array([0, known.sum()])
        history = sparse.csr_array(
            (weights[known], items[known], bounds), shape=(1, len(self.items))
        )
        return self._ials.fold_in(history)

    def _sides(
        self, viewer: Viewer, context: RequestContext, encoder: SessionEncoder
    ) -> FusionInputs:
        surface = context.surface if context.surface in SURFACES else OTHER
        long = self._fold_in(viewer.liked_before)
        recent = recent_events(viewer.events, context.now, encoder.items, encoder.config.max_events)
        telling = int(is_positive_in_visit(recent).sum())
        short = np.zeros((1, encoder.item_vectors.shape[1]), dtype=np.float32)
        idle = 0.0
        if telling:
            short = encoder.encode(recent)
            idle = context.now - float(recent.at.max())
        return FusionInputs(
            long,
            short,
            GateFeatures(
                np.array([len(viewer.liked_before)]),
                np.array([telling]),
                np.array([idle]),
                encoder.agreement(long, short),
                np.array([SURFACES.index(surface)]),
            ),
        )


def is_read_by_encoder(folder: Path) -> bool:
    """Return whether a release's session encoder reads the visits: it won, or nothing else could.

    Raises:
        ArtifactError: the gate is broken.
    """
    if not (folder / "fusion").exists():
        return False
    if not (folder / "content_vectors").exists():
        return True
    return bool(load_artifact(folder / "fusion").manifest.metrics.get("visit_side") == ENCODER)


def recent_events(
    events: Sequence[ViewerEvent], now: float, items: Vocabulary, length: int
) -> RecentEvents:
    """Put the newest events into arrays, what was played counted once: (1, L)."""
    ids = [UNKNOWN if event.title_id is None else event.title_id for event in events]
    numbers = items.items_of(np.array(ids, dtype=np.int64))
    kinds = np.array([event.kind for event in events], dtype=np.int8)
    ours = np.array([event.is_this_visit for event in events], dtype=bool)
    kept = np.flatnonzero(is_last_of_playback(numbers, kinds, ours))[-length:]
    if not len(kept):
        nothing = np.zeros((1, 1))
        none = nothing.astype(bool)
        return RecentEvents(
            np.full((1, 1), UNKNOWN), nothing.astype(np.int8), nothing, none, none, np.array([now])
        )
    typed = {(0, n): events[e].query for n, e in enumerate(kept) if events[e].query}
    return RecentEvents(
        numbers[None, kept],
        kinds[None, kept],
        np.array([[events[e].at for e in kept]]),
        np.ones((1, len(kept)), dtype=bool),
        ours[None, kept],
        np.array([now]),
        typed,
    )
