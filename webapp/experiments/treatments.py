"""What a treatment changes: the evidence a response uses, and what is told of the viewer."""

from dataclasses import replace

from recommender.serving.request import Viewer
from webapp.events.sessions import Evidence
from webapp.experiments.models import Treatment


def rival_of(treatment: str) -> str:
    """Return the treatment whose ranking shares lists with the usual one; empty where none does."""
    return Treatment.LONG_TERM_ONLY.value if treatment == Treatment.INTERLEAVED else ""


def treated_evidence(evidence: Evidence, treatment: str) -> Evidence:
    """Return what may be used, in words too, of what is known.

    What is on the list, hidden or half watched stays known in every arm.
    """
    if treatment != Treatment.LONG_TERM_ONLY:
        return evidence
    return replace(evidence, recent=[e for e in evidence.recent if not e.is_this_visit])


def treated_viewer(viewer: Viewer, treatment: str) -> Viewer:
    """Return what the recommender is told.

    Long-term only is what the history said as the visit began. What was seen or refused since is
    left out of the rows in either arm.
    """
    if treatment != Treatment.LONG_TERM_ONLY:
        return viewer
    return replace(
        viewer,
        liked=viewer.liked_before,
        events=[event for event in viewer.events if not event.is_this_visit],
        reasons=[id_ for id_ in viewer.reasons if id_ in viewer.liked_before],
    )
