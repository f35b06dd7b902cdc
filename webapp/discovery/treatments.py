"""Treatments of an experiment: which signals of a viewer an arm lets the recommender use."""

from dataclasses import replace
from enum import StrEnum

from recommender.serving.request import Viewer


class Treatment(StrEnum):
    """What an arm changes."""

    USUAL = "usual"
    """Nothing: history and this visit."""
    LONG_TERM_ONLY = "long_term_only"
    """The history alone; this visit has no say."""
    INTERLEAVED = "interleaved"
    """Lists of search and of suggestions are drafted by both of these."""


def rival_of(treatment: str) -> str:
    """Return the treatment whose ranking shares lists with the usual one; empty where none does."""
    return Treatment.LONG_TERM_ONLY.value if treatment == Treatment.INTERLEAVED else ""


def treated_viewer(viewer: Viewer, treatment: str) -> Viewer:
    """Return the viewer that the recommender ranks for.

    In the long-term-only arm that is the history as the visit began. Titles seen or refused since
    are left out of the rows in either arm.
    """
    if treatment != Treatment.LONG_TERM_ONLY:
        return viewer
    return replace(
        viewer,
        liked=viewer.liked_before,
        events=[event for event in viewer.events if not event.is_this_visit],
        reasons=[id_ for id_ in viewer.reasons if id_ in viewer.liked_before],
        not_now_genres=frozenset(),
        not_now_people=frozenset(),
        passed_over=(),
    )
