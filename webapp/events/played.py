"""What is played most here: one list for everyone."""

from datetime import datetime, timedelta

from django.db.models import Count

from webapp.events.models import Event

DAY = timedelta(days=1)
KEPT = 30
"""More than a row shows, for what a viewer may not see."""


def most_played(now: datetime) -> tuple[int, ...]:
    """Return the titles begun in most visits within a day, the most first. One query.

    Programs and simulated viewers do not count.
    """
    counted = (
        Event.objects.filter(
            kind=Event.Kind.PLAY,
            occurred_at__gt=now - DAY,
            visit__started_at__gt=now - 2 * DAY,
            visit__is_bot=False,
            visit__is_simulated=False,
        )
        .values("title_id")
        .annotate(visits=Count("visit", distinct=True))
        .order_by("-visits", "title_id")
    )
    return tuple(counted.values_list("title_id", flat=True)[:KEPT])
