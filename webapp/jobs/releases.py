"""Releases: the gate before one is published, publishing, and rolling back."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from webapp.releases.models import Release

logger = logging.getLogger(__name__)

GATE_METRIC = "ndcg@100"


def gate(
    new: Mapping[str, Mapping[str, Any]],
    live: Mapping[str, Mapping[str, Any]] | None,
    tolerance: float,
) -> dict[str, Any]:
    """Decide whether a release may replace the live one.

    Both are judged on held-out profiles by iALS's NDCG@100. The new one passes if nothing is
    live, or if it reaches the live value less `tolerance` of it. Where there are so few profiles
    that none is held out, neither has a value and the new one passes.

    Returns:
        Plain JSON: `passed`, `metric`, `new`, `live`, `needed`, `words`.
    """
    value = new["ials"].get(GATE_METRIC)
    if live is None:
        words = "Nothing was live to compare with."
        return _verdict(True, value, None, None, words)
    before = live["ials"].get(GATE_METRIC)
    if value is None or before is None:
        words = "Too few profiles to hold some out and compare; published."
        return _verdict(True, value, before, None, words)
    needed = before * (1 - tolerance)
    passed = value >= needed
    words = (
        f"{GATE_METRIC} is {value:.4f}, the live release has {before:.4f}, "
        f"at least {needed:.4f} is needed: {'published' if passed else 'kept back'}."
    )
    return _verdict(passed, value, before, needed, words)


def publish(release: Release, now: datetime) -> None:
    """Make a release the live one; every process sees it within seconds. One transaction."""
    with transaction.atomic():
        Release.objects.select_for_update().filter(is_live=True).exclude(pk=release.pk).update(
            is_live=False
        )
        Release.objects.filter(pk=release.pk).update(is_live=True, published_at=now)
    release.refresh_from_db()
    logger.info("release %s is published", release.pk)


def previous_release() -> Release | None:
    """Return the release that was live before the live one."""
    return (
        Release.objects.filter(is_live=False, published_at__isnull=False)
        .order_by("-published_at")
        .first()
    )


def _verdict(
    passed: bool, new: float | None, live: float | None, needed: float | None, words: str
) -> dict[str, Any]:
    return {
        "passed": passed,
        "metric": GATE_METRIC,
        "new": new,
        "live": live,
        "needed": needed,
        "words": words,
    }
