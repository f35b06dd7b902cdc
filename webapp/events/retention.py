"""How long events are kept: an operator's rule, for all viewers alike."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from webapp.events.models import Event, Visit

BATCH = 10_000


def prune_old_events(now: datetime) -> int:
    """Delete events older than `EVENT_DAYS`, and visits of which nothing is left; how many events.

    In batches, each on its own, so that no table is locked for long. 0 days keep all.
    """
    if not settings.EVENT_DAYS:
        return 0
    until, deleted = now - timedelta(days=settings.EVENT_DAYS), 0
    old = Event.objects.filter(occurred_at__lt=until)
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        deleted += Event.objects.filter(pk__in=ids).delete()[0]
    Visit.objects.filter(
        ~Exists(Event.objects.filter(visit=OuterRef("pk"))),
        slates=None,
        started_at__lt=until,
    ).delete()
    return deleted
