"""Accounts to measure with: profiles of their own, with the ratings of imported ones, logged in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Count

if TYPE_CHECKING:  # models cannot be imported before the setup
    from django.contrib.auth.models import User


@contextmanager
def viewers(
    number: int, *, is_staff: bool, skipped: int = 0, stride: int = 20
) -> Iterator[list[str]]:
    """Make profiles with a history in one account; yield a session's key for each.

    They are deleted with all they did when it ends.

    Args:
        number: of profiles.
        is_staff: whether pages report their timings to the account.
        skipped: imported profiles with more ratings than the first one's.
        stride: each takes over the ratings of the imported profile so many further on.
    """
    profiles, ratings = (apps.get_model("profiles", name) for name in ("Profile", "Rating"))
    name = f"benchmark-{os.getpid()}"
    account = get_user_model().objects.create(
        username=name,
        is_staff=is_staff,
        is_superuser=is_staff,  # so that pages need not read permissions, which viewers lack
    )
    try:
        imported = profiles.objects.filter(account=None).annotate(size=Count("ratings"))
        chosen = list(
            imported.order_by("-size", "pk")[skipped : skipped + stride * number : stride]
        )
        sessions = []
        for other in chosen:
            own = profiles.objects.create(account=account, name=f"Benchmark {other.pk}")
            ratings.objects.bulk_create(
                ratings(profile=own, title_id=r.title_id, stars=r.stars, rated_at=r.rated_at)
                for r in other.ratings.all()
            )
            sessions.append(session_of(account, own))
        yield [str(session.session_key) for session in sessions]
        for session in sessions:
            session.delete()
    finally:
        account.delete()


def session_of(account: "User", profile: Any) -> SessionBase:
    """Make the session of an account that has logged in and chosen a profile (or None)."""
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    if profile is not None:
        session["profile_id"] = profile.pk
    session.create()
    return session
