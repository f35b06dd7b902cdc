"""Passed-over titles: a visit and its evidence in, what it was shown and did not open, out."""

from pathlib import Path

from recommender.ranking.page import PageConfig
from webapp.events.evidence import Evidence
from webapp.events.visits import CurrentVisit
from webapp.queries import Query

MOST = 200
"""The newest titles that are read, """
NEWEST_EVENTS = 5000
"""of a visit's newest events, progress of what plays among them."""
ABOVE_FOLD = PageConfig.fold_rows * PageConfig.fold_slots
"""A visit that has seen more titles than these has scrolled."""


def passed_over(visit: CurrentVisit, evidence: Evidence, *, is_scrolled: bool) -> list[int]:
    """Return the titles seen and left alone, newest first, each once. At most one query.

    None until the viewer scrolled or did something else: a page that was just opened passes
    nothing over. A title that an event of this visit names is not passed over.

    Args:
        visit: whose.
        evidence: its events.
        is_scrolled: whether rows below the first ones were asked for.
    """
    if visit.is_paused or not visit.is_personal:
        return []
    rows = _SEEN.rows(visit=visit.id, most=MOST, events=NEWEST_EVENTS)
    seen = [title_id for (title_id,) in rows]
    if not (evidence.is_visit_recorded or is_scrolled or len(seen) > ABOVE_FOLD):
        return []
    named = {title_id for title_id, _ in evidence.in_session}
    return [title_id for title_id in seen if title_id not in named]


_SEEN = Query(Path(__file__).parent / "sql" / "passed_over.sql")
