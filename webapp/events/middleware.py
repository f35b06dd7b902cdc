"""Put the visit on each request, found lazily: a request that never asks for it costs nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from webapp.events.clock import is_simulated, now_of
from webapp.events.evidence_versions import EvidenceVersionRead
from webapp.events.user_agents import device_of, is_bot
from webapp.events.visits import COOKIE, CurrentVisit, cookie_of, current_visit
from webapp.profiles.models import Profile
from webapp.profiles.session_store import PROFILE_KEY, SessionStore

API = "/api/"


class LazyVisit:
    """A request's visit, found at its first use and kept."""

    def __init__(self, find: Callable[[], CurrentVisit]) -> None:
        self._find = find
        self._visit: CurrentVisit | None = None

    @property
    def is_found(self) -> bool:
        """Whether anything asked for it."""
        return self._visit is not None

    def get(self) -> CurrentVisit:
        if self._visit is None:
            self._visit = self._find()
        return self._visit


class VisitRequest(HttpRequest):
    """A request after this middleware."""

    lazy_visit: LazyVisit


def visit_of(request: HttpRequest) -> CurrentVisit:
    """Return the visit that the request is part of; the first call finds it."""
    return cast(VisitRequest, request).lazy_visit.get()


class VisitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        visit = LazyVisit(lambda: find_visit(request))
        cast(VisitRequest, request).lazy_visit = visit
        response = self.get_response(request)
        if visit.is_found:
            response.set_cookie(
                COOKIE,
                cookie_of(visit.get(), now_of(request)),
                max_age=30 * 86_400,
                httponly=True,
                secure=settings.SECURE,
                samesite="Lax",
            )
        return response


def find_visit(request: HttpRequest) -> CurrentVisit:
    """Return the request's visit; no query beyond the session's, as a rule."""
    profile = chosen_profile(request)
    visit = current_visit(request.COOKIES.get(COOKIE), profile, now_of(request))
    user_agent = request.headers.get("User-Agent", "")
    bot, simulated = is_bot(user_agent), is_simulated(request)
    is_page = not request.path.startswith(API)
    return replace(
        visit,
        device=device_of(user_agent),
        is_bot=bot,
        # Who calls the API wants it written, whatever library it uses.
        is_unrecorded=bot and is_page and profile is None and not simulated,
        is_simulated=simulated,
        version=_version_of(request, profile),
    )


def chosen_profile(request: HttpRequest) -> Profile | None:
    """Return the profile chosen in this login, None for a stranger or before choosing.

    A profile is only ever reached through its account. One query where the profile was chosen in
    this very request, else none beyond the session's.
    """
    session = request.session
    profile_id = session.get(PROFILE_KEY)
    if profile_id is None or isinstance(request.user, AnonymousUser):
        return None
    known = session.viewer.profile if isinstance(session, SessionStore) else None
    if known is not None and known.pk == profile_id and known.account_id == request.user.pk:
        return known
    return Profile.objects.filter(account=request.user, pk=profile_id).first()


def _version_of(request: HttpRequest, profile: Profile | None) -> EvidenceVersionRead | None:
    """Return the version that came with the session; one yet to be read where a view may write."""
    if profile is None:
        return None
    session = request.session
    if request.method in ("GET", "HEAD") and isinstance(session, SessionStore):
        viewer = session.viewer
        if viewer.profile is profile:
            return EvidenceVersionRead(viewer.evidence_version, is_known=True)
    return EvidenceVersionRead()
