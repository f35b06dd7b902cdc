"""Click rates by history size: slates in, buckets of positions seen and clicked out."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import Count, F, Q

from recommender.ranking.row_kinds import ROW_KINDS
from webapp.events.models import Event
from webapp.slates.models import Slate

NEIGHBOUR_ROWS = tuple(kind.name for kind in ROW_KINDS.values() if kind.uses_neighbours)
"""Rows that R-LARM's neighbours fill."""
NEWEST_SLATES = 5000
BUCKETS = 10


@dataclass(frozen=True)
class ClickBucket:
    """Slates of viewers with about as much history.

    Attributes:
        smallest: the fewest titles liked before the visit, here.
        largest: the most.
        seen: positions seen in `NEIGHBOUR_ROWS`, and in all other rows.
        clicked: how many of them were clicked.
    """

    smallest: int
    largest: int
    seen: tuple[int, int]
    clicked: tuple[int, int]

    @property
    def rates(self) -> list[float | None]:
        """Of the neighbours' rows and of the others; None where nothing was seen."""
        pairs = zip(self.clicked, self.seen, strict=True)
        return [clicked / seen if seen else None for clicked, seen in pairs]


def clicks_by_history_size(since: datetime) -> list[ClickBucket]:
    """Return click rates over the newest slates since a moment, deciles of slates. One query.

    A position is a title in a row of a slate. It was seen if an impression or a click names it, and
    clicked if a click does. Slates of which nothing was seen are left out, and what simulated
    viewers and bots saw.
    """
    people = Slate.objects.of_people().filter(created_at__gte=since)
    newest = people.order_by("-created_at")[:NEWEST_SLATES]
    in_neighbours, is_click = Q(row__in=NEIGHBOUR_ROWS), Q(kind__in=Event.CLICKS)
    slates = (
        Event.objects.filter(
            slate__in=newest.values("pk"), kind__in=[Event.Kind.IMPRESSION, *Event.CLICKS]
        )
        .exclude(row="")
        .values("slate")
        .annotate(
            size=F("slate__history_size"),
            seen=Count("title", distinct=True, filter=in_neighbours),
            seen_elsewhere=Count("title", distinct=True, filter=~in_neighbours),
            clicked=Count("title", distinct=True, filter=in_neighbours & is_click),
            clicked_elsewhere=Count("title", distinct=True, filter=~in_neighbours & is_click),
        )
        .values_list("size", "seen", "seen_elsewhere", "clicked", "clicked_elsewhere")
    )
    rows = np.array([row for row in slates if row[0] is not None], dtype=np.int64)
    if not len(rows):
        return []
    inner = np.quantile(rows[:, 0], np.arange(1, BUCKETS) / BUCKETS, method="lower")
    tenths = np.searchsorted(np.unique(inner), rows[:, 0], side="left")  # of each slate
    buckets = []
    for tenth in np.unique(tenths):
        part = rows[tenths == tenth]
        _, seen, elsewhere, clicked, clicked_elsewhere = part.sum(axis=0).tolist()
        sizes = part[:, 0]
        buckets.append(
            ClickBucket(
                int(sizes.min()), int(sizes.max()), (seen, elsewhere), (clicked, clicked_elsewhere)
            )
        )
    return buckets
