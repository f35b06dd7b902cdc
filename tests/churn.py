"""Seen-position churn: two home pages of a visit in, the share of seen positions that changed out.

churn = |seen positions whose title moved or left, not by the viewer's doing| / |seen positions|
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from recommender.ranking.row_kinds import SPOTLIGHT, RowId, Subject, row_kind

Titles = Sequence[tuple[RowId, Sequence[int]]]
"""Rows from the top, each with its titles by slot."""


def seen_position_churn(
    seen: Titles, after: Titles, left: AbstractSet[int] = frozenset()
) -> float | None:
    """Return the share of seen positions that changed on a visit's next page.

    A position is a row's place among the others and a slot in it. The spotlight and the row below
    it, which are of this visit, hold none, nor do rows of a kind that is not pinnable: the viewer,
    the counts or what was just done move them.

    Args:
        seen: a page from the top down to the last row seen, each with the titles seen in it.
        after: the visit's next page, whole.
        left: what the viewer hid, refused or began to watch in between. The titles behind one that
            left may close up, and a row because of one may go.

    Returns:
        0 to 1, or None where nothing was seen.
    """
    rows = [
        (name, [title for title in titles if title not in left])
        for name, titles in _counted(seen)
        if not (row_kind(name[0]).subject == Subject.TITLE and name[1] in left)
    ]
    num_seen = sum(len(titles) for _, titles in rows)
    if not num_seen:
        return None
    there = _counted(after)
    stayed, place = 0, 0
    for name, titles in rows:
        stands = there[place] if place < len(there) else None
        if stands is None or stands[0] != name:
            place += bool(titles)  # a row whose titles all left may be gone
            continue
        stayed += sum(a == b for a, b in zip(titles, stands[1], strict=False))
        place += 1
    return 1 - stayed / num_seen


def _counted(rows: Titles) -> list[tuple[RowId, Sequence[int]]]:
    leads = {n for n, row in enumerate(rows, 1) if row[0][0] == SPOTLIGHT}
    return [row for n, row in enumerate(rows) if row_kind(row[0][0]).is_pinnable and n not in leads]
