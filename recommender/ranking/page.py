"""The page builder: from candidate rows, best first, to the page's rows and slots.

Rows are chosen greedily from the top. A row's value at the next position is the discounted
utility of its first slots, less where they repeat what the rows above show:

    V(r) = w_kind 0.8^s Σ_k d_k g(i_k) (1 - β max_j ⟨v_{i_k}, v_j⟩) / Σ_k d_k

    d_k = 1 / log₂(k + 1)

k slots from 1 above the fold, g a title's utility, j the first titles of the rows above, s rows of
the same kind above, w_kind the kind's weight (`row_kinds`). Within a row titles are diversified
(`diversity`), and one exploration slot may hold another title; the row logs the propensities.

The first rows get their heads, the slots that a viewer sees without scrolling sideways, before any
of them gets the rest, its tail: what only a row's tail would hold stands in another row's head.

A title stands once on the page. A chart may show it a second time, below the fold; the rows that
the viewer fills are excepted. Too short a row is left out.

What a visit has seen is pinned: the row keeps its position and its seen items their slots. New
titles come to the slots behind them and to the rows below. Once something was done, the row of this
visit stands above the pinned rows; its best title is the page's spotlight, a row of its own, and
stands in no other row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender import checks
from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.errors import InvalidInputError
from recommender.ranking.diversity import diversified
from recommender.ranking.reasons import NO_REASON, Reason
from recommender.ranking.row_kinds import SPOTLIGHT, RowKind, row_id, row_kind

SAME_KIND = 0.8
"""What each row of the same kind above leaves of a row's value."""
POOL = 2
"""Times `row_size`: how many candidates a row is made of."""
EXPLORATION_POOL = 20
"""How many candidates behind the row may come to its exploration slot."""


@dataclass(frozen=True)
class PageConfig:
    row_size: int = 20
    """Most slots a row has."""
    min_row_size: int = 6
    """A row with fewer titles is left out, unless the viewer keeps it by hand."""
    max_rows: int = 24
    """Most rows. What a visit was shown, its own row and, with `kept_within`, those kept by hand
    stay even where that is more."""
    fold_rows: int = 2
    fold_slots: int = 6
    """The part of the page that stands above the fold."""
    relevance_share: float = 0.8
    """λ of `diversified`: 1 leaves the order as it is."""
    redundancy: float = 0.3
    """β: how much of its utility a title loses that is similar to one above."""
    freshness: float = 0.1
    """f: the bonus of a title that was just added."""
    curiosity: float = 0.05
    """c: the bonus of a title that nobody liked yet."""
    exploration: float = 0.2
    """ε: how often a row's exploration slot holds another title; 0 to 0.5."""
    exploration_slot: int = 5
    """Which slot that is, from 0."""
    visit_leads: bool = False
    """Whether the row of this visit stands above what was seen. Slates without it are older."""
    repeats_passed_over: bool = True
    """Whether the row of this visit holds what it saw elsewhere and passed over. Slates with it
    are older."""
    head_rows: int = 0
    """So many rows from the top get their heads before any gets its tail; they are chosen so even
    where `max_rows` leaves some to the answer that continues the page. Slates without it are
    older."""
    kept_within: int = 0
    """A row kept by hand stands no lower than this, or directly below what was seen; with 0 it
    competes with the others. Slates without it are older."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_row_size <= self.row_size:
            raise InvalidInputError(
                "min_row_size must be between 1 and row_size, "
                f"got {self.min_row_size} and {self.row_size}"
            )
        checks.between(0, 1, relevance_share=self.relevance_share, redundancy=self.redundancy)
        checks.between(0, 0.5, exploration=self.exploration)

    @property
    def head_size(self) -> int:
        """The slots of a head: those above the fold, the exploration slot and the fewest titles."""
        least = max(self.fold_slots, self.exploration_slot + 1, self.min_row_size)
        return min(least, self.row_size)


@dataclass(frozen=True)
class Utility:
    """The utility of the catalogue's titles for one request, whatever row they stand in.

    Attributes:
        values: takes items of any shape and returns the utility of showing each, 0 or more.
        vectors: (I, D) similar titles have a product near 1; unit length, or zeros.
    """

    values: Callable[[Int64], Float32]
    vectors: Float32


@dataclass(frozen=True)
class CandidateRow:
    """A row that could stand on the page.

    Attributes:
        kind: which question the row answers, for example `top_picks`.
        items: (N,) best first.
        scores: (N,) comparable within the row only.
        key: the genre, person or title the row is about, an outside id.
        is_of_visit: what this visit is about. The first such row leads the page, below the rows
            kept by the viewer; others stand below those already seen.
        reason: why it is proposed, with the evidence.
    """

    kind: str
    items: Int64
    scores: Float32
    key: int | None = None
    is_of_visit: bool = False
    reason: Reason = NO_REASON

    @property
    def is_kept_by_viewer(self) -> bool:
        """Whether the viewer fills the row: then rows above never shorten it."""
        return row_kind(self.kind).is_kept_by_viewer


@dataclass(frozen=True)
class Row:
    """A row of the page, at most `row_size` items; those that are pinned stand first.

    A pinned item keeps the score it was placed by, and its propensity.
    """

    kind: str
    items: Int64
    scores: Float32
    key: int | None = None
    num_pinned: int = 0
    """How many of the first items stand there because they were seen there before."""
    logged_propensities: Float32 | None = None
    """(N,) how probably each item came to its slot, given the rows above; None is 1 for all."""
    teams: tuple[int, ...] = ()
    """(N,) which of two rankings put each item there, 0 or 1; empty where one made the row."""
    evidence: Int64 | None = None
    """(N,) search's band of evidence for each item, 0 the strongest; None in other rows."""
    reason: Reason = NO_REASON
    """Why the row is shown, with the evidence of this request."""

    @property
    def propensities(self) -> Float32:
        """(N,) the propensities as numbers."""
        if self.logged_propensities is None:
            return np.ones(len(self.items), dtype=np.float32)
        return self.logged_propensities

    def first(self, k: int) -> "Row":
        """Return the row with its first k items alone."""
        return replace(
            self,
            items=self.items[:k],
            scores=self.scores[:k],
            num_pinned=min(self.num_pinned, k),
            logged_propensities=self.propensities[:k],
            teams=self.teams[:k],
            evidence=None if self.evidence is None else self.evidence[:k],
        )


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
    items: Int64
    scores: Float32
    key: int | None = None
    num_seen: int = 0
    num_held: int = 0
    propensities: Float32 | None = None

    @property
    def seen(self) -> Int64:
        """The items that stay where they are."""
        kind = row_kind(self.kind)
        if kind.is_kept_by_viewer:
            return self.items[:0]
        if not kind.is_pinnable:
            return self.items[: self.num_held]
        return self.items[: max(self.num_seen, self.num_held)]


def build_page(
    candidate_rows: Iterable[CandidateRow],
    excluded: Bool,
    config: PageConfig,
    utility: Utility,
    pinned: Sequence[PinnedRow] = (),
    rng: np.random.Generator | None = None,
) -> list[Row]:
    """Choose the rows and fill them.

    Args:
        candidate_rows: in the order they stand where their values are equal. Rows kept by the
            viewer that lead it stand on top, then the first row of this visit, then those pinned.
        excluded: (I,) True for items that may not be shown in any row; where one was pinned, the
            rest of its row closes up.
        config: the limits. A pinned row stays however short.
        utility: of the catalogue's titles for the viewer.
        pinned: what this visit has been shown, from the top down to the last row seen. Where a page
            is continued (`PinnedRow.num_held`), no row is placed above them.
        rng: draws the exploration slots; None explores nothing.
    """
    pinned_ids = {row_id(row.kind, row.key) for row in pinned}
    candidates = [row for row in candidate_rows if len(row.items)]
    offered = {row_id(row.kind, row.key): row for row in reversed(candidates)}
    free = [row for row in candidates if row_id(row.kind, row.key) not in pinned_ids]
    page = _Page(excluded, config, utility, pinned, candidates, rng)
    while free and free[0].is_kept_by_viewer:
        page.place(free.pop(0))
    lead = _lead_of(candidates, pinned) if config.visit_leads else None
    if lead is not None:
        free = [row for row in free if row is not lead]
        page.place_lead(lead, next((pin for pin in pinned if _is_same(pin, lead)), None))
    for pin in pinned:
        if lead is None or not _is_same(pin, lead):
            page.place_pinned(pin, offered.get(row_id(pin.kind, pin.key)))
    free.sort(key=lambda row: not row.is_of_visit)
    kept = _kept_by_viewer(free, excluded) if config.kept_within else []
    num_shown = max(config.max_rows, len(page.rows) + len(kept))
    within = min(config.kept_within, num_shown)
    while free and len(page.rows) < max(num_shown, config.head_rows):
        if kept and len(page.rows) + len(kept) >= within:
            row = kept[0]
        elif free[0].is_of_visit:
            row = free[0]
        else:
            values = page.values(free)
            best = int(values.argmax())
            if values[best] == -np.inf:
                break
            row = free[best]
        free = [other for other in free if other is not row]
        kept = [other for other in kept if other is not row]
        page.place(row, is_shown=len(page.rows) < num_shown)
    return page.finished(num_shown)


def _kept_by_viewer(rows: Iterable[CandidateRow], excluded: Bool) -> list[CandidateRow]:
    """Return those of the rows that the viewer fills, and that hold something to show."""
    return [row for row in rows if row.is_kept_by_viewer and not excluded[row.items].all()]


def _lead_of(
    candidates: Sequence[CandidateRow], pinned: Sequence[PinnedRow]
) -> CandidateRow | None:
    """Return the first row of this visit; None without one, or where a page is continued."""
    if any(pin.num_held for pin in pinned):
        return None
    return next((row for row in candidates if row.is_of_visit), None)


def _is_same(pin: PinnedRow, row: CandidateRow) -> bool:
    return row_id(pin.kind, pin.key) == row_id(row.kind, row.key)


@dataclass(frozen=True)
class _Head:
    """A row that still lacks its tail: where it stands, and what may fill it, the offer first."""

    position: int
    offer: CandidateRow
    pin: PinnedRow | None = None


class _Page:
    """A page in the making: its rows, and what they leave to the rows below."""

    def __init__(
        self,
        excluded: Bool,
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
        self._repeated = np.zeros(len(excluded), dtype=bool)  # (I,) stands in a chart
        self._in_fold = np.zeros(len(excluded), dtype=bool)  # (I,)
        self._similarity_above = np.zeros(len(excluded), dtype=np.float32)  # (I,)
        weighed = np.zeros(len(excluded), dtype=bool)
        for row in candidates:
            weighed[row.items[: self._pool]] = True
        self._weighed = np.flatnonzero(weighed)
        self._slot_discount = 1 / np.log2(np.arange(config.fold_slots) + 2.0)
        self._kinds: dict[str, int] = {}
        self._spotlight: tuple[int, Row] | None = None
        self._heads: list[_Head] = []

    def finished(self, num_shown: int) -> list[Row]:
        """Return so many whole rows, the spotlight directly above the row that it leads."""
        self._fill_tails()
        rows = self.rows[:num_shown]
        if self._spotlight is not None:
            rows.insert(*self._spotlight)
        return rows

    @property
    def _pool(self) -> int:
        return POOL * self._config.row_size

    @property
    def _is_in_fold(self) -> bool:
        """Whether the next row stands above the fold."""
        return self._num_above(len(self.rows)) < self._config.fold_rows

    def _num_above(self, position: int) -> int:
        """Return how many rows stand above a position; a spotlight that is held is none."""
        return sum(row.kind != SPOTLIGHT for row in self.rows[:position])

    def values(self, rows: Sequence[CandidateRow]) -> Float64:
        """Return each row's value as the next one; -inf for one that is too short."""
        size = self._config.fold_slots
        heads = np.full((len(rows), size), -1, dtype=np.int64)
        weights = np.full(len(rows), -np.inf)
        free = {may_repeat: self._free(may_repeat) for may_repeat in (False, True)}
        for n, row in enumerate(rows):
            kind = row_kind(row.kind)
            items = row.items[self._allowed(row, free[kind.may_repeat])]
            if len(items) >= self._min_size(row):
                heads[n, : len(items)] = items[:size]
                seen_of_kind = self._kinds.get(row.kind, 0)
                weights[n] = kind.weight * SAME_KIND**seen_of_kind
        utilities = self._utility.values(heads) * (
            1 - self._config.redundancy * self._similarity_above[heads].clip(0, 1)
        )
        utilities[heads < 0] = 0
        promise = utilities @ self._slot_discount / self._slot_discount.sum()
        return np.where(weights > 0, weights.clip(0) * promise, -np.inf)

    def place(self, candidate: CandidateRow, *, is_shown: bool = True) -> None:
        """Put a row below the others, unless too little is left of it.

        One that is not shown yet keeps its head from the tails above, and explores nothing.
        """
        kind = row_kind(candidate.kind)
        free = self._free(kind.may_repeat)
        allowed = np.flatnonzero(self._allowed(candidate, free))
        if len(allowed) < self._min_size(candidate):
            return
        items, scores = candidate.items[allowed], candidate.scores[allowed]
        order = self._diversified(kind, items)
        reason = candidate.reason.borne_out_by(scores[order])
        behind = np.delete(np.arange(len(items)), order)[:EXPLORATION_POOL]
        order = order[: self._room(kind)]
        row = Row(candidate.kind, items[order], scores[order], candidate.key, reason=reason)
        if not is_shown:
            self._add(row)
            return
        self._add(self._explore_slot(row, items[behind], scores[behind]), candidate)

    def place_lead(self, candidate: CandidateRow, pin: PinnedRow | None) -> None:
        """Put the row of this visit next, and its best title in the spotlight, if one is spare."""
        allowed = np.flatnonzero(self._free(may_repeat=False)[candidate.items])
        num_above = len(self.rows)
        stays = 0 if pin is None else len(pin.seen)
        is_spare = stays + len(allowed) > self._config.min_row_size
        best = allowed[:1] if is_spare else allowed[:0]
        hero, scores = candidate.items[best], candidate.scores[best]
        self._taken[hero] = self._in_fold[hero] = True
        if pin is None:
            self.place(candidate)
        else:
            self.place_pinned(pin, candidate)
        if len(hero) and len(self.rows) > num_above:
            reason = candidate.reason.borne_out_by(scores)
            self._spotlight = num_above, Row(SPOTLIGHT, hero, scores, reason=reason)

    def place_pinned(self, pin: PinnedRow, candidate: CandidateRow | None) -> None:
        """Put what was seen where it was, then the candidate's items, then what was there."""
        kind = row_kind(pin.kind)
        if kind.is_kept_by_viewer:
            if candidate is not None:
                self.place(candidate)
            return
        key = candidate.key if candidate is not None else pin.key
        stays = ~self._excluded[pin.seen]
        if self._is_in_fold:
            stays &= ~self._in_fold[pin.seen]
        held = np.arange(len(pin.seen))[stays]
        offer = candidate or CandidateRow(pin.kind, pin.items[:0], pin.scores[:0])
        free = self._free(kind.may_repeat)
        free[pin.seen] = False
        fresh = np.flatnonzero(free[offer.items])
        order = self._diversified(kind, offer.items[fresh], pin.items[held])
        rest = np.setdiff1d(np.arange(len(pin.items)), np.arange(len(pin.seen)))
        rest = rest[free[pin.items[rest]] & ~np.isin(pin.items[rest], offer.items[fresh[order]])]
        room = min(max(self._room(kind), len(held)), self._config.row_size)
        items = np.concatenate([pin.items[held], offer.items[fresh[order]], pin.items[rest]])[:room]
        scores = np.concatenate([pin.scores[held], offer.scores[fresh[order]], pin.scores[rest]])
        if not len(items):
            return
        propensities = np.ones(len(items), dtype=np.float32)
        if pin.propensities is not None:
            propensities[: len(held)] = pin.propensities[held][:room]
        num_seen = int(stays[: pin.num_seen].sum()) if kind.is_pinnable else 0
        row = Row(
            pin.kind,
            items,
            scores[:room],
            key,
            min(num_seen, room),
            propensities,
            reason=offer.reason.borne_out_by(scores[:room]),
        )
        behind = np.delete(fresh, order)[:EXPLORATION_POOL]
        is_open = len(held) <= self._config.exploration_slot < len(held) + len(order)
        if is_open:
            row = self._explore_slot(row, offer.items[behind], offer.scores[behind])
        self._add(row, offer, pin)

    def _fill_tails(self) -> None:
        """Give the rows that have a head their tails, from the top."""
        for head in self._heads:
            row = self._with_tail(head)
            self.rows[head.position] = row
            self._taken[row.items] = True
        self._heads = []

    def _with_tail(self, head: _Head) -> Row:
        row, offer, pin = self.rows[head.position], head.offer, head.pin
        kind = row_kind(row.kind)
        free = self._free(kind.may_repeat, head.position)
        free[row.items] = False
        fresh = np.flatnonzero(free[offer.items])
        fresh = fresh[self._diversified(kind, offer.items[fresh], row.items)]
        items, scores = [row.items, offer.items[fresh]], [row.scores, offer.scores[fresh]]
        if pin is not None:
            free[offer.items[fresh]] = False
            rest = np.flatnonzero(free[pin.items])
            items, scores = [*items, pin.items[rest]], [*scores, pin.scores[rest]]
        room = self._config.row_size
        all_items, all_scores = np.concatenate(items)[:room], np.concatenate(scores)[:room]
        propensities = row.logged_propensities
        if propensities is not None:
            certain = np.ones(len(all_items) - len(row.items), dtype=np.float32)
            propensities = np.concatenate([propensities, certain])
        return replace(
            row,
            items=all_items,
            scores=all_scores,
            logged_propensities=propensities,
            reason=offer.reason.borne_out_by(all_scores),
        )

    def _room(self, kind: RowKind) -> int:
        """Return how many titles the next row gets at first.

        What the viewer fills and charts stand in no other row's way, so they have no tail to wait
        for.
        """
        is_whole = kind.is_kept_by_viewer or kind.may_repeat
        if is_whole or len(self.rows) >= self._config.head_rows:
            return self._config.row_size
        return self._config.head_size

    def _allowed(self, row: CandidateRow, free: Bool) -> Bool:
        """Return (N,) which items of a row it may show where it would stand next."""
        if row.is_kept_by_viewer:
            return np.asarray(~self._excluded[row.items])
        return np.asarray(free[row.items])

    def _free(self, may_repeat: bool, position: int | None = None) -> Bool:
        """Return (I,) the items that a row, a chart or not, may show there; None is next."""
        position = len(self.rows) if position is None else position
        is_in_fold = self._num_above(position) < self._config.fold_rows
        if not may_repeat:
            return ~(self._taken | self._in_fold) if is_in_fold else ~self._taken
        closed = self._excluded | self._repeated
        return ~(closed | self._in_fold | self._reserved) if is_in_fold else ~closed

    def _min_size(self, row: CandidateRow) -> int:
        return 1 if row.is_kept_by_viewer else self._config.min_row_size

    def _diversified(self, kind: RowKind, items: Int64, above: Int64 | None = None) -> Int64:
        """Return the indices of the items to show, in order."""
        size = self._config.row_size - (0 if above is None else len(above))
        if kind.keeps_order:
            return np.arange(min(max(size, 0), len(items)))
        vectors = self._utility.vectors
        return diversified(
            vectors[items[: self._pool]],
            max(size, 0),
            self._config.relevance_share,
            None if above is None else vectors[above],
        )

    def _explore_slot(self, row: Row, behind: Int64, scores: Float32) -> Row:
        """Fill the exploration slot: with probability ε by one of the candidates behind the row."""
        slot, share = self._config.exploration_slot, self._config.exploration
        is_closed = row_kind(row.kind).keeps_order or len(row.items) <= slot or not len(behind)
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

    def _add(
        self, row: Row, offer: CandidateRow | None = None, pin: PinnedRow | None = None
    ) -> None:
        """Put the row next; what is offered fills its tail, if it has only a head."""
        if offer is not None and self._room(row_kind(row.kind)) < self._config.row_size:
            self._heads.append(_Head(len(self.rows), offer, pin))
        kind = row_kind(row.kind)
        first = row.items[: self._config.fold_slots]
        if self._is_in_fold and not kind.is_kept_by_viewer:
            self._in_fold[first] = True
        if kind.may_repeat:
            self._repeated[row.items] = True
        else:
            self._taken[row.items] = True
        self._kinds[row.kind] = self._kinds.get(row.kind, 0) + 1
        self.rows.append(row)
        if not kind.is_kept_by_viewer:
            self._note_similarity(first)
        if len(self.rows) == self._config.head_rows:
            self._fill_tails()

    def _note_similarity(self, first: Int64) -> None:
        vectors, weighed = self._utility.vectors, self._weighed
        nearest = (vectors[weighed] @ vectors[first].T).max(axis=1, initial=0)
        self._similarity_above[weighed] = np.maximum(self._similarity_above[weighed], nearest)
