"""The account's password and its open sessions: change the one, end the others."""

from typing import cast

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from webapp.hashing import BusyError
from webapp.pages.errors import busy, too_many_requests
from webapp.pages.password import know_browser, may_try, require_password_if_limited
from webapp.pages.undo import notify
from webapp.profiles.models import Session


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Ask for the old and the new password; a change ends all other sessions of the account."""
    account = cast(User, request.user)
    if request.method != "POST":
        return render(request, "pages/change_password.html", {"form": PasswordChangeForm(account)})
    if not may_try(request, account.get_username()):
        return too_many_requests(request)
    form = PasswordChangeForm(account, request.POST)
    try:
        if not form.is_valid():
            return render(request, "pages/change_password.html", {"form": form}, status=403)
        form.save()
    except BusyError:
        return busy(request)
    update_session_auth_hash(request, account)
    end_others(request, account)
    notify(request, "The password is changed. Everyone else is logged out.")
    response = redirect("profiles")
    know_browser(response, account.get_username())
    return response


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Log the account out everywhere else."""
    reason = "To log out everywhere else from a profile with a limit."
    if prompt := require_password_if_limited(request, reason):
        return prompt
    end_others(request, cast(User, request.user))
    notify(request, "Everyone else is logged out.")
    return redirect("profiles")


def end_others(request: HttpRequest, account: User) -> None:
    """Delete the account's sessions but this one. One query."""
    sessions = Session.objects.filter(account_id=account.pk)
    sessions.exclude(session_key=request.session.session_key).delete()
