"""Logging in and choosing who watches."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from webapp.catalog.models import Maturity
from webapp.events.middleware import PROFILE_KEY
from webapp.pages.errors import too_many_requests
from webapp.pages.forms import NewProfileForm, SwitchesForm
from webapp.pages.navigation import profiles_address, safe_next
from webapp.pages.password import PasswordThrottle, asked, asked_of_limited, is_limited, watching
from webapp.pages.undo import Undo, tell, told
from webapp.profiles.models import Profile

MAX_PROFILES = 8
CHILD_LIMIT = Maturity.SIX.value
"""What a child's profile may see until someone sets another limit."""


class LoginView(auth_views.LoginView):
    template_name = "pages/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not PasswordThrottle().allow_request(request, self):  # type: ignore[arg-type]
            return too_many_requests(request)
        return super().post(request, *args, **kwargs)

    def get_success_url(self) -> str:
        """On to who watches, for an account that has profiles; an operator goes straight on."""
        onward = self.get_redirect_url()
        if onward and not Profile.objects.filter(account=_account(self.request)).exists():
            return onward
        return profiles_address(onward)


@login_required
@require_http_methods(["GET", "POST"])
def profiles(request: HttpRequest) -> HttpResponse:
    """Choose who watches, add someone, or say what may be kept of someone."""
    account, onward = _account(request), safe_next(request, "")
    own = Profile.objects.filter(account=account)
    form = NewProfileForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if asking := asked_of_limited(request, "To add someone from a profile with a limit."):
            return asking
        return _add(request, account, form, onward)
    switches = [SwitchesForm(instance=one, auto_id=f"id_{one.pk}_%s") for one in own]
    context = {"switches": switches, "form": form, "next": onward}
    return render(request, "pages/profiles.html", context)


@login_required
@require_POST
def choose_profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Watch as one of the account's own profiles."""
    chosen = get_object_or_404(Profile, pk=pk, account=_account(request))
    if asking := _asked_to_leave(request, chosen):
        return asking
    list(messages.get_messages(request))  # what was told to one is not shown to another
    request.session[PROFILE_KEY] = chosen.pk
    return redirect(safe_next(request, reverse("home")))


@login_required
@require_POST
def set_switches(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what may be kept and used of one of the account's own profiles; the next page obeys."""
    chosen = get_object_or_404(Profile, pk=pk, account=_account(request))
    if chosen != watching(request):
        asking = asked_of_limited(request, "To change someone else from a profile with a limit.")
        if asking:
            return asking
    before = {name: "on" for name in SwitchesForm.Meta.fields if getattr(chosen, name)}
    SwitchesForm(request.POST, instance=chosen).save()
    tell(request, f"Saved for {chosen.name}.", Undo(reverse("set-switches", args=[pk]), before))
    return told(request, profiles_address(safe_next(request, "")))


def _add(request: HttpRequest, account: User, form: NewProfileForm, onward: str) -> HttpResponse:
    """Add a profile; someone who may see everything goes on to pick a few titles."""
    if Profile.objects.filter(account=account).count() >= MAX_PROFILES:
        messages.error(request, f"An account has at most {MAX_PROFILES} profiles.")
        return redirect(profiles_address(onward))
    limit = CHILD_LIMIT if form.cleaned_data["is_child"] else None
    added = Profile.objects.create(
        account=account, name=form.cleaned_data["name"], maturity_limit=limit
    )
    if limit is not None:
        tell(request, f"{added.name} sees titles for up to age {limit}.")
        return redirect(profiles_address(onward))
    request.session[PROFILE_KEY] = added.pk
    return redirect(reverse("welcome") + (f"?{urlencode({'next': onward})}" if onward else ""))


def _asked_to_leave(request: HttpRequest, chosen: Profile) -> HttpResponse | None:
    """Ask for the password where a profile with a limit goes over to one that may see more."""
    now = watching(request)
    if now is None or not is_limited(now):
        return None
    limit, own_limit = chosen.maturity_limit, now.maturity_limit
    if limit is not None and own_limit is not None and limit <= own_limit:
        return None
    return asked(request, f"To go from {now.name}, a profile with a limit, to {chosen.name}.")


def _account(request: HttpRequest) -> User:
    """The logged-in account; `login_required` has seen to it."""
    return cast(User, request.user)
