"""Labels: slates of a period in, the positions seen on them out, as a ranker's examples.

A position was seen if an impression names it, or a label there. It is labelled 1 if, in the same
visit and from then on, the viewer did one of `Event.LABELS` with the title: opened, chose, played,
listed or liked it. What was done elsewhere (a play on the watch page) is credited to the last slate
of the visit that had shown the title; a position that was on a page and not seen is no example.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from recommender.data.examples import Examples
from recommender.ranking.features import CATEGORIES, FIELDS
from recommender.ranking.row_kinds import row_kind
from recommender.training.incremental import Window
from webapp.discovery.ranker_fields import unpack_fields
from webapp.events.models import Event
from webapp.postgresql.replica import reading_from_replica
from webapp.slates.models import Slate, SlateQuerySet
from webapp.slates.readiness import seen_slates

SLATES_AT_ONCE = 500

Position = tuple[int, int]
"""A row's number and a title's id."""


@dataclass
class _Exposure:
    """The positions of a slate that were seen, and those labelled 1."""

    seen: set[Position] = field(default_factory=set)
    labelled: set[Position] = field(default_factory=set)


@reading_from_replica()
def export_exposures(since: datetime, until: datetime, *, is_simulated: bool = False) -> Window:
    """Return what was seen on the slates made from one moment to another, in their order.

    Two queries for every `SLATES_AT_ONCE` slates.

    Args:
        since: the first moment.
        until: the first moment after them.
        is_simulated: what simulated viewers saw instead of what people saw.

    Raises:
        ValueError: a slate's features cannot be read.
    """
    return _window(seen_slates(since, until, is_simulated=is_simulated))


def sampled_exposures(
    since: datetime, until: datetime, count: int, rng: np.random.Generator, *, is_simulated: bool
) -> Window:
    """Return what was seen on so many of the slates between two moments, drawn at random.

    One query for their ids, then as `export_exposures`.
    """
    slates = seen_slates(since, until, is_simulated=is_simulated)
    ids = list(slates.order_by("created_at", "pk").values_list("pk", flat=True))
    chosen = rng.choice(len(ids), min(count, len(ids)), replace=False)
    return _window(Slate.objects.filter(pk__in=[ids[n] for n in chosen]))


def _window(slates: SlateQuerySet) -> Window:
    parts: list[Examples] = []
    times: list[np.ndarray[Any, np.dtype[np.float64]]] = []
    for batch in _batches(slates.order_by("created_at", "pk").defer("rows", "snapshot")):
        exposures = _exposures(batch)
        for slate in batch:
            examples = _examples(unpack_fields(slate.features or b""), exposures[slate.pk])
            parts.append(examples)
            times.append(np.full(len(examples), slate.created_at.timestamp()))
    if not parts:
        numbers = len(FIELDS) - len(CATEGORIES)
        nothing = Examples(
            np.empty((0, len(CATEGORIES)), dtype=np.int64),
            np.empty((0, numbers), dtype=np.float32),
            np.empty(0, dtype=np.int64),
        )
        return Window(nothing, np.empty(0))
    return Window(Examples.joined(parts), np.concatenate(times))


def _batches(slates: SlateQuerySet) -> Iterator[list[Slate]]:
    batch: list[Slate] = []
    for slate in slates.iterator(chunk_size=SLATES_AT_ONCE):
        batch.append(slate)
        if len(batch) == SLATES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _exposures(batch: list[Slate]) -> dict[UUID, _Exposure]:
    """Read the visits of some slates from their first event on."""
    exposures = {slate.pk: _Exposure() for slate in batch}
    last_shown: dict[tuple[UUID, int], tuple[UUID, int]] = {}
    events = (
        Event.objects.filter(visit__in={slate.visit_id for slate in batch}, title__isnull=False)
        .exclude(kind=Event.Kind.PROGRESS)
        .order_by("occurred_at", "received_at")
        .values_list("kind", "value", "visit_id", "slate_id", "row", "title_id")
    )
    for kind, value, visit_id, slate_id, row, title_id in events.iterator(chunk_size=20_000):
        is_positive = _is_label(kind, value)
        if slate_id is not None and row and (is_positive or kind == Event.Kind.IMPRESSION):
            last_shown[visit_id, title_id] = (slate_id, row_kind(row).code)
            if slate_id in exposures:
                exposures[slate_id].seen.add((row_kind(row).code, title_id))
        shown = last_shown.get((visit_id, title_id))
        if is_positive and shown is not None and shown[0] in exposures:
            exposures[shown[0]].labelled.add((shown[1], title_id))
    return exposures


def _is_label(kind: str, value: str) -> bool:
    if kind not in Event.LABELS:
        return False
    values = Event.LABELS[kind]
    return values is None or value in values


def _examples(features: Examples, exposure: _Exposure) -> Examples:
    """Return the positions that were seen, with their labels."""
    row, item = CATEGORIES.index("row"), CATEGORIES.index("item")
    positions = [(int(line[row]), int(line[item])) for line in features.categories]
    seen = np.array(
        [n for n, position in enumerate(positions) if position in exposure.seen], dtype=np.int64
    )
    labels = np.array([positions[n] in exposure.labelled for n in seen], dtype=np.int64)
    return Examples(features.categories[seen], features.numbers[seen], labels)
