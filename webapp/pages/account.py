"""Logging in and choosing who watches."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.throttling import SimpleRateThrottle

from webapp.events.middleware import PROFILE_KEY
from webapp.pages.errors import too_many_requests
from webapp.pages.forms import ProfileForm, SwitchesForm
from webapp.pages.navigation import profiles_address, safe_next
from webapp.pages.undo import Undo, tell, told
from webapp.profiles.models import Profile

MAX_PROFILES = 8


class LoginThrottle(SimpleRateThrottle):
    """So many tries an address and minute."""

    scope = "login"

    def get_cache_key(self, request: HttpRequest, view: object) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}  # type: ignore[arg-type]


class LoginView(auth_views.LoginView):
    template_name = "pages/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not LoginThrottle().allow_request(request, self):  # type: ignore[arg-type]
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
    form = ProfileForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if own.count() >= MAX_PROFILES:
            messages.error(request, f"An account has at most {MAX_PROFILES} profiles.")
        else:
            own.create(account=account, name=form.cleaned_data["name"])
        return redirect(profiles_address(onward))
    switches = [SwitchesForm(instance=one, auto_id=f"id_{one.pk}_%s") for one in own]
    context = {"switches": switches, "form": form, "next": onward}
    return render(request, "pages/profiles.html", context)


@login_required
@require_POST
def choose_profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Watch as one of the account's own profiles."""
    chosen = get_object_or_404(Profile, pk=pk, account=_account(request))
    list(messages.get_messages(request))  # what was told to one is not shown to another
    request.session[PROFILE_KEY] = chosen.pk
    return redirect(safe_next(request, reverse("home")))


@login_required
@require_POST
def set_switches(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what may be kept and used of one of the account's own profiles; the next page obeys."""
    chosen = get_object_or_404(Profile, pk=pk, account=_account(request))
    before = {name: "on" for name in SwitchesForm.Meta.fields if getattr(chosen, name)}
    SwitchesForm(request.POST, instance=chosen).save()
    tell(request, f"Saved for {chosen.name}.", Undo(reverse("set-switches", args=[pk]), before))
    return told(request, profiles_address(safe_next(request, "")))


def _account(request: HttpRequest) -> User:
    """The logged-in account; `login_required` has seen to it."""
    return cast(User, request.user)
