"""Ask for the account's password: to leave a limited profile, and for what cannot be undone.

A profile with a maturity limit is a child's: it may choose profiles with no higher limit than its
own, and everything else about profiles asks for the password. That is no wall against someone who
knows the password, or logs out: guests have a limit of their own, `MARQUEE_GUEST_MATURITY_LIMIT`.
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
    """So many tries an address and minute, log-ins included."""

    scope = "login"

    def get_cache_key(self, request: HttpRequest, view: object) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}  # type: ignore[arg-type]


def is_limited(profile: Profile | None) -> bool:
    """Whether there are titles that the profile may not see."""
    limit = profile.maturity_limit if profile else None
    return limit is not None and limit < UNRATED


def watching(request: HttpRequest) -> Profile | None:
    """The profile of this login and visit."""
    return visit_of(request).profile


def asked_of_limited(request: HttpRequest, words: str) -> HttpResponse | None:
    """As `asked`, but only of a profile with a limit."""
    return asked(request, words) if is_limited(watching(request)) else None


def asked(request: HttpRequest, words: str) -> HttpResponse | None:
    """Return None if the form brings the account's password; else the page that asks for it.

    The page carries the form on, so that the password is all that is asked.

    Args:
        request: a POST of a logged-in account.
        words: what the password is for.
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
    context = {"words": words, "carried": carried, "is_wrong": is_wrong}
    return render(request, "pages/password.html", context, status=403)
