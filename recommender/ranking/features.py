"""Ranking features: from a request and titles in rows to the fields of the ranker's examples.

Serving computes these fields to order a list, and again for what was shown. The slate stores the
latter, and training reads them from there, so both use one definition.

I items of the catalogue, N positions of a response.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from recommender.arrays import Float32, Int64
from recommender.data.catalogue import Catalogue
from recommender.data.examples import Examples, Field
from recommender.mapped import grown
from recommender.ranking.row_kinds import row_kind

DEVICES = ("", "phone", "computer", "television")
GENRES = 3
FIRST_SLOT = 1
"""A slot's value is its number from 1. Candidates are scored as if they stood here."""
_DAY = 86_400.0
_LARGEST_Z = 8.0

FIELDS = (
    Field("profile", is_growing=True),
    Field("item", is_growing=True),
    *(Field(f"genre_{n + 1}", is_growing=True) for n in range(GENRES)),
    Field("decade", 32),
    Field("popularity", 24),
    Field("age", 24),
    Field("row", 32),
    Field("slot", 64),
    Field("match", 16),
    Field("hour", 25),
    Field("device", 8),
    Field("visit_events", 16),
    Field("history_size", 24),
    Field("met", 3),
    Field("long"),
    Field("session"),
    Field("fused"),
    Field("gate"),
)
"""profile: its id, 0 for nobody. item: its id. genre_n: ids of its first genres, 0 for none.
decade: from 1880. popularity, age, visit_events, history_size: ⌊log₂⌋ of likes, days in the
catalogue, events of this visit, titles liked before it. row: `RowKind.code`. match: of
search's evidence, by `MATCHES`. hour: UTC, from 1. met: 2 where an event of the viewer names it,
else 1. long, session, fused: how the history, this visit and both like the title, in standard
deviations over the catalogue. gate: the share of this visit. 0 stands for unknown."""

CATEGORIES = tuple(f.name for f in FIELDS if not f.is_numeric)
NUMBERS = tuple(f.name for f in FIELDS if f.is_numeric)


@dataclass(frozen=True)
class RankingRequest:
    """The part of the features that is the same for every title of a request.

    Attributes:
        profile_id: None for an anonymous visitor.
        now: seconds since 1970.
        device: of `DEVICES`.
        visit_events: events of this visit.
        history_size: titles liked before it.
        gate: the share of this visit in the taste, None where it is not known.
        long: (I,) scores by history alone, None where there is none.
        session: (I,) the same by this visit.
        fused: (I,) the same by both.
        met: items that an event of the viewer names.
    """

    profile_id: int | None = None
    now: float = 0.0
    device: str = ""
    visit_events: int = 0
    history_size: int = 0
    gate: float | None = None
    long: Float32 | None = None
    session: Float32 | None = None
    fused: Float32 | None = None
    met: Int64 = field(default_factory=lambda: np.empty(0, dtype=np.int64))


MATCHES = np.array([1, 2, 12, 3, 4, 6, 10, 5, 13, 7, 14, 8, 15, 15, 9, 11, 0])
"""Codes of search's bands of evidence, the strongest first; a band keeps its code when others come
between, so that rankers go on reading what they learned. What an operator put there has none."""


class Positions(NamedTuple):
    """Positions of titles in rows.

    Attributes:
        items: (N,) item numbers.
        rows: (N,) codes of row kinds.
        slots: (N,) from `FIRST_SLOT`.
        matches: (N,) codes of bands of evidence, 0 where nothing was searched for.
    """

    items: Int64
    rows: Int64
    slots: Int64
    matches: Int64

    @classmethod
    def of(cls, items: Int64, row: str, evidence: Int64 | None = None) -> "Positions":
        """Return the positions of a row's candidates: all as if they stood first.

        Args:
            items: (N,) candidates.
            row: the name of the row's kind.
            evidence: (N,) search's bands from 0, None where nothing was searched for.
        """
        return cls(
            items,
            np.full(len(items), row_kind(row).code),
            np.full(len(items), FIRST_SLOT),
            np.zeros(len(items), dtype=np.int64) if evidence is None else MATCHES[evidence],
        )

    def as_shown(self) -> "Positions":
        """Return the positions with the slots that the order gives."""
        return self._replace(slots=FIRST_SLOT + np.arange(len(self.items)))

    @classmethod
    def joined(cls, parts: Sequence["Positions"]) -> "Positions":
        """Return the positions of all rows, one after the other."""
        nothing = cls(*(np.empty(0, dtype=np.int64) for _ in cls._fields))
        columns = zip(nothing, *parts, strict=True)
        return cls(*(np.concatenate(column) for column in columns))


class RankingFeatures:
    """The fields of one moment of the catalogue."""

    def __init__(self, catalogue: Catalogue, modelled: Int64) -> None:
        """Compute what does not depend on the request.

        Args:
            catalogue: I items.
            modelled: the items that a taste scores.
        """
        self._catalogue = catalogue
        self._share = np.zeros(len(catalogue), dtype=np.float32)  # (I,) its sum is 1
        self._share[modelled] = 1 / max(len(modelled), 1)
        self._static = _static(catalogue)  # (I, GENRES + 3)

    def over(self, catalogue: Catalogue) -> "RankingFeatures":
        """Return the same over another state of the same titles, and over titles behind them.

        Of the same titles their age alone is read anew; added ones count in no mean.
        """
        features = copy(self)
        features._catalogue = catalogue
        before = len(self._catalogue)
        if len(catalogue) > before:
            added = catalogue.part_from(before)
            features._static = grown(self._static, _static(added))
            features._share = np.concatenate([self._share, np.zeros(len(added), np.float32)])
        return features

    def examples(self, request: RankingRequest, positions: Positions) -> Examples:
        """Return the fields of N positions; the labels are 0. O(N + I)."""
        items = positions.items
        count = len(items)
        categories = np.zeros((count, len(CATEGORIES)), dtype=np.int64)

        def put(name: str, values: Int64 | int) -> None:
            categories[:, CATEGORIES.index(name)] = values

        days = (request.now - self._catalogue.added_at[items]) / _DAY
        put("profile", request.profile_id or 0)
        first = CATEGORIES.index("item")
        categories[:, first : first + self._static.shape[1]] = self._static[items]
        put("age", log_bucket(days, "age"))
        put("row", positions.rows)
        put("slot", np.minimum(positions.slots, _size("slot") - 1))
        put("match", np.minimum(positions.matches, _size("match") - 1))
        put("hour", 1 + int(request.now // 3600) % 24)
        put("device", DEVICES.index(request.device) if request.device in DEVICES else 0)
        put("visit_events", int(log_bucket(request.visit_events, "visit_events")))
        put("history_size", int(log_bucket(request.history_size, "history_size")))
        put("met", 1 + np.isin(items, request.met))
        numbers = np.zeros((count, len(NUMBERS)), dtype=np.float32)
        tastes = {"long": request.long, "session": request.session, "fused": request.fused}
        for name, taste in tastes.items():
            numbers[:, NUMBERS.index(name)] = self._z_scores(taste, items)
        numbers[:, NUMBERS.index("gate")] = request.gate or 0.0
        return Examples(categories, numbers, np.zeros(count, dtype=np.int64))

    def _z_scores(self, scores: Float32 | None, items: Int64) -> Float32 | float:
        """Return (N,) the scores of items in standard deviations over the catalogue."""
        if scores is None:
            return 0.0
        centred = scores - self._share @ scores
        spread = float(np.sqrt(max(float(self._share @ np.square(centred)), 1e-12)))
        return np.asarray((centred[items] / spread).clip(-_LARGEST_Z, _LARGEST_Z), dtype=np.float32)


def log_bucket(values: ArrayLike, name: str) -> Int64:
    """Return 1 + ⌊log₂(1 + value)⌋, within what the field has."""
    logs = np.log2(1 + np.maximum(np.asarray(values, dtype=np.float64), 0))
    return np.asarray(np.minimum(1 + np.floor(logs).astype(np.int64), _size(name) - 1))


def _size(name: str) -> int:
    return next(f.num_values for f in FIELDS if f.name == name)


def _static(catalogue: Catalogue) -> Int64:
    """Return (I, GENRES + 3): id, genres, decade and popularity."""
    count = len(catalogue)
    genres = np.zeros((count, GENRES), dtype=np.int64)
    matrix = catalogue.genres.tocsr()
    lengths = np.diff(matrix.indptr)
    item = np.repeat(np.arange(count), lengths)
    rank = np.arange(len(item)) - np.repeat(matrix.indptr[:-1], lengths)
    within = rank < GENRES
    genres[item[within], rank[within]] = catalogue.genre_ids[matrix.indices[within]]
    decades = np.where(catalogue.years > 0, 1 + (catalogue.years - 1880) // 10, 0)
    return np.column_stack(
        [
            catalogue.titles.ids,
            genres,
            decades.clip(0, _size("decade") - 1),
            log_bucket(catalogue.liked_by, "popularity"),
        ]
    )
