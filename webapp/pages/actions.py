"""Actions of a viewer on a title, person or genre: a form is recorded as an event and confirmed.

The confirmation has an Undo button wherever the action can be reverted.
"""

import uuid

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from webapp.catalog.models import Genre, Person, Title
from webapp.catalog.whole_titles import title_or_404
from webapp.discovery.surface import Surface
from webapp.events.clock import now_of
from webapp.events.event_values import OF_VISIT, VALUES
from webapp.events.ingest import SUBJECTS, EventDraft, IngestReport, record_events
from webapp.events.middleware import visit_of
from webapp.events.models import Event
from webapp.events.playback import FINISHED_SHARE
from webapp.events.title_state import title_state
from webapp.pages.errors import bad_request, page_not_found
from webapp.pages.forms import ActionForm, StoppedForm
from webapp.pages.navigation import profiles_address, safe_next
from webapp.pages.undo import Undo, go_to, messages_or_redirect, notify
from webapp.profiles.models import Profile, Rating

MESSAGES: dict[tuple[str, str], str] = {
    (Event.Kind.THUMB, "up"): "You like {}.",
    (Event.Kind.THUMB, "love"): "You love {}.",
    (Event.Kind.THUMB, "down"): "{} is not for you: it is not recommended any more.",
    (Event.Kind.THUMB, "clear"): "Your verdict on {} is taken back.",
    (Event.Kind.LIST, "add"): "{} is on your list.",
    (Event.Kind.LIST, "remove"): "{} is off your list.",
    (Event.Kind.HIDE, "hide"): "{} is hidden from every row and every search.",
    (Event.Kind.HIDE, "show"): "{} is shown again.",
    (Event.Kind.RESUME, "remove"): "{} left Continue watching, until you play it on.",
    (Event.Kind.RESUME, "restore"): "{} is back in Continue watching.",
    (Event.Kind.FORGET, "remove"): "{} is out of your history.",
    (Event.Kind.FORGET, "restore"): "{} is back in your history.",
    (Event.Kind.PERSON, "refuse"): "Titles with {} are not recommended any more.",
    (Event.Kind.PERSON, "allow"): "Titles with {} may be recommended again.",
    (Event.Kind.GENRE, "refuse"): "The genre {} is not recommended any more.",
    (Event.Kind.GENRE, "allow"): "The genre {} may be recommended again.",
}
MESSAGES |= {
    (kind, value): words
    for kind in (Event.Kind.PERSON, Event.Kind.GENRE)
    for value, words in zip(
        OF_VISIT, ("{} is left out for this visit.", "{} is back in this visit."), strict=True
    )
}
RATING_RESTORED = "Your rating of {} is back."

About = Title | Person | Genre


@require_POST
def thumb(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, "thumb", Event.Kind.THUMB, _title(request, pk))


@require_POST
def keep(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, "list", Event.Kind.LIST, _title(request, pk))


@require_POST
def hide(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, "hide", Event.Kind.HIDE, _title(request, pk))


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a title from Continue Watching, or put it back."""
    return _act(request, "resume", Event.Kind.RESUME, _title(request, pk))


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a title from the history, or put it back."""
    return _act(request, "forget", Event.Kind.FORGET, _title(request, pk))


@require_POST
def refuse_person(request: HttpRequest, pk: int) -> HttpResponse:
    allowed = Title.objects.allowed_for(visit_of(request).maturity_limit)
    people = Person.objects.filter(titles__in=allowed).distinct()
    return _act(request, "refuse-person", Event.Kind.PERSON, get_object_or_404(people, pk=pk))


@require_POST
def refuse_genre(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, "refuse-genre", Event.Kind.GENRE, get_object_or_404(Genre, pk=pk))


@require_POST
def not_now_person(request: HttpRequest, pk: int) -> HttpResponse:
    allowed = Title.objects.allowed_for(visit_of(request).maturity_limit)
    people = Person.objects.filter(titles__in=allowed).distinct()
    return _not_now(request, "not-now-person", Event.Kind.PERSON, get_object_or_404(people, pk=pk))


@require_POST
def not_now_genre(request: HttpRequest, pk: int) -> HttpResponse:
    return _not_now(request, "not-now-genre", Event.Kind.GENRE, get_object_or_404(Genre, pk=pk))


@require_safe
def controls(request: HttpRequest, pk: int) -> HttpResponse:
    """Render the controls of one title in their current state, as a fragment. Four queries."""
    title = title_or_404(pk, _limit(request))
    context = {"title": title, "state": title_state(visit_of(request), title)}
    return render(request, "_controls.html", context)


@require_POST
def stopped(request: HttpRequest, pk: int) -> HttpResponse:
    """Record how far a viewer without JavaScript watched."""
    title = _title(request, pk)
    form = StoppedForm(request.POST)
    if not form.is_valid():
        return bad_request(request, words="Say how many minutes you watched, 0 to 1440.")
    position = min(form.cleaned_data["minutes"] * 60, title.runtime_seconds)
    is_end = position >= FINISHED_SHARE * title.runtime_seconds
    _record(
        request,
        Event.Kind.FINISH if is_end else Event.Kind.STOP,
        title,
        surface=Surface.WATCH,
        position_seconds=position,
        duration_seconds=title.runtime_seconds,
    )
    return redirect(title)


def _act(request: HttpRequest, view: str, kind: Event.Kind, about: About) -> HttpResponse:
    """Record the form's value as an event, confirm it with an Undo button, and go back."""
    visit = visit_of(request)
    otherwise = about.get_absolute_url() if isinstance(about, Title) else reverse("home")
    back = safe_next(request, otherwise)
    if not request.user.is_authenticated:
        return go_to(request, redirect_to_login(back).url)
    if visit.profile is None:
        return go_to(request, profiles_address(back))
    values = _lasting_values(kind)
    form = ActionForm(kind, request.POST, values)
    if not form.is_valid():
        allowed = ", ".join(values)
        return bad_request(request, words=f"The value of a {kind} must be one of {allowed}.")
    value = form.cleaned_data["value"]
    undo_value = _undo_value(visit.profile, kind, value, about)
    report = _record(
        request, kind, about, event_id=form.event_id(about.pk), surface=Surface.TITLE, value=value
    )
    if refusal := _refusal(request, report):
        return refusal
    if not report.paused:
        name = f"“{about.name}”" if isinstance(about, Title) else about.name
        text = MESSAGES.get((kind, value), RATING_RESTORED).format(name)
        # the thumb before this one is unknown once the same form was recorded
        is_unknown = bool(report.repeated) and kind == Event.Kind.THUMB
        undo = None if is_unknown else Undo(reverse(view, args=[about.pk]), {"value": undo_value})
        notify(request, text, undo)
    return messages_or_redirect(request, back)


def _undo_value(profile: Profile, kind: Event.Kind, value: str, about: About) -> str:
    """Return the value that reverts this one; for a thumb the current rating. At most one query."""
    if kind == Event.Kind.THUMB:
        rating = Rating.objects.filter(profile=profile, title=about.pk).first()
        return "clear" if rating is None else f"{rating.stars:g}"
    allowed = _lasting_values(kind)
    return allowed[1 - allowed.index(value)]


def _lasting_values(kind: Event.Kind) -> list[str]:
    """Return the values that are kept with the profile, unlike those of one visit."""
    return [value for value in VALUES[kind] if value not in OF_VISIT]


def _not_now(
    request: HttpRequest, view: str, kind: Event.Kind, about: Person | Genre
) -> HttpResponse:
    """Record that this visit is not about something, or that it may be, and show the page anew."""
    back = safe_next(request, reverse("home"))
    form = ActionForm(kind, request.POST, OF_VISIT)
    if not form.is_valid():
        return bad_request(request, words=f"The value must be one of {', '.join(OF_VISIT)}.")
    value = form.cleaned_data["value"]
    event_id = form.event_id(about.pk)
    report = _record(request, kind, about, event_id, surface=Surface.HOME, value=value)
    if refusal := _refusal(request, report):
        return refusal
    if not report.paused:
        undo_value = OF_VISIT[1 - OF_VISIT.index(value)]
        undo = Undo(reverse(view, args=[about.pk]), {"value": undo_value})
        notify(request, MESSAGES[kind, value].format(about.name), undo)
    return go_to(request, back)


def _record(
    request: HttpRequest,
    kind: Event.Kind,
    about: About,
    event_id: uuid.UUID | None = None,
    **fields: object,
) -> IngestReport:
    now = now_of(request)
    title, subject = (None, about.pk) if kind in SUBJECTS else (about.pk, None)
    draft = EventDraft(event_id or uuid.uuid4(), kind, title, now, subject=subject, **fields)  # type: ignore[arg-type]
    report = record_events(visit_of(request), [draft], now)
    if report.paused:
        messages.info(request, "History is paused: this was not kept.")
    return report


def _refusal(request: HttpRequest, report: IngestReport) -> HttpResponse | None:
    """Return the answer to an action on what was deleted since the page read it, else None."""
    if report.is_profile_gone:
        return go_to(request, profiles_address())
    return page_not_found(request) if report.errors else None


def _title(request: HttpRequest, pk: int) -> Title:
    return get_object_or_404(Title.objects.allowed_for(_limit(request)), pk=pk)


def _limit(request: HttpRequest) -> int | None:
    return visit_of(request).maturity_limit
