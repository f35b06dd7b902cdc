"""The page builder: from candidate rows, best first, to rows and slots.

Row by row from the top, knowing the rows above: a title stands once on the page (rows a viewer
keeps by hand are excepted), and a row too short to look like a choice is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.errors import InvalidInputError


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
    """A row of the page: items best first, at most `row_size` of them, and their scores."""

    kind: str
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    key: int | None = None


def build_page(
    candidate_rows: Iterable[CandidateRow],
    excluded: NDArray[np.bool_],
    config: PageConfig,
) -> list[Row]:
    """Fill the rows in the order given.

    Args:
        candidate_rows: in the order they should stand.
        excluded: (I,) True for items that may not be shown in any row.
        config: the limits.
    """
    shown = excluded.copy()  # (I,)
    rows = []
    for row in candidate_rows:
        barred = excluded if row.is_kept_by_viewer else shown
        kept = np.flatnonzero(~barred[row.items])[: config.row_size]
        if len(kept) < (1 if row.is_kept_by_viewer else config.min_row_size):
            continue
        items = row.items[kept]
        shown[items] = True
        rows.append(Row(row.kind, items, row.scores[kept], row.key))
    return rows
