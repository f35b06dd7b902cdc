"""Respond to a page: read the evidence, ask the live release, write the slate, return what to show.

If the recommender fails, popular titles are served, and the slate says why.
"""

import logging
import time
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import Error as DatabaseError

from recommender.ranking.row_kinds import RESULTS, TYPED
from recommender.serving.request import RequestContext, Viewer
from recommender.serving.stages import stage
from search.errors import SearchError
from webapp.after_response import after_response
from webapp.discovery.answer import Answer, answer
from webapp.discovery.questions import HomeQuestion, Question, RowsBelowQuestion, SearchQuestion
from webapp.discovery.ranker_fields import pack_fields
from webapp.discovery.snapshot import snapshot_of
from webapp.discovery.source import RecommendationSource
from webapp.discovery.surface import Surface
from webapp.engine.live import Live, holder
from webapp.engine.trial import check_scores
from webapp.engine.viewers import context_of, viewer_of
from webapp.engine.views import RowView, ViewContext, views_of
from webapp.events.evidence import Evidence, evidence_of
from webapp.events.visits import CurrentVisit
from webapp.experiments.treatments import treated_evidence
from webapp.slates.models import Slate
from webapp.slates.writing import write_slate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageRequest:
    """What is read before a page can ask: from it each page makes its question.

    Attributes:
        visit: whose.
        surface: where the answer is shown.
        now: the moment.
        began: when the work on the response began, by `time.perf_counter`.
        live: the release, ranker and search that answer.
        evidence: what the visit and its profile did, as its experiment's arm may use it.
        viewer: the same for the recommender.
        context: when and where, for the recommender.
    """

    visit: CurrentVisit
    surface: Surface
    now: datetime
    began: float
    live: Live
    evidence: Evidence
    viewer: Viewer
    context: RequestContext


@dataclass(frozen=True)
class Response:
    """What a page shows.

    Attributes:
        slate_id: the slate that was written.
        views: its rows.
        answer: from which they were made.
        is_fallback: whether popular titles were served instead.
    """

    slate_id: uuid.UUID
    views: list[RowView]
    answer: Answer
    is_fallback: bool


@dataclass(frozen=True)
class _Sourced:
    """An answer in words, with the ranker's fields, and why it is not the recommender's."""

    answer: Answer
    views: list[RowView]
    features: bytes | None
    fallback_reason: str = ""


def read_request(
    visit: CurrentVisit, surface: Surface, now: datetime, *, max_rows: int | None = None
) -> PageRequest:
    """Read the evidence. Three queries where a background thread holds the live release.

    Args:
        visit: whose.
        surface: where the answer is shown.
        now: the moment.
        max_rows: no more rows than these and those that the visit has seen; None for all.
    """
    began, live = time.perf_counter(), holder.get()
    with stage("events"):
        evidence = treated_evidence(evidence_of(visit), visit.treatment)
        viewer = viewer_of(visit, evidence, live.subjects)
        context = context_of(visit, surface, now, max_rows)
    return PageRequest(visit, surface, now, began, live, evidence, viewer, context)


def respond(
    request: PageRequest,
    question: Question,
    *,
    continues: uuid.UUID | None = None,
    max_titles: int | None = None,
) -> Response:
    """Answer a question and write the slate of what is shown. One query for the slate.

    That of a keystroke is written when the answer has left.

    Args:
        request: what was read.
        question: made from it.
        continues: the slate whose page the rows go on with, below.
        max_titles: of a keystroke's answer, which shows no more titles a row; its slate can be
            credited with a choice, and keeps nothing to be answered again from. None keeps all.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    sourced = _ask(request, question, max_titles)
    with stage("slate"):
        slate = _slate(request, question, sourced, continues, is_keystroke=max_titles is not None)
        is_recorded = _is_visit_recorded(request, question)
        write = partial(write_slate, request.visit, slate, is_visit_recorded=is_recorded)
        if slate.is_keystroke:
            after_response(write)
        else:
            write()
    return Response(slate.pk, sourced.views, sourced.answer, bool(sourced.fallback_reason))


def _ask(request: PageRequest, question: Question, max_titles: int | None) -> _Sourced:
    """Ask the recommender; if it fails or there is none, ask for popular titles and say why."""
    live, reason = request.live, request.live.trouble
    if live.recommender is not None:
        try:
            return _sourced(request, question, live.recommender, max_titles)
        except (SearchError, DatabaseError):
            raise
        except Exception as error:
            logger.exception("the recommender failed, popular titles are served")
            reason = f"{type(error).__name__}: {error}"[:200]
    return replace(_sourced(request, question, live.popular, max_titles), fallback_reason=reason)


def _sourced(
    request: PageRequest, question: Question, source: RecommendationSource, max_titles: int | None
) -> _Sourced:
    """Return a source's answer, all that is asked of the source done."""
    full = answer(question, source, request.live.search)
    check_scores(full.rows)
    shown = full if max_titles is None else _shortened(full, max_titles)
    with stage("render"):
        view_context = ViewContext(request.live.cards, request.evidence, request.visit)
        views = views_of(shown, source, request.viewer, view_context)
    features = None
    if max_titles is None:
        fields = source.features(shown.rows, request.viewer, request.context, shown.taste)
        features = None if fields is None else pack_fields(fields)
    return _Sourced(shown, views, features)


def _shortened(full: Answer, max_titles: int) -> Answer:
    """Return the answer with the first titles of each row; the results are the row `typed`."""
    return replace(
        full,
        rows=[
            replace(row.first(max_titles), kind=TYPED if row.kind == RESULTS else row.kind)
            for row in full.rows
        ],
    )


def _is_visit_recorded(request: PageRequest, question: Question) -> bool:
    """Return whether an event or an earlier page shows that the visit has its row."""
    has_page = isinstance(question, HomeQuestion | RowsBelowQuestion) and bool(question.on_screen)
    return request.evidence.is_visit_recorded or has_page


def _slate(
    request: PageRequest,
    question: Question,
    sourced: _Sourced,
    continues: uuid.UUID | None,
    *,
    is_keystroke: bool,
) -> Slate:
    """Return what is shown, by what, and from which evidence; not saved yet."""
    live, taste = request.live, sourced.answer.taste
    return Slate(
        visit_id=request.visit.id,
        surface=request.surface,
        release_id=None if sourced.fallback_reason else live.release_id,
        ranker_id=None if sourced.fallback_reason else live.ranker_id,
        created_at=request.now,
        rows=[_stored_row(view) for view in sourced.views],
        is_keystroke=is_keystroke,
        history_size=None if is_keystroke else len(request.viewer.liked_before),
        exploration=None if is_keystroke else request.context.page.exploration,
        snapshot=_snapshot(request, question, is_keystroke=is_keystroke),
        features=sourced.features,
        visit_share=taste.visit_share if taste else None,
        continues_id=continues,
        took_ms=(time.perf_counter() - request.began) * 1000,
        fallback_reason=sourced.fallback_reason,
    )


def _stored_row(view: RowView) -> dict[str, Any]:
    row = {
        "kind": view.kind,
        "key": view.key,
        "heading": view.heading,
        "titles": [slot.title.pk for slot in view.slots],
        "scores": [slot.score for slot in view.slots],
        "propensities": [slot.propensity for slot in view.slots],
        "pinned": view.num_pinned,
    }
    optional = {
        "teams": [slot.team for slot in view.slots],
        "evidence": [slot.evidence for slot in view.slots],
    }
    return row | {name: column for name, column in optional.items() if _is_complete(column)}


def _is_complete(column: list[int | None]) -> bool:
    return bool(column) and None not in column


def _snapshot(request: PageRequest, question: Question, *, is_keystroke: bool) -> dict[str, Any]:
    """Return what the answer was made from; of a keystroke only the text."""
    if is_keystroke and isinstance(question, SearchQuestion):
        return {"text": question.text}
    live = request.live
    return snapshot_of(question, live.catalogue, request.visit.switches, live.num_changed)
