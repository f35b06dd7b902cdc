"""Retention: slates, events and visits that are old enough go, by an operator's settings.

In batches, each a transaction of its own: no table is locked for long, memory holds one batch's
ids, and what a run that ended early left is found by the next.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction

from webapp.postgresql.retries import retried
from webapp.profiles.locks import lock_profiles
from webapp.queries import Query

T = TypeVar("T")

SLATES_AT_ONCE = 2000
VISITS_AT_ONCE = 500
UNUSED_KEYSTROKE_DAYS = 1
FIRST_ID = UUID(int=0)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SQL = Path(__file__).parent / "sql"


def prune_slates(now: datetime) -> int:
    """Delete slates older than `SLATE_DAYS`; their events stay. Return how many went.

    Those that answered a keystroke and came to nothing go after a day.
    """
    kept_since = now - timedelta(days=settings.SLATE_DAYS)
    used_since = now - timedelta(days=UNUSED_KEYSTROKE_DAYS)
    pruned = _prune_slates(LONG_AGO, kept_since, only_unused=False)
    return pruned + _prune_slates(kept_since, used_since, only_unused=True)


def prune_visits(now: datetime) -> int:
    """Delete what is left of old visits; return how many events of profiles went.

    Visits of nobody's profile go with all they hold after `ANONYMOUS_DAYS`. Events of profiles go
    after `EVENT_DAYS`, unless that is 0; and so does every visit of which nothing is left, once it
    is older than `SLATE_DAYS` or `EVENT_DAYS`.
    """
    before = [now - timedelta(days=d) for d in (settings.SLATE_DAYS, settings.EVENT_DAYS) if d]
    for visits, _ in _visits(now - timedelta(days=settings.ANONYMOUS_DAYS), only_anonymous=True):
        _in_transaction([], partial(_DELETE_VISITS.execute, visits=visits))
    deleted = 0
    for visits, profiles in _visits(max(before)):
        deleted += _in_transaction(profiles, partial(_delete_old, visits, now))
    return deleted


def _prune_slates(since: datetime, until: datetime, *, only_unused: bool) -> int:
    pruned = 0
    while rows := _OLD_SLATES.rows(
        since=since, until=until, only_unused=only_unused, most=SLATES_AT_ONCE
    ):
        slates = [id_ for id_, _, _ in rows]
        profiles = {profile for _, _, profile in rows if profile}
        _in_transaction(profiles, partial(_DELETE_SLATES.execute, slates=slates))
        pruned += len(slates)
        since = rows[-1][1]
    return pruned


def _visits(
    until: datetime, *, only_anonymous: bool = False
) -> Iterator[tuple[list[UUID], set[int]]]:
    """Yield the visits that began before, some at a time, and the profiles they are of."""
    after = FIRST_ID
    while rows := _OLD_VISITS.rows(
        after=after, until=until, only_anonymous=only_anonymous, most=VISITS_AT_ONCE
    ):
        yield [id_ for id_, _ in rows], {profile for _, profile in rows if profile}
        after = rows[-1][0]


def _delete_old(visits: list[UUID], now: datetime) -> int:
    deleted = 0
    if settings.EVENT_DAYS:
        until = now - timedelta(days=settings.EVENT_DAYS)
        [(deleted,)] = _DELETE_EVENTS.rows(visits=visits, until=until)
    _DELETE_EMPTY_VISITS.execute(visits=visits)
    return deleted


def _in_transaction(profiles: Collection[int], work: Callable[[], T]) -> T:
    """Do the work of one batch while these profiles wait; once more where others got in its way."""

    def attempt() -> T:
        with transaction.atomic():
            lock_profiles(profiles)
            return work()

    return retried(attempt)


_OLD_SLATES = Query(SQL / "old_slates.sql")
_DELETE_SLATES = Query(SQL / "delete_slates.sql")
_OLD_VISITS = Query(SQL / "old_visits.sql")
_DELETE_VISITS = Query(SQL / "delete_visits.sql")
_DELETE_EVENTS = Query(SQL / "delete_events.sql")
_DELETE_EMPTY_VISITS = Query(SQL / "delete_empty_visits.sql")
