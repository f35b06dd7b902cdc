"""Publication of releases and rankers, and the version a rollback returns to."""

import logging
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from webapp.releases.models import Trained

logger = logging.getLogger(__name__)

Published = TypeVar("Published", bound=Trained)


def publish(trained: Published, now: datetime) -> None:
    """Make a release or a ranker the live one. Every process loads it within seconds.

    One transaction.
    """
    siblings: QuerySet[Published] = type(trained)._default_manager.all()
    with transaction.atomic():
        siblings.select_for_update().filter(is_live=True).exclude(pk=trained.pk).update(
            is_live=False
        )
        siblings.filter(pk=trained.pk).update(is_live=True, published_at=now)
    trained.refresh_from_db()
    logger.info("%s is published", str(trained).removesuffix(" (live)"))


def previous(kind: type[Published]) -> Published | None:
    """Return the release or the ranker that was live before the current one, if any."""
    return (
        kind._default_manager.filter(is_live=False, published_at__isnull=False)
        .order_by("-published_at")
        .first()
    )
