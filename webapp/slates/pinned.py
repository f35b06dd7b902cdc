"""Pinned rows: a visit in, the rows of its last home page that the next one keeps in place, out."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from psycopg.types.json import Jsonb

from recommender.ranking.page import PageConfig
from recommender.ranking.row_kinds import SPOTLIGHT
from recommender.serving.request import ShownRow
from webapp.events.visits import CurrentVisit
from webapp.queries import Query

FOLD_ROWS, FOLD_SLOTS = PageConfig.fold_rows, PageConfig.fold_slots
"""The part of a page that counts as seen before any impression arrived."""


def pinned_rows(visit: CurrentVisit, continued: UUID | None = None) -> list[ShownRow]:
    """Return the rows of the visit's last home page, down to the last one seen. One query.

    A position counts as seen if an event names it, if it was seen on a page before, or if it stands
    above the fold; and so do the positions before it in its row. Pages of the fallback, and those
    from before a switch of the profile changed, pin nothing. What led the page, the spotlight and
    the row below it, is chosen anew for every page: that row is returned with nothing seen.

    Args:
        visit: whose.
        continued: the slate of the page that is continued below; then all its rows are returned
            and every title of them is pinned. Another visit's slate returns nothing.
    """
    found = _LAST_HOME_PAGE.rows(
        visit=visit.id, switches=Jsonb(visit.switches), continued=continued
    )
    if not found:
        return []
    rows, above, continues, named = found[0]
    rows, above, named = json.loads(rows), json.loads(above or "[]"), json.loads(named)
    # A page from before snapshots had a version has none here: the next page starts anew.
    shown = [ShownRow(**row) for row in above or ()] if continues else []
    shown += [
        ShownRow(
            row["kind"],
            row["key"],
            row["titles"],
            row["scores"],
            row["pinned"],
            propensities=row.get("propensities"),
        )
        for row in rows
    ]
    led = {n + 1 for n, row in enumerate(shown) if row.kind == SPOTLIGHT and not continued}
    leads = [row for n, row in enumerate(shown) if n in led]
    shown = [row for n, row in enumerate(shown) if not {n, n + 1} & led]
    positions = {(row, title) for row, title in named}
    seen = [max([row.num_seen, *_seen_slots(row.kind, row.titles, positions)]) for row in shown]
    depth = max([FOLD_ROWS, *(n + 1 for n, slots in enumerate(seen) if slots)])
    return [replace(row, num_seen=0) for row in leads] + [
        replace(
            row,
            num_seen=max(FOLD_SLOTS, slots) if n < depth else 0,
            num_held=len(row.titles) if continued else 0,
        )
        for n, (row, slots) in enumerate(zip(shown, seen, strict=True))
        if continued or n < depth
    ]


def _seen_slots(
    kind: str, titles: Sequence[int], positions: set[tuple[str, int | None]]
) -> list[int]:
    """Return, of each seen position of a row, how many slots from the first on it covers."""
    return [slot + 1 for slot, title in enumerate(titles) if (kind, title) in positions]


_LAST_HOME_PAGE = Query(Path(__file__).parent / "sql" / "last_home_page.sql")
