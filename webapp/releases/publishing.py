"""Publication of releases and rankers, and the version a rollback returns to.

All who publish a kind take one advisory lock, so that two never make theirs live at once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from django.db import connection, transaction

from webapp.releases.models import RankerVersion, Release, Trained

logger = logging.getLogger(__name__)

LOCK_SPACE = 20_221
"""The first key of our advisory locks; the second is the kind's."""
LOCK_KEYS: dict[type[Trained], int] = {Release: 1, RankerVersion: 2}

Published = TypeVar("Published", bound=Trained)


def publish(trained: Published, now: datetime) -> None:
    """Make a release or a ranker the live one. Every process loads it within seconds.

    One transaction.
    """
    with _publishing(type(trained)):
        _make_live(trained, now)


def publish_over(live: int | None, trained: Published, now: datetime) -> bool:
    """Publish what was compared with the live release or ranker, if that one is still live.

    Args:
        live: the id of the one it was compared with; None where none was live.
        trained: to be published.
        now: the moment.

    Returns:
        Whether it is live: False where an operator or another training published meanwhile.
    """
    with _publishing(type(trained)):
        if live_id(type(trained)) != live:
            logger.warning("%s is not published: what it was compared with is not live", trained)
            return False
        _make_live(trained, now)
        return True


def live_id(kind: type[Published]) -> int | None:
    """Return the id of the live release or ranker."""
    live = kind._default_manager.filter(is_live=True).values_list("pk", flat=True)
    return live.first()


def previous(kind: type[Published]) -> Published | None:
    """Return the release or the ranker that was live before the current one, if any."""
    return (
        kind._default_manager.filter(is_live=False, published_at__isnull=False)
        .order_by("-published_at")
        .first()
    )


@contextmanager
def _publishing(kind: type[Trained]) -> Iterator[None]:
    """Hold the lock of those who publish a kind for a transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, LOCK_KEYS[kind]])
        yield


def _make_live(trained: Trained, now: datetime) -> None:
    siblings = type(trained)._default_manager.all()
    siblings.filter(is_live=True).exclude(pk=trained.pk).update(is_live=False)
    siblings.filter(pk=trained.pk).update(is_live=True, published_at=now)
    trained.refresh_from_db()
    logger.info("%s is published", str(trained).removesuffix(" (live)"))
