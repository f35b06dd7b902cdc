"""The recommender's `Viewer` and `RequestContext` of a visit, from its evidence and settings."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from weakref import ref

from django.conf import settings

from recommender.data.sessions import EventKind
from recommender.ranking.page import PageConfig
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from webapp.discovery.surface import Surface
from webapp.discovery.treatments import treated_viewer
from webapp.engine.search_subjects import SearchSubjects, SubjectIds
from webapp.events.evidence import Evidence
from webapp.events.models import Event
from webapp.events.visits import CurrentVisit

MAX_REASONS = 10
"""Most liked titles that rows may be explained with."""
FIRST_ROWS = 5
"""Rows that a home page comes with; the others follow as the viewer scrolls."""
HEAD_ROWS = 10
"""Rows of a home page whose first slots are chosen before the rest of any row."""


def viewer_of(visit: CurrentVisit, evidence: Evidence, subjects: SearchSubjects) -> Viewer:
    """Return who asks, as the visit's arm of an experiment lets the recommender know them.

    Of a profile that wants no personal picks that is what it hides and what it keeps by hand. It
    is kept with the evidence, and made anew where a switch or the catalogue has changed.

    Args:
        visit: whose.
        evidence: theirs.
        subjects: reads what was searched for.
    """
    made_from = (
        visit.maturity_limit,
        visit.hides_watched,
        visit.is_personal,
        visit.treatment,
        visit.profile_id,
    )
    kept: _KeptViewer | None = evidence.derived.get("viewer")
    if kept is None or kept.made_from != made_from or kept.subjects() is not subjects:
        viewer = _made_viewer(visit, evidence, subjects)
        kept = evidence.derived["viewer"] = _KeptViewer(made_from, ref(subjects), viewer)
    return kept.viewer


class _KeptViewer(NamedTuple):
    """A viewer, and all beside the evidence that it was made from."""

    made_from: tuple[object, ...]
    subjects: "ref[SearchSubjects]"
    viewer: Viewer


def _made_viewer(visit: CurrentVisit, evidence: Evidence, subjects: SearchSubjects) -> Viewer:
    hidden = frozenset(evidence.hidden)
    viewer = Viewer(
        hidden=hidden,
        excluded=hidden | evidence.refused,
        refused_genres=evidence.refused_genres,
        unfinished=[playback.title_id for playback in evidence.unfinished],
        listed=evidence.listed,
        maturity_limit=visit.maturity_limit,
        hides_watched=visit.hides_watched,
        seen=frozenset(evidence.seen) if visit.hides_watched else frozenset(),
    )
    if not visit.is_personal:
        return viewer
    personal = replace(
        viewer,
        liked=evidence.liked,
        liked_before=evidence.liked_before,
        events=_viewer_events(evidence, subjects),
        not_now_genres=evidence.not_now(Event.Kind.GENRE),
        not_now_people=evidence.not_now(Event.Kind.PERSON),
        reasons=evidence.recent_reasons[:MAX_REASONS],
        excluded=viewer.excluded | evidence.disliked,
        seen=frozenset(evidence.seen),
        profile_id=visit.profile_id,
    )
    return treated_viewer(personal, visit.treatment)


def context_of(
    visit: CurrentVisit, surface: Surface, now: datetime, max_rows: int | None = None
) -> RequestContext:
    """Return when and where the visit asks.

    Args:
        visit: whose.
        surface: where the answer is shown.
        now: the moment.
        max_rows: no more rows than these and those that the visit has seen; None for all.
    """
    page = page_config(surface, explores=visit.is_personal, max_rows=max_rows)
    device = visit.device if visit.is_personal else ""
    return RequestContext(now.timestamp(), surface.value, device, page)


def page_config(
    surface: Surface, *, explores: bool = False, max_rows: int | None = None
) -> PageConfig:
    """Return how a surface's rows are chosen and filled, as this site is set up.

    Args:
        surface: home has several rows, of which the first are covered together.
        explores: whether rows have exploration slots.
        max_rows: no more rows than these and those that the visit has seen; None for all.
    """
    is_home = surface is Surface.HOME
    return PageConfig(
        row_size=settings.ROW_SIZE,
        relevance_share=settings.RELEVANCE_SHARE,
        exploration=settings.EXPLORATION if explores else 0.0,
        max_rows=max_rows or PageConfig.max_rows,
        visit_leads=True,
        repeats_passed_over=False,
        head_rows=HEAD_ROWS if is_home else 0,
        kept_within=FIRST_ROWS if is_home else 0,
    )


def _viewer_events(evidence: Evidence, subjects: SearchSubjects) -> list[ViewerEvent]:
    """Return the recent events that say something of the visit, oldest first."""
    events = []
    for event in evidence.recent:
        kind = event.encoder_kind()
        if kind is None:
            continue
        asked = SubjectIds()
        if kind == EventKind.SEARCH and event.is_this_visit:
            asked = subjects.of(event.query)
        at, title_id = event.at.timestamp(), event.title_id
        events.append(ViewerEvent(kind, title_id, at, event.is_this_visit, event.query, *asked))
    return events
