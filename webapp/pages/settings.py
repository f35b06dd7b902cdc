"""Pages of one profile: name, limit and switches, data download and deletion."""

from typing import cast

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.throttling import UserRateThrottle

from webapp.limits import WindowThrottle
from webapp.pages.errors import too_many_requests
from webapp.pages.forms import ProfileForm, SwitchesForm
from webapp.pages.password import (
    current_profile,
    is_limited,
    require_password,
    require_password_if_limited,
)
from webapp.pages.undo import Undo, messages_or_redirect, notify
from webapp.profiles.export import export_of
from webapp.profiles.models import Profile
from webapp.profiles.session_store import PROFILE_KEY
from webapp.slates import deletion


class DataThrottle(WindowThrottle, UserRateThrottle):
    """Limits downloads per account, as a profile's data can be large."""

    scope = "data"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one of the account's profiles, or save its name and limit."""
    chosen = _own(request, pk)
    before = {"name": chosen.name, "maturity_limit": str(_blank(chosen.maturity_limit))}
    form = ProfileForm(request.POST or None, instance=chosen)
    if request.method == "POST" and form.is_valid():
        reason = "To change a profile from a profile with a limit."
        if prompt := require_password_if_limited(request, reason):
            return prompt
        if not form.save_change():
            return redirect("profiles")
        notify(request, f"Saved for {chosen.name}.", Undo(reverse("profile", args=[pk]), before))
        return messages_or_redirect(request, reverse("profile", args=[pk]))
    context = {
        "one": chosen,
        "form": form,
        "switches": SwitchesForm(instance=chosen, auto_id="id_switch_%s"),
        "is_watching": chosen == current_profile(request),
    }
    return render(request, "pages/profile.html", context)


@never_cache
@login_required
@require_POST
def data(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send a profile's data as JSON; of a profile other than the current one by password."""
    chosen = _own(request, pk)
    reason = f"To download the data of {chosen.name}."
    if prompt := _password_unless_current(request, chosen, reason):
        return prompt
    if not DataThrottle().allow_request(request):
        return too_many_requests(request)
    response = StreamingHttpResponse(export_of(chosen), content_type="application/json")
    name = f"marquee-{slugify(chosen.name) or 'profile'}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for confirmation, then delete a profile with all its data."""
    chosen = _own(request, pk)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        return render(request, "pages/delete.html", {"one": chosen})
    reason = f"To delete {chosen.name} for good."
    if prompt := _password_unless_current(request, chosen, reason):
        return prompt
    if request.session.get(PROFILE_KEY) == chosen.pk:
        del request.session[PROFILE_KEY]
    name = chosen.name
    deletion.delete_profile(chosen.pk)
    notify(request, f"{name} and all that was kept of {name} is deleted.")
    return redirect("profiles")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request: HttpRequest) -> HttpResponse:
    """Ask for confirmation and password, then delete the account with all its profiles."""
    account = cast(User, request.user)
    if account.is_staff:
        return render(request, "pages/delete.html", {"is_operator": True}, status=403)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        return render(request, "pages/delete.html", {"profiles": account.profiles.all()})
    if prompt := require_password(request, "To delete the account for good."):
        return prompt
    logout(request)
    deletion.delete_account(account.pk)
    notify(request, "The account and all that was kept of its profiles is deleted.")
    return redirect("home")


def _password_unless_current(
    request: HttpRequest, chosen: Profile, reason: str
) -> HttpResponse | None:
    """Require the password unless `chosen` is the current profile and has no limit."""
    current = current_profile(request)
    if chosen == current and not is_limited(current):
        return None
    return require_password(request, reason)


def _own(request: HttpRequest, pk: int) -> Profile:
    return get_object_or_404(Profile, pk=pk, account=cast(User, request.user))


def _blank(limit: int | None) -> int | str:
    return "" if limit is None else limit
