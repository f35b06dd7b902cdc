"""Password prompt for leaving a limited profile and for actions that cannot be undone.

A profile with a maturity limit is a child's: it can switch to profiles with no higher limit than
its own, and every other change to profiles requires the password. It does not stop someone who
logs out: guests have a limit of their own, `MARQUEE_GUEST_MATURITY_LIMIT`.
"""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.throttling import SimpleRateThrottle

from webapp.catalog.models import UNRATED
from webapp.events.middleware import visit_of
from webapp.pages.errors import too_many_requests
from webapp.profiles.models import Profile


class PasswordThrottle(SimpleRateThrottle):
    """Limits password attempts per IP address, logins included."""

    scope = "login"

    def get_cache_key(self, request: HttpRequest, view: object) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}  # type: ignore[arg-type]


def is_limited(profile: Profile | None) -> bool:
    """Return True if some titles are not allowed for the profile."""
    limit = profile.maturity_limit if profile else None
    return limit is not None and limit < UNRATED


def current_profile(request: HttpRequest) -> Profile | None:
    """Return the profile of this visit."""
    return visit_of(request).profile


def require_password_if_limited(request: HttpRequest, reason: str) -> HttpResponse | None:
    """As `require_password`, but only if the current profile has a limit."""
    return require_password(request, reason) if is_limited(current_profile(request)) else None


def require_password(request: HttpRequest, reason: str) -> HttpResponse | None:
    """Return None if the form has the account's password; else the page that asks for it.

    The page repeats the form's other fields, so that only the password is to be entered.

    Args:
        request: A POST of a logged-in account.
        reason: What the password is for, as a sentence.
    """
    password, is_wrong = request.POST.get("password", ""), False
    if password:
        if not PasswordThrottle().allow_request(request, None):  # type: ignore[arg-type]
            return too_many_requests(request)
        if cast(User, request.user).check_password(password):
            return None
        is_wrong = True
    carried = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("password", "csrfmiddlewaretoken")
        for value in values
    ]
    context = {"words": reason, "carried": carried, "is_wrong": is_wrong}
    return render(request, "pages/password.html", context, status=403)
