"""The second factor: a code from an app beside the password, for every account that wants one.

`MARQUEE_STAFF_SECOND_FACTOR` makes operators set one up before they open the admin or dashboards.
Ten recovery codes stand in for a lost app, each once.
"""

from base64 import b32encode
from collections.abc import Sequence
from typing import Any, cast

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from webapp.hashing import BusyError
from webapp.pages.errors import busy, too_many_requests
from webapp.pages.password import may_try
from webapp.pages.sessions import end_others
from webapp.pages.undo import notify

RECOVERY_CODES = 10
NAME = "app"


class LoginForm(AuthenticationForm):
    """Name and password, and the code where the account has a second factor."""

    code = forms.CharField(
        required=False,
        max_length=16,
        label="Code from your app, or a recovery code",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text"}),
    )
    needs_code = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        account = self.get_user()
        if account is not None and _app_of(account) is not None:
            device = verified_device(account, self.cleaned_data.get("code", ""))
            if device is None:
                self.needs_code = True
                raise ValidationError("The code is missing, or not the current one.")
            account.otp_device = device  # type: ignore[attr-defined]  # put into the session
        return cleaned


class CodeForm(forms.Form):
    """The account's password and a code."""

    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        label="The account’s password",
    )
    code = forms.CharField(
        max_length=16,
        label="The code",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )


def is_verified(request: HttpRequest) -> bool:
    """Return True if an operator's session may do what operators do, as the setting asks."""
    return not settings.STAFF_SECOND_FACTOR or bool(
        request.session.get(django_otp.DEVICE_ID_SESSION_KEY)
    )


def verified_device(account: User, code: str) -> Device | None:
    """Return the app or the recovery codes that a code is of; each code counts once."""
    code = code.replace(" ", "").lower()
    kind = TOTPDevice if code.isdecimal() else StaticDevice
    with transaction.atomic():
        devices = kind.objects.select_for_update().filter(user=account, confirmed=True)
        for device in devices if code else ():
            if device.verify_token(code):
                return cast(Device, device)
    return None


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Set the second factor up, or take it away; either needs the password and a code."""
    account = cast(User, request.user)
    app = _app_of(account)
    pending = app or TOTPDevice.objects.get_or_create(user=account, name=NAME, confirmed=False)[0]
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not may_try(request, account.get_username()):
            return too_many_requests(request)
        try:
            is_right = account.check_password(form.cleaned_data["password"])
        except BusyError:
            return busy(request)
        if is_right and app is not None and verified_device(account, form.cleaned_data["code"]):
            _take_away(request, account)
            return redirect("profiles")
        if is_right and app is None and pending.verify_token(form.cleaned_data["code"]):
            codes = _set_up(request, account, pending)
            return render(request, "pages/second_factor.html", {"codes": codes})
        form.add_error(None, "That is not the account’s password, or not the current code.")
    context = {"form": form, "is_on": app is not None}
    if app is None:
        context |= {"key": b32encode(pending.bin_key).decode(), "picture": _picture(pending)}
    return render(request, "pages/second_factor.html", context, status=403 if form.errors else 200)


def _app_of(account: User) -> TOTPDevice | None:
    """Return the account's app. One query."""
    app: TOTPDevice | None = TOTPDevice.objects.filter(user=account, confirmed=True).first()
    return app


def _set_up(request: HttpRequest, account: User, app: TOTPDevice) -> Sequence[str]:
    """Make the app the account's second factor; return its recovery codes, shown this once."""
    with transaction.atomic():
        app.confirmed = True
        app.save()
        StaticDevice.objects.filter(user=account).delete()
        recovery = StaticDevice.objects.create(user=account, name="recovery codes")
        codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
        StaticToken.objects.bulk_create(StaticToken(device=recovery, token=c) for c in codes)
    django_otp.login(request, app)
    end_others(request, account)
    return codes


def _take_away(request: HttpRequest, account: User) -> None:
    TOTPDevice.objects.filter(user=account).delete()
    StaticDevice.objects.filter(user=account).delete()
    request.session.pop(django_otp.DEVICE_ID_SESSION_KEY, None)
    end_others(request, account)
    notify(request, "The second factor is off. Everyone else is logged out.")


def _picture(app: TOTPDevice) -> str:
    """Return the app's address as a picture for its camera."""
    return str(segno.make(app.config_url).svg_data_uri(scale=5, light="white"))
