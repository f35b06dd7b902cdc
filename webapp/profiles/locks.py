"""Locks of profiles: whoever writes what belongs to a profile takes them, in one order.

The order of all locks is: titles, people and genres; profiles; visits; events; evidence versions;
marks; several of a kind by id. Who keeps it never waits for who waits for it.
"""

from collections.abc import Iterable

from webapp.profiles.models import Profile


def lock_profiles(ids: Iterable[int], *, to_delete: bool = False) -> list[int]:
    """Lock profiles until the transaction ends; return the ids of those that exist. One query.

    Others can read them and refer to them meanwhile, unless they are locked to be deleted.
    """
    profiles = Profile.objects.select_for_update(no_key=not to_delete).filter(pk__in=list(ids))
    return list(profiles.order_by("pk").values_list("pk", flat=True))
