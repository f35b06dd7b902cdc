"""What a visit has seen of its home page, so that the next one leaves it where it is."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONObject

from recommender.ranking.page import PageConfig
from recommender.serving.request import ShownRow
from webapp.discovery.surface import Surface
from webapp.events.models import Event
from webapp.events.visits import CurrentVisit
from webapp.slates.models import Slate

FOLD_ROWS, FOLD_SLOTS = PageConfig.fold_rows, PageConfig.fold_slots
"""The part of a page that counts as seen before any impression arrived."""


def on_screen(visit: CurrentVisit, goes_on: UUID | None = None) -> list[ShownRow]:
    """Return the rows of the visit's last home page, down to the last one seen. One query.

    Seen is what an impression or an opening names, what had been seen on the pages before, and the
    part above the fold; in each row from its first slot on. Pages of a fallback, and of before a
    switch of the profile was turned, stay for nobody.

    Args:
        visit: whose.
        goes_on: the slate of the page that is to be continued; then all its rows are returned, to
            be held whole. Nothing is returned where it is not the visit's.
    """
    slates = Slate.objects.filter(
        visit=visit.id, surface=Surface.HOME, snapshot__switches=visit.switches
    )
    slates = slates.filter(pk=goes_on) if goes_on else slates.filter(fallback_reason="")
    touched = Event.objects.filter(Q(slate=OuterRef("pk")) | Q(slate=OuterRef("continues"))).values(
        place=JSONObject(row="row", title="title_id")
    )
    last = (
        slates.order_by("-created_at")
        .values_list("rows", "snapshot__on_screen", "continues", ArraySubquery(touched))
        .first()
    )
    if last is None:
        return []
    rows, above, continues, places = last
    # A page from before snapshots had a version keeps none here: the next one starts anew.
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
    seen_places = {(place["row"], place["title"]) for place in places}
    seen = [max([row.num_seen, *_slots_of(row.kind, row.titles, seen_places)]) for row in shown]
    depth = max([FOLD_ROWS, *(n + 1 for n, slots in enumerate(seen) if slots)])
    return [
        replace(
            row,
            num_seen=max(FOLD_SLOTS, slots) if n < depth else 0,
            num_held=len(row.titles) if goes_on else 0,
        )
        for n, (row, slots) in enumerate(zip(shown, seen, strict=True))
        if goes_on or n < depth
    ]


def _slots_of(kind: str, titles: Sequence[int], places: set[tuple[str, int | None]]) -> list[int]:
    """How many slots from the first on each place covers."""
    return [slot + 1 for slot, title in enumerate(titles) if (kind, title) in places]
