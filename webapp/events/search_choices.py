"""Search choices: for each title the texts after which it was chosen, and in how many visits."""

from datetime import datetime, timedelta

from django.db.models import Count
from django.db.models.functions import Lower

from webapp.events.models import Event

KEPT_DAYS = 365
FEWEST_VISITS = 2
"""Fewer visits that chose a title after the same text may be an accident."""


def choices_after_searches(until: datetime) -> dict[int, list[tuple[str, int]]]:
    """Return for each title the texts it was chosen after, and in how many visits. One query.

    Simulated viewers and bots teach nothing.

    Args:
        until: what came later is left out, as is what is older than `KEPT_DAYS` then.
    """
    rows = (
        Event.objects.of_people()
        .filter(
            kind=Event.Kind.CHOOSE,
            occurred_at__lte=until,
            occurred_at__gt=until - timedelta(days=KEPT_DAYS),
        )
        .exclude(query="")
        .values("title_id", text=Lower("query"))
        .annotate(visits=Count("visit", distinct=True))
        .filter(visits__gte=FEWEST_VISITS)
        .order_by("title_id", "text")
        .values_list("title_id", "text", "visits")
    )
    texts: dict[int, list[tuple[str, int]]] = {}
    for title_id, text, visits in rows.iterator(chunk_size=20_000):
        texts.setdefault(title_id, []).append((text, visits))
    return texts
