"""Retention of artifacts: folders of releases and rankers that nothing goes back to are deleted."""

import logging
import shutil
from collections import Counter
from pathlib import Path

from django.conf import settings

from webapp.releases.models import RankerVersion, Release, TrainingRun
from webapp.releases.publishing import previous

logger = logging.getLogger(__name__)


def prune_artifacts() -> int:
    """Delete the folders of old releases and rankers, and of failed runs; return how many went.

    Kept are those of the live ones, of the ones before them, and of the newest of each kind of run
    (`KEPT_RELEASES`, `KEPT_RANKERS`). Rows stay; without its folder a release cannot be published.
    """
    status = TrainingRun.Status
    runs = TrainingRun.objects.filter(status__in=[status.SUCCEEDED, status.FAILED])
    ended = {f"run-{pk}" for pk in runs.values_list("pk", flat=True)}
    # What they made is read after them: a run that ends in between is left to the next time.
    kept = _kept(Release, settings.KEPT_RELEASES) | _kept(RankerVersion, settings.KEPT_RANKERS)
    ended -= {Path(folder).name for folder in kept}
    pruned = 0
    for folder in sorted((Path(settings.MARQUEE_HOME) / "artifacts").glob("run-*")):
        if folder.name in ended:
            shutil.rmtree(folder, ignore_errors=True)
            pruned += not folder.exists()
    if pruned:
        logger.info("%s folders of old artifacts are deleted", pruned)
    return pruned


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
