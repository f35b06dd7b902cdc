"""What a viewer does with a title by a form: each is one event, made here, and a way back."""

import uuid
from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from webapp.catalog.models import Title
from webapp.events.clock import now_of
from webapp.events.ingest import VALUES, EventDraft, record_events
from webapp.events.middleware import VisitRequest
from webapp.events.models import Event, Surface
from webapp.events.sessions import FINISHED_SHARE
from webapp.pages.errors import bad_request
from webapp.pages.forms import HideForm, ListForm, StoppedForm, ThumbForm
from webapp.pages.navigation import profiles_address, safe_next


@require_POST
def thumb(request: HttpRequest, pk: int) -> HttpResponse:
    return _tell(request, pk, Event.Kind.THUMB, ThumbForm(request.POST))


@require_POST
def keep(request: HttpRequest, pk: int) -> HttpResponse:
    return _tell(request, pk, Event.Kind.LIST, ListForm(request.POST))


@require_POST
def hide(request: HttpRequest, pk: int) -> HttpResponse:
    return _tell(request, pk, Event.Kind.HIDE, HideForm(request.POST))


@require_POST
def stopped(request: HttpRequest, pk: int) -> HttpResponse:
    """Record how far a viewer without JavaScript watched."""
    visit = cast(VisitRequest, request).visit
    title = get_object_or_404(Title.objects.fit_for(visit.maturity_limit), pk=pk)
    form = StoppedForm(request.POST)
    if not form.is_valid():
        return bad_request(request, words="Say how many minutes you watched, 0 to 1440.")
    position = min(form.cleaned_data["minutes"] * 60, title.runtime_seconds)
    is_end = position >= FINISHED_SHARE * title.runtime_seconds
    _record(
        request,
        title,
        Event.Kind.FINISH if is_end else Event.Kind.STOP,
        surface=Surface.WATCH,
        position_seconds=position,
        duration_seconds=title.runtime_seconds,
    )
    return redirect(title)


def _tell(request: HttpRequest, pk: int, kind: Event.Kind, form: forms.Form) -> HttpResponse:
    visit = cast(VisitRequest, request).visit
    title = get_object_or_404(Title.objects.fit_for(visit.maturity_limit), pk=pk)
    back = safe_next(request, title.get_absolute_url())
    if not request.user.is_authenticated:
        return redirect_to_login(back)
    if visit.profile is None:
        return redirect(profiles_address(back))
    if not form.is_valid():
        allowed = ", ".join(VALUES[kind])
        return bad_request(request, words=f"The value of a {kind} must be one of {allowed}.")
    _record(request, title, kind, surface=Surface.TITLE, value=form.cleaned_data["value"])
    return redirect(back)


def _record(request: HttpRequest, title: Title, kind: Event.Kind, **fields: object) -> None:
    now = now_of(request)
    draft = EventDraft(uuid.uuid4(), kind, title.pk, now, **fields)  # type: ignore[arg-type]
    if record_events(cast(VisitRequest, request).visit, [draft], now).paused:
        messages.info(request, "History is paused: this was not kept.")
