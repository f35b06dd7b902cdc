"""Take a title out of a profile's history at once, keep it aside for a week, then erase it.

What was done with the title leaves the tables that everything else reads, so no page, no training
and no measure knows of it any more. It can be taken back whole as long as it is kept aside.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from webapp.events.models import Event, ForgottenTitle, Visit
from webapp.postgresql.retries import retried
from webapp.profiles.locks import lock_profiles
from webapp.profiles.models import Profile, Rating

M = TypeVar("M", bound=Model)

KEPT_DAYS = 7
"""As long as a browser's late events are taken, and so long it must be known what to refuse."""


def forget(profile: Profile, title_id: int, at: datetime) -> None:
    """Take out all that the profile did with the title until then. Seven queries."""
    events = Event.objects.filter(profile=profile, title=title_id, occurred_at__lte=at).exclude(
        kind=Event.Kind.FORGET
    )
    ratings = Rating.objects.filter(profile=profile, title=title_id, rated_at__lte=at)
    kept = {"events": _as_json(events), "ratings": _as_json(ratings)}
    entry, is_new = ForgottenTitle.objects.get_or_create(
        profile=profile, title_id=title_id, defaults={"forgotten_at": at, "kept": kept}
    )
    if not is_new:
        entry.kept = {name: entry.kept[name] + rows for name, rows in kept.items()}
        entry.forgotten_at = max(entry.forgotten_at, at)
        entry.save()
    events.delete()
    ratings.delete()


def take_back(profile: Profile, title_id: int, at: datetime) -> None:
    """Put all that was taken out of the history back, but for a rating given since."""
    entry = ForgottenTitle.objects.filter(profile=profile, title=title_id).first()
    if entry is None:
        return
    events = [_from_json(Event, row) for row in entry.kept["events"]]
    ratings = [_from_json(Rating, row) for row in entry.kept["ratings"]]
    slates = set(
        Visit.objects.filter(slates__in={event.slate_id for event in events}).values_list(
            "slates", flat=True
        )
    )
    for event in events:
        event.slate_id = event.slate_id if event.slate_id in slates else None
    Event.objects.bulk_create(events, ignore_conflicts=True, batch_size=1000)
    Rating.objects.bulk_create(reversed(ratings), ignore_conflicts=True)
    entry.delete()


def erase_forgotten(now: datetime) -> int:
    """Erase what was taken out of histories over `KEPT_DAYS` ago and the wish itself; how much.

    Profile by profile, in a transaction each.
    """
    over = ForgottenTitle.objects.filter(forgotten_at__lt=now - timedelta(days=KEPT_DAYS))
    profiles = list(over.order_by("profile").values_list("profile", flat=True).distinct())
    return sum(retried(partial(_erase, over, profile_id)) for profile_id in profiles)


def _erase(over: QuerySet[ForgottenTitle], profile_id: int) -> int:
    with transaction.atomic():
        lock_profiles([profile_id])
        erased = list(over.filter(profile=profile_id).values_list("title", flat=True))
        wishes = Event.objects.filter(kind=Event.Kind.FORGET, profile=profile_id)
        wishes.filter(title__in=erased).delete()
        over.filter(profile=profile_id, title__in=erased).delete()
    return len(erased)


def _as_json(rows: Iterable[Model]) -> list[dict[str, Any]]:
    """Return the rows in JSON's own types, times to the microsecond."""
    return [
        {
            field.attname: value
            if isinstance(value := getattr(row, field.attname), int | float | str | None)
            else field.value_to_string(row)
            for field in row._meta.concrete_fields
        }
        for row in rows
    ]


def _from_json(model: type[M], row: dict[str, Any]) -> M:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return model(**{name: fields[name].to_python(value) for name, value in row.items()})
