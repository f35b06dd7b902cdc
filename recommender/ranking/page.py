"""The page builder: from candidate rows, best first, to rows and slots.

Row by row from the top, each chosen knowing the rows above. What a row is worth there is what its
first slots promise, by discounted relevance, less where it repeats what stands above:

    V(r) = w_kind 0.8^s Σ_k d_k g(i_k) (1 - β max_j ⟨v_{i_k}, v_j⟩) / Σ_k d_k

    d_k = 1 / log₂(k + 1)

k slots from 1 above the fold, g what a title is worth to the viewer, j the first titles of the rows
above that were chosen, s rows of the same kind above. Within a row titles are varied (`diversity`),
and one slot may be left to chance, with a chance that is known: the row's propensities.

A title stands once on the page. A row of facts may show it a second time, below the fold; rows a
viewer keeps by hand are excepted. A row too short to look like a choice is left out.

What a visit has seen stays calm: a row pinned keeps its place and its seen items their slots.
What is new comes to the slots behind them, to the rows below, and to the `THIS_VISIT` row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.errors import InvalidInputError
from recommender.ranking.diversity import diversified

Floats = NDArray[np.float32]

KEPT_KINDS = ("continue_watching", "my_list")
"""The rows a viewer keeps by hand; their order is the viewer's own."""
ABOUT_A_TITLE = "because_watched"
"""The rows whose key is the title they stand there for."""
THIS_VISIT = "this_visit"
"""The one row whose seen items may change: what was just done shows there, and it says so."""
CHART_KINDS = ("top_10",)
"""Rows that tell what is so, whoever looks: they may repeat a title, and are not held."""
ORDERED_KINDS = frozenset({*KEPT_KINDS, *CHART_KINDS, "new", "results"})
"""Rows whose order is what they say: neither varied nor left to chance."""
KIND_WEIGHT = {
    THIS_VISIT: 1.3,
    "top_picks": 1.2,
    "popular": 1.2,
    ABOUT_A_TITLE: 1.25,
    "person": 0.95,
    "genre": 0.9,
    "genre_pair": 0.9,
    "trending": 0.9,
    "watch_again": 0.85,
    "new": 0.85,
    "hidden_gems": 0.8,
}
"""How much a place on the page is worth to a kind of row, 1 where nothing is said. Set by hand."""
SAME_KIND = 0.8
"""What each row of the same kind above leaves of a row's worth."""
POOL = 2
"""Times `row_size`: how many candidates a row is made of."""
EXPLORATION_POOL = 20
"""How many candidates behind the row may come to the slot that is left to chance."""


@dataclass(frozen=True)
class PageConfig:
    row_size: int = 20
    """Most slots a row has."""
    min_row_size: int = 6
    """A row with fewer titles is left out, unless the viewer keeps it by hand."""
    max_rows: int = 24
    """Most rows; what a visit was shown stays even where that is more."""
    fold_rows: int = 2
    fold_slots: int = 6
    """The part of the page that stands above the fold."""
    relevance_share: float = 0.8
    """λ of `diversified`: 1 does not vary a row at all."""
    redundancy: float = 0.3
    """β: how much of its worth a title loses that is like one above."""
    freshness: float = 0.1
    """What a title that just came in is worth besides its relevance."""
    curiosity: float = 0.05
    """What a title that nobody tried yet is worth besides its relevance."""
    exploration: float = 0.2
    """How often a row's slot that is left to chance holds another title; 0 to 0.5."""
    exploration_slot: int = 5
    """Which slot that is, from 0."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_row_size <= self.row_size:
            raise InvalidInputError(
                "min_row_size must be between 1 and row_size, "
                f"got {self.min_row_size} and {self.row_size}"
            )
        for name, most in (("relevance_share", 1), ("redundancy", 1), ("exploration", 0.5)):
            if not 0 <= getattr(self, name) <= most:
                raise InvalidInputError(
                    f"{name} must be from 0 to {most}, got {getattr(self, name)}"
                )


@dataclass(frozen=True)
class Utility:
    """What the titles of the catalogue are to a viewer, whatever row they stand in.

    Attributes:
        values: (I,) what showing a title is worth, 0 or more.
        vectors: (I, D) titles alike have a product near 1; unit length, or zeros.
    """

    values: Floats
    vectors: Floats


@dataclass(frozen=True)
class CandidateRow:
    """A row that could stand on the page.

    Attributes:
        kind: which question the row answers, for example `top_picks`.
        items: (N,) best first.
        scores: (N,) comparable within the row only.
        key: the genre, person or title the row is about, an outside id.
        is_kept_by_viewer: Continue Watching and My List: never shortened by rows above.
        is_of_visit: what this visit is about, which stands before all rows but those kept by the
            viewer and those already seen.
    """

    kind: str
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    key: int | None = None
    is_kept_by_viewer: bool = False
    is_of_visit: bool = False


@dataclass(frozen=True)
class Row:
    """A row of the page, at most `row_size` items; those that are pinned stand first.

    A pinned item keeps the score it was placed by, and the chance it came by.
    """

    kind: str
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    key: int | None = None
    num_pinned: int = 0
    """How many of the first items stand there because they were seen there before."""
    logged_propensities: Floats | None = None
    """(N,) how probably each item came to its slot, given the rows above; None is 1 for all."""
    teams: tuple[int, ...] = ()
    """(N,) which of two rankings put each item there, 0 or 1; empty where one made the row."""

    @property
    def propensities(self) -> Floats:
        """(N,) the propensities as numbers."""
        if self.logged_propensities is None:
            return np.ones(len(self.items), dtype=np.float32)
        return self.logged_propensities


@dataclass(frozen=True)
class PinnedRow:
    """A row that this visit has been shown.

    Attributes:
        kind: as it was.
        items: (N,) as they stood.
        scores: (N,) as they were.
        key: as it was.
        num_seen: how many of the first items were seen. They stay; the others are a reserve for
            when there is nothing newer to put behind them.
        num_held: how many stay in this answer, seen or not: all, while a page is continued.
        propensities: (N,) propensities as they were; None is 1 for all.
    """

    kind: str
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    key: int | None = None
    num_seen: int = 0
    num_held: int = 0
    propensities: Floats | None = None

    @property
    def seen(self) -> NDArray[np.int64]:
        """The items that stay where they are."""
        if self.kind in KEPT_KINDS:
            return self.items[:0]
        if self.kind in (THIS_VISIT, *CHART_KINDS):
            return self.items[: self.num_held]
        return self.items[: max(self.num_seen, self.num_held)]


def build_page(
    candidate_rows: Iterable[CandidateRow],
    excluded: NDArray[np.bool_],
    config: PageConfig,
    utility: Utility,
    pinned: Sequence[PinnedRow] = (),
    rng: np.random.Generator | None = None,
) -> list[Row]:
    """Choose the rows and fill them.

    Args:
        candidate_rows: in the order they stand where they are worth the same. Rows kept by the
            viewer that lead it stand on top, above those pinned; rows of this visit below those.
        excluded: (I,) True for items that may not be shown in any row; where one was pinned, the
            rest of its row closes up.
        config: the limits. A pinned row stays however short.
        utility: what titles are to the viewer.
        pinned: what this visit has been shown, from the top down to the last row seen.
        rng: draws what is left to chance; None leaves nothing to it.
    """
    names = {_name(row) for row in pinned}
    candidates = [row for row in candidate_rows if len(row.items)]
    offered = {_name(row): row for row in reversed(candidates)}
    free = [row for row in candidates if _name(row) not in names]
    page = _Page(excluded, config, utility, pinned, candidates, rng)
    while free and free[0].is_kept_by_viewer:
        page.place(free.pop(0))
    for pin in pinned:
        page.place_pinned(pin, offered.get(_name(pin)))
    free.sort(key=lambda row: not row.is_of_visit)
    while free and free[0].is_of_visit and len(page.rows) < config.max_rows:
        page.place(free.pop(0))
    while free and len(page.rows) < config.max_rows:
        values = page.values(free)
        best = int(values.argmax())
        if values[best] == -np.inf:
            break
        page.place(free.pop(best))
    return page.rows


class _Page:
    """A page in the making: its rows, and what they leave to the rows below."""

    def __init__(
        self,
        excluded: NDArray[np.bool_],
        config: PageConfig,
        utility: Utility,
        pinned: Sequence[PinnedRow],
        candidates: Sequence[CandidateRow],
        rng: np.random.Generator | None,
    ) -> None:
        self.rows: list[Row] = []
        self._excluded, self._config, self._utility, self._rng = excluded, config, utility, rng
        self._reserved = np.zeros(len(excluded), dtype=bool)  # (I,) will stand in a pinned row
        for pin in pinned:
            self._reserved[pin.seen] = True
        self._taken = excluded | self._reserved  # (I,) stands in a row, or never may
        self._repeated = np.zeros(len(excluded), dtype=bool)  # (I,) stands in a row of facts
        self._in_fold = np.zeros(len(excluded), dtype=bool)  # (I,)
        self._similarity_above = np.zeros(len(excluded), dtype=np.float32)  # (I,)
        weighed = np.zeros(len(excluded), dtype=bool)
        for row in candidates:
            weighed[row.items[: self._pool]] = True
        self._weighed = np.flatnonzero(weighed)
        self._slot_discount = 1 / np.log2(np.arange(config.fold_slots) + 2.0)
        self._kinds: dict[str, int] = {}

    @property
    def _pool(self) -> int:
        return POOL * self._config.row_size

    @property
    def _is_in_fold(self) -> bool:
        """Whether the next row stands above the fold."""
        return len(self.rows) < self._config.fold_rows

    def values(self, rows: Sequence[CandidateRow]) -> NDArray[np.float64]:
        """Return what each row is worth as the next one; -inf for one that is too short."""
        size = self._config.fold_slots
        heads = np.full((len(rows), size), -1, dtype=np.int64)
        weights = np.full(len(rows), -np.inf)
        free = {is_fact: self._free(is_fact) for is_fact in (False, True)}
        for n, row in enumerate(rows):
            items = row.items[self._allowed(row, free[row.kind in CHART_KINDS])]
            if len(items) >= self._min_size(row):
                heads[n, : len(items)] = items[:size]
                seen_of_kind = self._kinds.get(row.kind, 0)
                weights[n] = KIND_WEIGHT.get(row.kind, 1.0) * SAME_KIND**seen_of_kind
        utilities = self._utility.values[heads] * (
            1 - self._config.redundancy * self._similarity_above[heads].clip(0, 1)
        )
        utilities[heads < 0] = 0
        promise = utilities @ self._slot_discount / self._slot_discount.sum()
        return np.where(weights > 0, weights.clip(0) * promise, -np.inf)

    def place(self, candidate: CandidateRow) -> None:
        """Put a row below the others, unless too little is left of it."""
        free = self._free(candidate.kind in CHART_KINDS)
        allowed = np.flatnonzero(self._allowed(candidate, free))
        if len(allowed) < self._min_size(candidate):
            return
        items, scores = candidate.items[allowed], candidate.scores[allowed]
        order = self._diversified(candidate.kind, items)
        row = Row(candidate.kind, items[order], scores[order], candidate.key)
        behind = np.delete(np.arange(len(items)), order)[:EXPLORATION_POOL]
        self._add(self._explore_slot(row, items[behind], scores[behind]))

    def place_pinned(self, pin: PinnedRow, candidate: CandidateRow | None) -> None:
        """Put what was seen where it was, then the candidate's items, then what was there."""
        if pin.kind in KEPT_KINDS:
            if candidate is not None:
                self.place(candidate)
            return
        key = candidate.key if candidate is not None else pin.key
        stays = ~self._excluded[pin.seen]
        if self._is_in_fold:
            stays &= ~self._in_fold[pin.seen]
        held = np.arange(len(pin.seen))[stays]
        news = candidate or CandidateRow(pin.kind, pin.items[:0], pin.scores[:0])
        free = self._free(pin.kind in CHART_KINDS)
        free[pin.seen] = False
        fresh = np.flatnonzero(free[news.items])
        order = self._diversified(pin.kind, news.items[fresh], pin.items[held])
        rest = np.setdiff1d(np.arange(len(pin.items)), np.arange(len(pin.seen)))
        rest = rest[free[pin.items[rest]] & ~np.isin(pin.items[rest], news.items[fresh[order]])]
        room = self._config.row_size
        items = np.concatenate([pin.items[held], news.items[fresh[order]], pin.items[rest]])[:room]
        scores = np.concatenate([pin.scores[held], news.scores[fresh[order]], pin.scores[rest]])
        if not len(items):
            return
        propensities = np.ones(len(items), dtype=np.float32)
        if pin.propensities is not None:
            propensities[: len(held)] = pin.propensities[held][:room]
        num_seen = 0 if pin.kind in (THIS_VISIT, *CHART_KINDS) else int(stays[: pin.num_seen].sum())
        row = Row(pin.kind, items, scores[:room], key, min(num_seen, room), propensities)
        behind = np.delete(fresh, order)[:EXPLORATION_POOL]
        is_open = len(held) <= self._config.exploration_slot < len(held) + len(order)
        if is_open:
            row = self._explore_slot(row, news.items[behind], news.scores[behind])
        self._add(row)

    def _allowed(self, row: CandidateRow, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return (N,) which items of a row it may show where it would stand next."""
        if row.is_kept_by_viewer:
            return np.asarray(~self._excluded[row.items])
        return np.asarray(free[row.items])

    def _free(self, is_fact: bool) -> NDArray[np.bool_]:
        """Return (I,) the items that a row, of facts or not, may show where it would stand next."""
        if not is_fact:
            return ~(self._taken | self._in_fold) if self._is_in_fold else ~self._taken
        closed = self._excluded | self._repeated
        return ~(closed | self._in_fold | self._reserved) if self._is_in_fold else ~closed

    def _min_size(self, row: CandidateRow) -> int:
        return 1 if row.is_kept_by_viewer else self._config.min_row_size

    def _diversified(
        self, kind: str, items: NDArray[np.int64], given: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Return the places of the items to show, in their order."""
        size = self._config.row_size - (0 if given is None else len(given))
        if kind in ORDERED_KINDS:
            return np.arange(min(max(size, 0), len(items)))
        vectors = self._utility.vectors
        return diversified(
            vectors[items[: self._pool]],
            max(size, 0),
            self._config.relevance_share,
            None if given is None else vectors[given],
        )

    def _explore_slot(self, row: Row, behind: NDArray[np.int64], scores: Floats) -> Row:
        """Leave a slot to chance: with `exploration`, one of the candidates behind the row."""
        slot, share = self._config.exploration_slot, self._config.exploration
        is_closed = row.kind in ORDERED_KINDS or len(row.items) <= slot or not len(behind)
        if self._rng is None or is_closed or not share:
            return row
        items, scores_shown, propensities = (
            row.items.copy(),
            row.scores.copy(),
            row.propensities.copy(),
        )
        if self._rng.random() < share:
            drawn = int(self._rng.integers(len(behind)))
            items[slot], scores_shown[slot] = behind[drawn], scores[drawn]
            propensities[slot] = share / len(behind)
        else:
            propensities[slot] = 1 - share
        return replace(row, items=items, scores=scores_shown, logged_propensities=propensities)

    def _add(self, row: Row) -> None:
        first = row.items[: self._config.fold_slots]
        if self._is_in_fold and row.kind not in KEPT_KINDS:
            self._in_fold[first] = True
        if row.kind in CHART_KINDS:
            self._repeated[row.items] = True
        else:
            self._taken[row.items] = True
        self._kinds[row.kind] = self._kinds.get(row.kind, 0) + 1
        self.rows.append(row)
        if row.kind in KEPT_KINDS:
            return
        vectors, weighed = self._utility.vectors, self._weighed
        nearest = (vectors[weighed] @ vectors[first].T).max(axis=1, initial=0)
        self._similarity_above[weighed] = np.maximum(self._similarity_above[weighed], nearest)


def _name(row: CandidateRow | PinnedRow) -> tuple[str, int | None]:
    """What makes two rows the same one."""
    return row.kind, None if row.kind == THIS_VISIT else row.key
