"""Playback: the rule of a qualified play, and how far a viewer is in each title begun.

The rule stands in the database once: the function `enough_seconds` and the view
`events_play_counted`, whose rows the table `events_play` (`Play`) keeps for evidence, training,
experiments and metrics (docs/metrics.md).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from webapp.events.visits import CurrentVisit
from webapp.queries import Query

SQL = Path(__file__).parent / "sql"
QUALIFIED_SECONDS = 120
QUALIFIED_PERCENT = 70
FINISHED_SHARE = 0.95
MAX_PLAYS = 500
"""A viewer's newest plays of visits: what lies before them no page reads."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def enough_seconds(duration_seconds: int | None) -> int:
    """Return the seconds watched that qualify a play, as the SQL function of this name does.

    120, or 70 % of a shorter title, rounded down and at least 1. Of unknown length (0 or None),
    a title is not taken for a short one.
    """
    if not duration_seconds:
        return QUALIFIED_SECONDS
    return min(QUALIFIED_SECONDS, max(1, duration_seconds * QUALIFIED_PERCENT // 100))


@dataclass(frozen=True)
class Playback:
    """How far a profile (or an anonymous browser) is in a title.

    Visit, kind, time and position are the latest event's.

    Attributes:
        began_at: the first event.
        duration_seconds: 0 where it is unknown.
        qualified_at: when the first play of a visit qualified; None where none did.
    """

    title_id: int
    visit_id: UUID
    kind: str
    at: datetime
    began_at: datetime
    position_seconds: int
    duration_seconds: int
    qualified_at: datetime | None

    @property
    def progress(self) -> float:
        """The share played, 0 to 1; 0 where the length is unknown."""
        if not self.duration_seconds:
            return 0.0
        return min(self.position_seconds / self.duration_seconds, 1.0)

    @property
    def is_qualified(self) -> bool:
        """Whether the play of any visit qualified."""
        return self.qualified_at is not None

    @property
    def is_unfinished(self) -> bool:
        return self.progress < FINISHED_SHARE


def playbacks_of(
    visit: CurrentVisit, title_id: int | None = None, plays: int = MAX_PLAYS
) -> list[Playback]:
    """Each title of the viewer's newest plays, or this one; oldest first. One query.

    An anonymous browser is remembered over this visit and the one before.
    """
    some = {"title": title_id, "plays": plays}
    if visit.profile:
        rows = PLAYBACKS_OF_PROFILE.rows(profile=visit.profile.pk, **some)
    else:
        rows = PLAYBACKS_OF_BROWSER.rows(visit=visit.id, previous=visit.previous_id, **some)
    return [read_playback(row) for row in rows]


def read_playback(row: tuple[Any, ...]) -> Playback:
    """Return a row of `sql/playbacks_of_*.sql`."""
    title_id, visit_id, kind, at, began_at, position, duration, qualified_at = row
    return Playback(
        title_id,
        visit_id,
        kind,
        EPOCH + timedelta(microseconds=at),
        EPOCH + timedelta(microseconds=began_at),
        position,
        duration,
        None if qualified_at is None else EPOCH + timedelta(microseconds=qualified_at),
    )


PLAYBACKS_OF_PROFILE = Query(SQL / "playbacks_of_profile.sql")
PLAYBACKS_OF_BROWSER = Query(SQL / "playbacks_of_browser.sql")
