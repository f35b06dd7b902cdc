"""What a viewer does by a form: each is one event, the words that say so, and a way back."""

import uuid

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from webapp.catalog.models import Genre, Person, Title
from webapp.discovery.surface import Surface
from webapp.events.clock import now_of
from webapp.events.ingest import SUBJECTS, VALUES, EventDraft, IngestReport, record_events
from webapp.events.middleware import visit_of
from webapp.events.models import Event
from webapp.events.playback import FINISHED_SHARE
from webapp.events.title_state import title_state
from webapp.pages.errors import bad_request
from webapp.pages.forms import StoppedForm, ToldForm
from webapp.pages.navigation import profiles_address, safe_next
from webapp.pages.undo import Undo, go_to, tell, told
from webapp.profiles.models import Profile, Rating

WORDS: dict[tuple[str, str], str] = {
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
RATED = "Your rating of {} is back."

About = Title | Person | Genre


@require_POST
def thumb(request: HttpRequest, pk: int) -> HttpResponse:
    return _tell(request, "thumb", Event.Kind.THUMB, _title(request, pk))


@require_POST
def keep(request: HttpRequest, pk: int) -> HttpResponse:
    return _tell(request, "list", Event.Kind.LIST, _title(request, pk))


@require_POST
def hide(request: HttpRequest, pk: int) -> HttpResponse:
    return _tell(request, "hide", Event.Kind.HIDE, _title(request, pk))


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a title out of Continue Watching, or put it back."""
    return _tell(request, "resume", Event.Kind.RESUME, _title(request, pk))


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a title out of the history, or put it back."""
    return _tell(request, "forget", Event.Kind.FORGET, _title(request, pk))


@require_POST
def refuse_person(request: HttpRequest, pk: int) -> HttpResponse:
    fit = Title.objects.fit_for(visit_of(request).maturity_limit)
    people = Person.objects.filter(titles__in=fit).distinct()
    return _tell(request, "refuse-person", Event.Kind.PERSON, get_object_or_404(people, pk=pk))


@require_POST
def refuse_genre(request: HttpRequest, pk: int) -> HttpResponse:
    return _tell(request, "refuse-genre", Event.Kind.GENRE, get_object_or_404(Genre, pk=pk))


@require_safe
def controls(request: HttpRequest, pk: int) -> HttpResponse:
    """The controls of one title as they stand, to be put into a page. Six queries."""
    title = get_object_or_404(Title.objects.with_people().fit_for(_limit(request)), pk=pk)
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


def _tell(request: HttpRequest, view: str, kind: Event.Kind, about: About) -> HttpResponse:
    """Record what the form says, tell it with the way back, and go back."""
    visit = visit_of(request)
    otherwise = about.get_absolute_url() if isinstance(about, Title) else reverse("home")
    back = safe_next(request, otherwise)
    if not request.user.is_authenticated:
        return go_to(request, redirect_to_login(back).url)
    if visit.profile is None:
        return go_to(request, profiles_address(back))
    form = ToldForm(kind, request.POST)
    if not form.is_valid():
        allowed = ", ".join(VALUES[kind])
        return bad_request(request, words=f"The value of a {kind} must be one of {allowed}.")
    value = form.cleaned_data["value"]
    undone = _opposite(visit.profile, kind, value, about)
    report = _record(
        request, kind, about, event_id=form.event_id(about.pk), surface=Surface.TITLE, value=value
    )
    if not report.paused:
        name = f"“{about.name}”" if isinstance(about, Title) else about.name
        words = WORDS.get((kind, value), RATED).format(name)
        is_lost = bool(report.repeated) and kind == Event.Kind.THUMB
        undo = None if is_lost else Undo(reverse(view, args=[about.pk]), {"value": undone})
        tell(request, words, undo)
    return told(request, back)


def _opposite(profile: Profile, kind: Event.Kind, value: str, about: About) -> str:
    """The value that takes this one back; of a thumb that is what stands now. At most one query."""
    if kind == Event.Kind.THUMB:
        rating = Rating.objects.filter(profile=profile, title=about.pk).first()
        return "clear" if rating is None else f"{rating.stars:g}"
    allowed = VALUES[kind]
    return allowed[1 - allowed.index(value)]


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


def _title(request: HttpRequest, pk: int) -> Title:
    return get_object_or_404(Title.objects.fit_for(_limit(request)), pk=pk)


def _limit(request: HttpRequest) -> int | None:
    return visit_of(request).maturity_limit
