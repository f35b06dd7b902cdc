"""What a visit has seen of its home page, so that the next one leaves it where it is."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from recommender.ranking.page import PageConfig
from recommender.serving.request import ShownRow
from webapp.events.models import Event, Slate, Surface
from webapp.events.visits import CurrentVisit

FOLD_ROWS, FOLD_SLOTS = PageConfig.fold_rows, PageConfig.fold_slots
"""The part of a page that counts as seen before any impression arrived."""


def on_screen(visit: CurrentVisit) -> list[ShownRow]:
    """Return the rows of the visit's last home page, down to the last one seen. One query.

    Seen is what an impression or an opening names, what had been seen on the pages before, and the
    part above the fold; in each row from its first slot on. Pages of a fallback, and of before a
    switch of the profile was turned, stay for nobody.
    """
    touched = Event.objects.filter(slate=OuterRef("pk")).values(
        place=JSONObject(row="row", title="title_id")
    )
    last = (
        Slate.objects.filter(
            visit=visit.id,
            surface=Surface.HOME,
            fallback_reason="",
            snapshot__switches=visit.switches,
        )
        .order_by("-created_at")
        .values_list("rows", ArraySubquery(touched))
        .first()
    )
    if last is None:
        return []
    rows, places = last
    seen_places = {(place["row"], place["title"]) for place in places}
    seen = [
        max([row["pinned"], *_slots_of(row["kind"], row["titles"], seen_places)]) for row in rows
    ]
    depth = max([FOLD_ROWS, *(n + 1 for n, slots in enumerate(seen) if slots)])
    return [
        ShownRow(
            row["kind"],
            row["key"],
            row["titles"],
            row["scores"],
            max(FOLD_SLOTS, slots),
            chances=row.get("propensities"),
        )
        for row, slots in zip(rows[:depth], seen, strict=False)
    ]


def _slots_of(kind: str, titles: list[int], places: set[tuple[str, int | None]]) -> list[int]:
    """How many slots from the first on each place covers."""
    return [slot + 1 for slot, title in enumerate(titles) if (kind, title) in places]
