"""Retention of artifacts: folders of releases and rankers that nothing goes back to are deleted.

While an advisory lock is held, by a backup for one, none is deleted.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from webapp.artifacts.store import artifact_store
from webapp.postgresql.session_locks import session_lock
from webapp.releases.models import ARTIFACTS, RankerVersion, Release, TrainingRun
from webapp.releases.publishing import previous

logger = logging.getLogger(__name__)

LOCK = (20_222, 1)
"""Our advisory lock: exclusive for whoever deletes, shared by those who read what is there."""


def prune_artifacts() -> int:
    """Delete the folders of old releases and rankers, and of failed runs; return how many went.

    Kept are those of the live ones, of the ones before them, and of the newest of each kind of run
    (`KEPT_RELEASES`, `KEPT_RANKERS`). Rows stay; without its folder a release cannot be published.
    Nothing is deleted while another process is in `pruning_paused`.
    """
    with session_lock(*LOCK) as is_mine:
        if not is_mine:
            logger.info("artifacts are in use by a backup, none is deleted this time")
            return 0
        return _prune()


@contextmanager
def pruning_paused() -> Iterator[None]:
    """Let no process delete artifacts while the block lasts; waits for one that is deleting.

    The lock goes with the connection, so it must not break meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s, %s)", LOCK)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_shared(%s, %s)", LOCK)


def kept_folders(newest_releases: int, newest_rankers: int) -> set[str]:
    """Return the folders of releases and rankers that someone may go back to.

    Args:
        newest_releases: so many of the newest are among them, beside the live one and the one
            that was live before it.
        newest_rankers: the same, of each kind of run.
    """
    return _kept(Release, newest_releases) | _kept(RankerVersion, newest_rankers)


def _prune() -> int:
    status = TrainingRun.Status
    runs = TrainingRun.objects.filter(status__in=[status.SUCCEEDED, status.FAILED])
    ended = {run.folder for run in runs.only("pk")}
    # What they made is read after them: a run that ends in between is left to the next time.
    kept = kept_folders(settings.KEPT_RELEASES, settings.KEPT_RANKERS)
    store = artifact_store()
    unused = sorted((ended - kept) & set(store.names(ARTIFACTS, with_unfinished=True)))
    for name in unused:
        store.delete(name)
    if unused:
        logger.info("%s folders of old artifacts are deleted", len(unused))
    return len(unused)


def _kept(kind: type[Release] | type[RankerVersion], newest: int) -> set[str]:
    """Return the folders of a kind that someone may go back to."""
    rows = kind._default_manager.order_by("-pk").values_list("folder", "run__kind", "is_live")
    kept, counts = set(), Counter[str]()
    for folder, run_kind, is_live in rows.iterator():
        counts[run_kind] += 1
        if is_live or counts[run_kind] <= newest:
            kept.add(folder)
    before = previous(kind)
    return kept | ({before.folder} if before else set())
