"""Pinned rows: a visit in, the rows of its last home page that the next one keeps in place, out."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONObject

from recommender.ranking.page import PageConfig
from recommender.ranking.row_kinds import SPOTLIGHT
from recommender.serving.request import ShownRow
from webapp.discovery.surface import Surface
from webapp.events.models import Event
from webapp.events.visits import CurrentVisit
from webapp.slates.models import Slate

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
    slates = Slate.objects.filter(
        visit=visit.id, surface=Surface.HOME, snapshot__switches=visit.switches
    )
    slates = slates.filter(pk=continued) if continued else slates.filter(fallback_reason="")
    events = Event.objects.filter(Q(slate=OuterRef("pk")) | Q(slate=OuterRef("continues"))).values(
        position=JSONObject(row="row", title="title_id")
    )
    last = (
        slates.order_by("-created_at")
        .values_list("rows", "snapshot__on_screen", "continues", ArraySubquery(events))
        .first()
    )
    if last is None:
        return []
    rows, above, continues, named = last
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
    positions = {(position["row"], position["title"]) for position in named}
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
