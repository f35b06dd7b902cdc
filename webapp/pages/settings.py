"""One profile's page: its name, limit and switches, its data, and its end."""

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

from webapp.events.middleware import PROFILE_KEY
from webapp.pages.errors import too_many_requests
from webapp.pages.forms import ProfileForm, SwitchesForm
from webapp.pages.password import asked, asked_of_limited, is_limited, watching
from webapp.pages.undo import Undo, tell, told
from webapp.profiles.export import export_of
from webapp.profiles.models import Profile


class DataThrottle(UserRateThrottle):
    """A profile's data may be large: so many downloads an account and minute."""

    scope = "data"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one of the account's profiles, or give it another name and limit."""
    chosen = _own(request, pk)
    before = {"name": chosen.name, "maturity_limit": str(_blank(chosen.maturity_limit))}
    form = ProfileForm(request.POST or None, instance=chosen)
    if request.method == "POST" and form.is_valid():
        if asking := asked_of_limited(request, "To change a profile from a profile with a limit."):
            return asking
        form.save()
        tell(request, f"Saved for {chosen.name}.", Undo(reverse("profile", args=[pk]), before))
        return told(request, reverse("profile", args=[pk]))
    context = {
        "one": chosen,
        "form": form,
        "switches": SwitchesForm(instance=chosen, auto_id="id_switch_%s"),
        "is_watching": chosen == watching(request),
    }
    return render(request, "pages/profile.html", context)


@never_cache
@login_required
@require_POST
def data(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send all that is kept of a profile as JSON; of another than who watches by password."""
    chosen = _own(request, pk)
    if asking := _asked_of_another(request, chosen, f"To download the data of {chosen.name}."):
        return asking
    if not DataThrottle().allow_request(request, None):  # type: ignore[arg-type]
        return too_many_requests(request)
    response = StreamingHttpResponse(export_of(chosen), content_type="application/json")
    name = f"marquee-{slugify(chosen.name) or 'profile'}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a profile with all that is kept of it, once that was confirmed."""
    chosen = _own(request, pk)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        return render(request, "pages/delete.html", {"one": chosen})
    if asking := _asked_of_another(request, chosen, f"To delete {chosen.name} for good."):
        return asking
    if request.session.get(PROFILE_KEY) == chosen.pk:
        del request.session[PROFILE_KEY]
    name = chosen.name
    chosen.delete()
    tell(request, f"{name} and all that was kept of {name} is deleted.")
    return redirect("profiles")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request: HttpRequest) -> HttpResponse:
    """Delete the account with all its profiles, by its password."""
    account = cast(User, request.user)
    if account.is_staff:
        return render(request, "pages/delete.html", {"is_operator": True}, status=403)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        return render(request, "pages/delete.html", {"profiles": account.profiles.all()})
    if asking := asked(request, "To delete the account for good."):
        return asking
    logout(request)
    account.delete()
    tell(request, "The account and all that was kept of its profiles is deleted.")
    return redirect("home")


def _asked_of_another(request: HttpRequest, chosen: Profile, words: str) -> HttpResponse | None:
    """Ask for the password unless it is about who watches, and that one has no limit."""
    by = watching(request)
    return None if chosen == by and not is_limited(by) else asked(request, words)


def _own(request: HttpRequest, pk: int) -> Profile:
    return get_object_or_404(Profile, pk=pk, account=cast(User, request.user))


def _blank(limit: int | None) -> int | str:
    return "" if limit is None else limit
