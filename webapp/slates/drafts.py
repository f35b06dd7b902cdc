"""Drafted lists: of lists that two rankings filled in turns, whose titles were clicked."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from recommender.arrays import Float64, Int64
from recommender.ranking.interleaving import Draft, credit
from webapp.events.models import Event, Visit
from webapp.slates.models import Slate


@dataclass(frozen=True)
class DraftedLists:
    """Drafted lists of which something was clicked, in the order in which they were shown.

    L lists.

    Attributes:
        units: (L,) the profile's number, or one of an anonymous visit's own, below 0.
        credits: (L,) 1 where more of ranker 0's titles were clicked, 0 where fewer, a half where as
            many.
        shown: how many lists were drafted in all.
    """

    units: Int64
    credits: Float64
    shown: int

    @property
    def decided(self) -> "DraftedLists":
        """The lists that one of the two rankings won."""
        is_won = self.credits != 0.5
        return DraftedLists(self.units[is_won], self.credits[is_won], self.shown)


def drafted_lists(visits: "QuerySet[Visit]") -> DraftedLists:
    """Read the clicks on the lists that were drafted in some visits.

    A click counts if it came from the list itself. Lists on which both rankings agree were not
    drafted. Two queries over the visits' slates.
    """
    slates = Slate.objects.filter(
        visit__in=visits,
        fallback_reason="",
        rows__contains=[{"teams": []}],
    )
    clicked: dict[UUID | None, set[int]] = defaultdict(set)
    clicks = Event.objects.clicks().filter(slate__in=slates, title__isnull=False)
    for slate_id, title_id in clicks.values_list("slate", "title"):
        clicked[slate_id].add(title_id)
    units, credits, shown = [], [], 0
    anonymous: dict[UUID, int] = {}
    lists = slates.order_by("created_at", "pk").values_list("pk", "visit", "visit__profile", "rows")
    for slate_id, visit, profile, rows in lists.iterator(chunk_size=500):
        for row in rows:
            if "teams" not in row:
                continue
            shown += 1
            chosen = clicked[slate_id] & set(row["titles"])
            if chosen:
                own = anonymous.setdefault(visit, -1 - len(anonymous))
                units.append(own if profile is None else profile)
                credits.append(credit(Draft(row["titles"], row["teams"]), chosen))
    return DraftedLists(np.array(units, dtype=np.int64), np.array(credits, dtype=np.float64), shown)
