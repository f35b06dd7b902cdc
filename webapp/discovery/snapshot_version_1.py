"""Snapshots of version 1 (before they had a number), brought to the form of version 2.

They hold one bag for all questions: `viewer` with the context, what is on screen and what is
played today inside; `page`, `title`, `text`, `hidden`, `goes_on`, `listing`, `played_next`,
`rival`, `switches` and `catalogue` beside it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recommender.arrays import Float32
from recommender.ranking.page import Row
from search.retrieve import Band
from webapp.discovery.surface import Surface


def upgraded(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same snapshot in the form of version 2.

    Raises:
        KeyError: something is missing: the slate was written before snapshots were whole.
    """
    viewer = dict(stored["viewer"])
    context = {name: viewer.pop(name) for name in ("now", "surface", "device")}
    context["page"] = stored["page"]
    page_state = {
        "on_screen": [_shown_row(row) for row in viewer.pop("on_screen")],
        "played_today": viewer.pop("played_today"),
    }
    viewer["profile_id"] = viewer.pop("profile")
    viewer["hidden"] = stored["hidden"]
    name, own_fields = _question(stored, context["surface"], page_state)
    return {
        "version": 2,
        "question": name,
        "switches": stored.get("switches", {}),
        "catalogue": stored["catalogue"],
        "viewer": viewer,
        "context": context,
        **own_fields,
    }


def _question(
    stored: Mapping[str, Any], surface: str, page_state: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the question's name and its own fields, by which of the bag's were set."""
    if stored["title"] is not None:
        played_next = stored["played_next"]
        return "title", {"title_id": stored["title"], "played_next": played_next}
    if stored["listing"] is not None:
        return "listing", {"listing": stored["listing"]}
    if surface == Surface.HOME:
        return "rows_below" if stored["goes_on"] else "home", page_state
    rival = {"rival": stored.get("rival", "")}
    if surface == Surface.SEARCH:
        return "search", {"text": stored["text"], **rival}
    return "suggestions", rival


def _shown_row(stored: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(stored)
    row["propensities"] = row.pop("chances", None)
    return row


_BANDS = {
    Band.WRITTEN: 0, Band.EXACT: 1, Band.COMPLETES: 2, Band.BEGINS: 3, Band.NEAR: 4, Band.WORDS: 5,
    Band.BEGINS_NEAR: 6, Band.NEAR_TWO: 7, Band.WORDS_NEAR: 8, Band.ABOUT: 9, Band.KNOWN_FOR: 9,
    Band.ABOUT_BEGUN: 9, Band.SCATTERED: 9, Band.FITS: 9, Band.FITS_MOST: 9,
    Band.ABOUT_NEAR: 10,
}  # fmt: skip
"""The numbers that the bands had, or the bands that they were part of."""


def version_1_scores(row: Row) -> Float32:
    """Return (N,) scores as slates held them before evidence was stored apart from scores.

    A search hit's score was -band + click probability, by the bands of then.
    """
    if row.evidence is None:
        return row.scores
    bands = np.array([_BANDS[Band(band)] for band in row.evidence.tolist()], dtype=np.float32)
    return np.asarray(-bands + row.scores.clip(0, 1 - 1e-6))
