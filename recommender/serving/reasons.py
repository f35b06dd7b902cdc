"""Why each title of a row stands there: what in the viewer's past or visit speaks for it.

N titles of a row, L liked ones, D size of the vectors that say how alike titles are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recommender.arrays import Bool, Float32, Int64
from recommender.data.catalogue import Catalogue
from recommender.ranking.page import Row
from recommender.ranking.row_kinds import Subject, row_kind
from recommender.serving.candidates import age_allowed_items
from recommender.serving.request import Viewer
from recommender.serving.taste import Taste

NEAR = 0.6
"""How alike a title must be to one the viewer liked to be explained by it."""
MAX_LIKED = 60
CHANCE_BELOW = 0.5
"""What came by a smaller chance than this is there to be tried out."""


class Because(StrEnum):
    """What a title is there for."""

    ROW = "row"
    NEAR = "near"
    HISTORY = "history"
    VISIT = "visit"
    CHANCE = "chance"


@dataclass(frozen=True)
class Reason:
    """Why a title stands there; `title_id` is the one that it is near to."""

    because: Because
    title_id: int | None = None

    @property
    def is_of_taste(self) -> bool:
        """Whether the title is there for what the viewer likes."""
        return self.because not in (Because.ROW, Because.CHANCE)


class Explainer:
    """Says why, over one catalogue and one item space."""

    def __init__(self, catalogue: Catalogue, space: Float32, similarity: Float32) -> None:
        """Take what is compared.

        Args:
            catalogue: I titles.
            space: (I, D) what a taste is multiplied with.
            similarity: (I, D) unit vectors.
        """
        self._catalogue, self._space, self._similarity = catalogue, space, similarity

    def reasons(
        self, rows: Sequence[Row], viewer: Viewer, taste: Taste | None
    ) -> list[list[Reason]]:
        """Return a reason for each title of each row. O(titles L D)."""
        liked = list(dict.fromkeys([*viewer.reasons, *viewer.liked]))[:MAX_LIKED]
        items = age_allowed_items(self._catalogue, viewer, liked)  # (L,)
        return [self._of_row(row, items, taste) for row in rows]

    def _of_row(self, row: Row, liked: Int64, taste: Taste | None) -> list[Reason]:
        reasons = [Reason(Because.ROW)] * len(row.items)
        kind = row_kind(row.kind)
        if kind.subject == Subject.TITLE:
            reasons = [Reason(Because.NEAR, row.key)] * len(row.items)
        elif kind.is_personal and taste is not None:
            sides = [Because.VISIT if of else Because.HISTORY for of in self._of_visit(row, taste)]
            reasons = [Reason(side) for side in sides]
            if len(liked):
                similarity = self._similarity[row.items] @ self._similarity[liked].T  # (N, L)
                nearest, ids = similarity.argmax(axis=1), self._catalogue.titles.ids_of(liked)
                for n in np.flatnonzero(similarity.max(axis=1) >= NEAR).tolist():
                    reasons[n] = Reason(Because.NEAR, int(ids[nearest[n]]))
        for n in np.flatnonzero(row.propensities < CHANCE_BELOW).tolist():
            reasons[n] = Reason(Because.CHANCE)
        return reasons

    def _of_visit(self, row: Row, taste: Taste) -> Bool:
        """Return (N,) whether this visit says more for a title than the history does."""
        if taste.history_vector is None or taste.visit_vector is None:
            return np.full(len(row.items), taste.history_vector is None)
        share = 0.5 if taste.visit_share is None else taste.visit_share
        vectors = self._space[row.items]
        visit, history = vectors @ taste.visit_vector, vectors @ taste.history_vector
        return np.asarray(share * visit > (1 - share) * history)
