"""Popular plays: the titles that most visits of a day began, and those begun next after a title."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db.models import Count

from webapp.events.models import Event
from webapp.queries import Query
from webapp.refreshed import Refreshed

DAY = timedelta(days=1)
KEPT = 30
"""More than a row shows, for what a viewer may not see."""
PLAYERS = 300
FEWEST = 2
"""People who began a title next: what one alone did would tell others about that one."""


def most_played(now: datetime) -> tuple[int, ...]:
    """Return the titles begun in most visits within a day, the most first. One query.

    Bots and simulated viewers do not count.
    """
    counted = (
        Event.objects.of_people()
        .filter(
            kind=Event.Kind.PLAY,
            occurred_at__gt=now - DAY,
            visit__started_at__gt=now - 2 * DAY,
        )
        .values("title_id")
        .annotate(visits=Count("visit", distinct=True))
        .order_by("-visits", "title_id")
    )
    return tuple(counted.values_list("title_id", flat=True)[:KEPT])


played_today: Refreshed[tuple[int, ...]] = Refreshed(
    "popular plays", lambda _: most_played(datetime.now(UTC)), seconds=60.0, otherwise=()
)
"""This process's list of `most_played`; for everyone the same."""


def played_next(title_id: int) -> tuple[int, ...]:
    """Return what people began next after this title, what most began first. One query.

    Of the newest `PLAYERS` who began it; a title counts that at least `FEWEST` of them began.
    Bots and simulated viewers do not count.
    """
    pairs = _PLAYED_NEXT.rows(title=title_id, players=PLAYERS)
    counted = Counter(title for _, title in set(pairs) if title is not None)
    return tuple(
        title
        for title, times in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        if times >= FEWEST
    )[:KEPT]


_PLAYED_NEXT = Query(Path(__file__).parent / "sql" / "played_next.sql")
