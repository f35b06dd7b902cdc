"""The page builder: from candidate rows, best first, to rows and slots.

Row by row from the top, knowing the rows above: a title stands once on the page (rows a viewer
keeps by hand are excepted), and a row too short to look like a choice is left out.

What a visit has seen stays calm: a row pinned keeps its place and its seen items their slots.
What is new comes to the slots behind them, to the rows below, and to the `CHANGING` row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.errors import InvalidInputError

KEPT_KINDS = ("continue_watching", "my_list")
"""The rows a viewer keeps by hand; their order is the viewer's own."""
ABOUT_A_TITLE = "because_watched"
"""The rows whose key is the title they stand there for."""
CHANGING = "this_visit"
"""The one row whose seen items may change: what was just done shows there, and it says so."""


@dataclass(frozen=True)
class PageConfig:
    row_size: int = 20
    """Most slots a row has."""
    min_row_size: int = 6
    """A row with fewer titles is left out, unless the viewer keeps it by hand."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_row_size <= self.row_size:
            raise InvalidInputError(
                "min_row_size must be between 1 and row_size, "
                f"got {self.min_row_size} and {self.row_size}"
            )


@dataclass(frozen=True)
class CandidateRow:
    """A row that could stand on the page.

    Attributes:
        kind: which question the row answers, for example `top_picks`.
        items: (N,) best first.
        scores: (N,) comparable within the row only.
        key: the genre or the title the row is about, an outside id.
        is_kept_by_viewer: Continue Watching and My List: never shortened by rows above.
    """

    kind: str
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    key: int | None = None
    is_kept_by_viewer: bool = False


@dataclass(frozen=True)
class Row:
    """A row of the page, at most `row_size` items, best first behind those that are pinned.

    A pinned item keeps the score it was placed by.
    """

    kind: str
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    key: int | None = None
    num_pinned: int = 0
    """How many of the first items stand there because they were seen there before."""


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
    """

    kind: str
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    key: int | None = None
    num_seen: int = 0

    @property
    def seen(self) -> NDArray[np.int64]:
        """The items that stay where they are."""
        return self.items[: 0 if self.kind in (CHANGING, *KEPT_KINDS) else self.num_seen]


def build_page(
    candidate_rows: Iterable[CandidateRow],
    excluded: NDArray[np.bool_],
    config: PageConfig,
    pinned: Sequence[PinnedRow] = (),
) -> list[Row]:
    """Fill the rows in the order given, below those that are pinned.

    Args:
        candidate_rows: in the order they should stand. Rows kept by the viewer that lead it stand
            above the pinned ones.
        excluded: (I,) True for items that may not be shown in any row; where one was pinned, the
            rest of its row closes up.
        config: the limits. A pinned row stays however short.
        pinned: what this visit has been shown, from the top down to the last row seen.
    """
    candidates = list(candidate_rows)
    taken = excluded.copy()  # (I,)
    for pin in pinned:
        taken[pin.seen] = True
    rows: list[Row] = []
    for candidate, held in _in_order(candidates, pinned):
        if candidate is not None and candidate.is_kept_by_viewer:
            row, least = _cut(candidate, ~excluded[candidate.items], config), 1
        elif held is not None:
            row, least = _behind_seen(held, candidate, excluded, taken, config), 1
        else:
            assert candidate is not None  # noqa: S101 - _in_order pairs no two Nones
            row, least = _cut(candidate, ~taken[candidate.items], config), config.min_row_size
        if len(row.items) >= least:
            taken[row.items] = True
            rows.append(row)
    return rows


def _in_order(
    candidates: Sequence[CandidateRow], pinned: Sequence[PinnedRow]
) -> list[tuple[CandidateRow | None, PinnedRow | None]]:
    """Pair pinned rows with their candidates: the viewer's own first, the pinned, the others."""
    names = {_name(row) for row in pinned}
    offered = {_name(row): row for row in reversed(candidates)}
    free = [row for row in candidates if _name(row) not in names]
    leading = next((n for n, row in enumerate(free) if not row.is_kept_by_viewer), len(free))
    return [
        *((row, None) for row in free[:leading]),
        *((offered.get(_name(row)), row) for row in pinned),
        *((row, None) for row in free[leading:]),
    ]


def _name(row: CandidateRow | PinnedRow) -> tuple[str, int | None]:
    """What makes two rows the same one."""
    return row.kind, None if row.kind == CHANGING else row.key


def _cut(row: CandidateRow, allowed: NDArray[np.bool_], config: PageConfig) -> Row:
    kept = np.flatnonzero(allowed)[: config.row_size]
    return Row(row.kind, row.items[kept], row.scores[kept], row.key)


def _behind_seen(
    pin: PinnedRow,
    candidate: CandidateRow | None,
    excluded: NDArray[np.bool_],
    taken: NDArray[np.bool_],
    config: PageConfig,
) -> Row:
    """Return what was seen, then the candidate's items, then what the row held before."""
    fresh = candidate or CandidateRow(pin.kind, pin.items[:0], pin.scores[:0], pin.key)
    items = np.concatenate([pin.seen, fresh.items, pin.items])
    scores = np.concatenate([pin.scores[: len(pin.seen)], fresh.scores, pin.scores])
    allowed = ~taken[items]
    allowed[: len(pin.seen)] = ~excluded[pin.seen]
    first = np.zeros(len(items), dtype=bool)
    first[np.unique(items, return_index=True)[1]] = True
    row = _cut(CandidateRow(pin.kind, items, scores, fresh.key), allowed & first, config)
    return replace(row, num_pinned=int(allowed[: len(pin.seen)].sum()))
