"""Pages for logging in and for choosing, adding and switching profiles.

Viewers and staff log in on one page; the admin's own leads there.
"""

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webapp.catalog.models import Maturity
from webapp.hashing import BusyError
from webapp.pages.errors import busy, too_many_requests
from webapp.pages.forms import NewProfileForm, SwitchesForm
from webapp.pages.navigation import profiles_address, safe_next
from webapp.pages.password import (
    current_profile,
    is_limited,
    is_profile_gone,
    know_browser,
    may_try,
    require_password,
    require_password_if_limited,
)
from webapp.pages.second_factor import LoginForm, is_verified
from webapp.pages.undo import Undo, go_to, messages_or_redirect, notify
from webapp.profiles.models import Profile
from webapp.profiles.session_store import PROFILE_KEY

MAX_PROFILES = 8
CHILD_LIMIT = Maturity.SIX.value
"""Maturity limit of a new child's profile."""


class LoginView(auth_views.LoginView):
    template_name = "pages/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not may_try(request, request.POST.get("username", "")):
            return too_many_requests(request)
        try:
            return super().post(request, *args, **kwargs)
        except BusyError:
            return busy(request)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        know_browser(response, form.get_user().get_username())
        return response

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        """Return `next` if it is a path of this site, else nothing."""
        return safe_next(self.request, "")

    def get_success_url(self) -> str:
        """Return the choice of profiles; `next` where no profile is needed."""
        onward = self.get_redirect_url()
        is_of_staff = onward.startswith((reverse("admin:index"), reverse("staff-overview")))
        if onward and (
            is_of_staff or not Profile.objects.filter(account=_account(self.request)).exists()
        ):
            return onward
        return profiles_address(onward)


@never_cache
def admin_login(request: HttpRequest) -> HttpResponse:
    """Stand in for the admin's log-in: go to ours, or on to the admin.

    Raises:
        PermissionDenied: somebody is logged in who is no operator.
    """
    onward = safe_next(request, reverse("admin:index"))
    if admin.site.has_permission(request):
        return redirect(onward)
    if not request.user.is_authenticated:
        return redirect_to_login(onward)
    if request.user.is_staff and not is_verified(request):
        return redirect("second-factor")
    raise PermissionDenied


@login_required
@require_http_methods(["GET", "POST"])
def profiles(request: HttpRequest) -> HttpResponse:
    """Show the account's profiles with their switches, or add one."""
    account, onward = _account(request), safe_next(request, "")
    own = Profile.objects.filter(account=account)
    form = NewProfileForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if prompt := require_password_if_limited(
            request, "To add someone from a profile with a limit."
        ):
            return prompt
        return _add(request, account, form, onward)
    switches = [SwitchesForm(instance=profile, auto_id=f"id_{profile.pk}_%s") for profile in own]
    context = {"switches": switches, "form": form, "next": onward}
    return render(request, "pages/profiles.html", context)


@login_required
@require_POST
def choose_profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch to one of the account's own profiles."""
    chosen = get_object_or_404(Profile, pk=pk, account=_account(request))
    if prompt := _password_to_leave(request, chosen):
        return prompt
    list(messages.get_messages(request))  # messages for one profile are not shown to another
    request.session[PROFILE_KEY] = chosen.pk
    return redirect(safe_next(request, reverse("home")))


@login_required
@require_POST
def set_switches(request: HttpRequest, pk: int) -> HttpResponse:
    """Save a profile's switches; they apply from the next page on."""
    chosen = get_object_or_404(Profile, pk=pk, account=_account(request))
    if chosen != current_profile(request):
        reason = "To change someone else from a profile with a limit."
        if prompt := require_password_if_limited(request, reason):
            return prompt
    before = {name: "on" for name in SwitchesForm.Meta.fields if getattr(chosen, name)}
    form = SwitchesForm(request.POST, instance=chosen)
    if not form.is_valid() or not form.save_change():
        return go_to(request, reverse("profiles"))
    notify(request, f"Saved for {chosen.name}.", Undo(reverse("set-switches", args=[pk]), before))
    return messages_or_redirect(request, profiles_address(safe_next(request, "")))


def _add(request: HttpRequest, account: User, form: NewProfileForm, onward: str) -> HttpResponse:
    """Add a profile; without a limit it goes on to the page that picks a few titles."""
    if Profile.objects.filter(account=account).count() >= MAX_PROFILES:
        messages.error(request, f"An account has at most {MAX_PROFILES} profiles.")
        return redirect(profiles_address(onward))
    limit = CHILD_LIMIT if form.cleaned_data["is_child"] else None
    added = Profile.objects.create(
        account=account, name=form.cleaned_data["name"], maturity_limit=limit
    )
    if limit is not None:
        notify(request, f"{added.name} sees titles for up to age {limit}.")
        return redirect(profiles_address(onward))
    request.session[PROFILE_KEY] = added.pk
    return redirect(reverse("welcome") + (f"?{urlencode({'next': onward})}" if onward else ""))


def _password_to_leave(request: HttpRequest, chosen: Profile) -> HttpResponse | None:
    """Require the password to switch from a limited profile to one with a higher limit."""
    if is_profile_gone(request):
        return require_password(request, f"To watch as {chosen.name}.")
    current = current_profile(request)
    if current is None or not is_limited(current):
        return None
    limit, own_limit = chosen.maturity_limit, current.maturity_limit
    if limit is not None and own_limit is not None and limit <= own_limit:
        return None
    return require_password(
        request, f"To go from {current.name}, a profile with a limit, to {chosen.name}."
    )


def _account(request: HttpRequest) -> User:
    """Return the logged-in account; `login_required` guarantees it."""
    return cast(User, request.user)
