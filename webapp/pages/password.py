"""Passwords: how often one may try, and the prompt before what cannot be undone.

Attempts are limited by address, by account and address, and by account from browsers that never
logged in to it. A browser that did has a cookie that says so, and a limit of its own: nobody locks
the owner out by guessing. The cookie lets nobody in.

A profile with a maturity limit is a child's: it can switch to profiles with no higher limit than
its own, and every other change to profiles requires the password. So does every change in a session
whose profile was deleted elsewhere: it may have been a child's. This does not stop someone who logs
out: guests have a limit of their own, `MARQUEE_GUEST_MATURITY_LIMIT`.
"""

import hashlib
import secrets
import unicodedata
from typing import cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.catalog.models import UNRATED
from webapp.events.middleware import visit_of
from webapp.hashing import BusyError
from webapp.limits import WindowThrottle, address_of
from webapp.pages.errors import busy, too_many_requests
from webapp.profiles.models import Profile
from webapp.profiles.session_store import PROFILE_KEY

KNOWN_BROWSER_COOKIE = "marquee_browser"
KNOWN_BROWSER_DAYS = 365
SALT = "webapp.pages.password.browser"


class _AttemptThrottle(WindowThrottle):
    """Counts attempts by whatever it is given."""

    def __init__(self, *who: str) -> None:
        super().__init__()
        self._who = hashlib.sha256("\0".join(who).encode()).hexdigest()

    def get_cache_key(self, request: object, view: object) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self._who}


class AddressThrottle(_AttemptThrottle):
    """Attempts of one address, at all accounts together."""

    scope = "login"


class AccountThrottle(_AttemptThrottle):
    """Attempts at one account from one address."""

    scope = "login_account"


class BrowserThrottle(_AttemptThrottle):
    """Attempts at one account from one browser that knows it, or from all that do not."""

    scope = "login_browser"


def may_try(request: HttpRequest, username: str) -> bool:
    """Count an attempt at an account's password, and return whether it is within the limits."""
    address, account = address_of(request), _account_key(username)
    browser = _known_browser(request, account) or "any"
    return (
        AddressThrottle(address).allow_request(request)
        and AccountThrottle(account, address).allow_request(request)
        and BrowserThrottle(account, browser).allow_request(request)
    )


def know_browser(response: HttpResponse, username: str) -> None:
    """Let the browser have a limit of its own: its viewer just gave the account's password."""
    value = signing.dumps([_account_key(username), secrets.token_urlsafe(12)], salt=SALT)
    response.set_cookie(
        KNOWN_BROWSER_COOKIE,
        value,
        max_age=KNOWN_BROWSER_DAYS * 86_400,
        httponly=True,
        secure=settings.SECURE,
        samesite="Lax",
    )


def is_limited(profile: Profile | None) -> bool:
    """Return True if some titles are not allowed for the profile."""
    limit = profile.maturity_limit if profile else None
    return limit is not None and limit < UNRATED


def current_profile(request: HttpRequest) -> Profile | None:
    """Return the profile of this visit."""
    return visit_of(request).profile


def is_profile_gone(request: HttpRequest) -> bool:
    """Return True if this session chose a profile that was deleted since."""
    return current_profile(request) is None and PROFILE_KEY in request.session


def require_password_if_limited(request: HttpRequest, reason: str) -> HttpResponse | None:
    """As `require_password`, but only if the current profile has a limit, or may have had one."""
    if is_limited(current_profile(request)) or is_profile_gone(request):
        return require_password(request, reason)
    return None


def require_password(request: HttpRequest, reason: str) -> HttpResponse | None:
    """Return None if the form has the account's password; else the page that asks for it.

    The page repeats the form's other fields, so that only the password is to be entered.

    Args:
        request: A POST of a logged-in account.
        reason: What the password is for, as a sentence.
    """
    password, is_wrong = request.POST.get("password", ""), False
    if password:
        account = cast(User, request.user)
        if not may_try(request, account.get_username()):
            return too_many_requests(request)
        try:
            if account.check_password(password):
                return None
        except BusyError:
            return busy(request)
        is_wrong = True
    carried = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("password", "csrfmiddlewaretoken")
        for value in values
    ]
    context = {"words": reason, "carried": carried, "is_wrong": is_wrong}
    return render(request, "pages/password.html", context, status=403)


def _account_key(username: str) -> str:
    """Return the same for every spelling of a name, of bounded length."""
    spelled = unicodedata.normalize("NFKC", username).casefold()
    return hashlib.sha256(spelled.encode(errors="replace")).hexdigest()


def _known_browser(request: HttpRequest, account: str) -> str | None:
    """Return what names this browser, None where it never logged in to the account."""
    try:
        known, browser = signing.loads(
            request.COOKIES.get(KNOWN_BROWSER_COOKIE, ""),
            salt=SALT,
            max_age=KNOWN_BROWSER_DAYS * 86_400,
        )
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(browser) if known == account else None
