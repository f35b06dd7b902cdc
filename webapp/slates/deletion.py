"""Delete profiles, and accounts with theirs, while they are in use: all of it, or nothing.

Whatever a profile's other pages write meanwhile waits, and then finds nobody.
"""

from pathlib import Path

from django.contrib.auth.models import User

from webapp.postgresql.retries import retried
from webapp.postgresql.timeouts import PATIENT_SECONDS, answers_within
from webapp.profiles.locks import lock_profiles
from webapp.profiles.models import Profile
from webapp.queries import Query


def delete_profile(profile_id: int) -> None:
    """Delete a profile with all that was kept of it; none of it is read."""
    retried(lambda: _delete([profile_id]))


def delete_account(account_id: int) -> None:
    """Delete an account, its profiles, and all that was kept of them."""
    retried(lambda: _delete_account(account_id))


def _delete_account(account_id: int) -> None:
    with answers_within(PATIENT_SECONDS):
        account = User.objects.select_for_update().get(pk=account_id)  # no profile is added now
        _delete(list(Profile.objects.filter(account=account).values_list("pk", flat=True)))
        account.delete()


def _delete(profile_ids: list[int]) -> None:
    with answers_within(PATIENT_SECONDS):
        lock_profiles(profile_ids, to_delete=True)
        _LOCK_VISITS.rows(profiles=profile_ids)  # before what the next statement sees of them
        _DELETE.execute(profiles=profile_ids)
        Profile.objects.filter(pk__in=profile_ids).delete()


SQL = Path(__file__).parent / "sql"
_LOCK_VISITS = Query(SQL / "lock_visits.sql")
_DELETE = Query(SQL / "delete_profiles.sql")
