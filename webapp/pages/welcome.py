"""Onboarding page: a new profile picks a few titles, and each pick is recorded as a like."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from search.errors import SearchError
from webapp.catalog.models import Title
from webapp.engine import responses
from webapp.engine.starters import starters
from webapp.events.clock import now_of
from webapp.events.ingest import EventDraft, record_events
from webapp.events.middleware import visit_of
from webapp.events.models import LONGEST_QUERY, Event
from webapp.events.visits import CurrentVisit
from webapp.pages.forms import PicksForm
from webapp.pages.navigation import profiles_address, safe_next
from webapp.pages.undo import notify


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """Offer titles, search for others while keeping the picks, or record the picks as likes."""
    visit = visit_of(request)
    if visit.profile is None:
        return redirect(profiles_address(reverse("welcome")))
    onward = safe_next(request, reverse("home"))
    form = PicksForm(request.POST)
    title_ids = form.titles() if request.method == "POST" else []
    titles = Title.objects.allowed_for(visit.maturity_limit).for_cards()
    picked = titles.in_order(title_ids)
    if request.method == "POST" and "search" not in request.POST:
        _like(request, visit, form, picked)
        return redirect(onward)
    offered, message = starters(visit.maturity_limit), ""
    text = request.POST.get("q", "").strip()
    if text:
        offered, message = _search(request, visit, text)
    context = {
        "picked": picked,
        "offered": [title for title in offered if title not in picked],
        "searched": text[:LONGEST_QUERY],
        "words": message,
        "next": onward,
    }
    return render(request, "pages/welcome.html", context)


def _like(request: HttpRequest, visit: CurrentVisit, form: PicksForm, picked: list[Title]) -> None:
    """Record a like of each picked title, once even if the form is sent repeatedly."""
    if not picked:
        return
    now, form_id = now_of(request), form.form_id()
    drafts = [
        EventDraft(uuid.uuid5(form_id, str(title.pk)), Event.Kind.THUMB, title.pk, now, value="up")
        for title in picked
    ]
    report = record_events(visit, drafts, now)
    if report.paused:
        messages.info(request, "History is paused: this was not kept.")
    elif count := len(drafts) - len(report.errors):
        titles = "title" if count == 1 else "titles"
        notify(request, f"You like {count} {titles}. This page begins from there.")


def _search(request: HttpRequest, visit: CurrentVisit, text: str) -> tuple[list[Title], str]:
    """Return the matches of the text, and a message if there are none."""
    try:
        page = responses.search(visit, text, now_of(request))
    except SearchError as error:
        return [], str(error)
    matches = [slot.title for slot in page.slots]
    return matches, "" if matches else "Nothing matches. Try another spelling, or go on."
