"""Django's authentication, with the account that came with the session."""

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from webapp.profiles.session_store import SessionStore

MODEL_BACKEND = f"{ModelBackend.__module__}.{ModelBackend.__qualname__}"


class SessionAccountMiddleware(AuthenticationMiddleware):
    """Sets `request.user`, which is read at its first use."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return who is logged in; no query beyond the session's.

    The session's account is taken where every check of `django.contrib.auth.get_user` holds for
    it; whatever is out of the ordinary (a changed key or password, another backend) is left to
    that function.
    """
    if not hasattr(request, "_cached_user"):
        user = _account_of(request.session)
        request._cached_user = auth.get_user(request) if user is None else user  # type: ignore
    cached: User | AnonymousUser = request._cached_user  # type: ignore[attr-defined]
    return cached


def _account_of(session: object) -> User | None:
    """Return the session's account if Django would accept it."""
    if not isinstance(session, SessionStore):
        return None
    named = session.get(SESSION_KEY)  # reads the session, and its account with it
    account = session.viewer.account
    if account is None or named != str(account.pk) or not account.is_active:
        return None
    backend = session.get(BACKEND_SESSION_KEY)
    if backend != MODEL_BACKEND or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    known_hash = session.get(HASH_SESSION_KEY) or ""
    if not constant_time_compare(known_hash, account.get_session_auth_hash()):
        return None
    return account
