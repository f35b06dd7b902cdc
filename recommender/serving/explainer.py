"""The explainer: from a page's rows to the reason of each title, with its evidence.

N titles of a row, L liked titles, D size of the similarity vectors.
"""

from collections.abc import Sequence

import numpy as np

from recommender.arrays import Float32, Int64
from recommender.data.catalogue import Catalogue
from recommender.ranking.page import Row
from recommender.ranking.reasons import EXPLORED, NO_REASON, Because, Reason
from recommender.ranking.row_kinds import Subject, row_kind
from recommender.serving.candidates import age_allowed_items
from recommender.serving.request import Viewer
from recommender.serving.taste import Taste

SIMILAR = 0.6
"""How similar a title must be to one the viewer liked to be explained by it."""
MAX_LIKED = 60
EXPLORED_BELOW = 0.5
"""A title with a smaller propensity than this is explained as explored."""
_SIDES = (NO_REASON, Reason(Because.HISTORY), Reason(Because.VISIT))


class Explainer:
    """Gives reasons over one catalogue."""

    def __init__(self, catalogue: Catalogue, similarity: Float32) -> None:
        """Take what is compared.

        Args:
            catalogue: I titles.
            similarity: (I, D) unit vectors.
        """
        self._catalogue, self._similarity = catalogue, similarity

    def reasons(
        self, rows: Sequence[Row], viewer: Viewer, taste: Taste | None
    ) -> list[list[Reason]]:
        """Return a reason for each title of each row. O(titles L D)."""
        liked = list(dict.fromkeys([*viewer.reasons, *viewer.liked]))[:MAX_LIKED]
        items = age_allowed_items(self._catalogue, viewer, liked)  # (L,)
        return [self._of_row(row, items, taste) for row in rows]

    def _of_row(self, row: Row, liked: Int64, taste: Taste | None) -> list[Reason]:
        kind = row_kind(row.kind)
        reasons = [NO_REASON] * len(row.items)
        if kind.subject == Subject.TITLE and row.key is not None:
            reasons = [Reason(Because.SIMILAR, (row.key,))] * len(row.items)
        elif kind.is_personal and taste is not None:
            reasons = [_SIDES[side] for side in self._sides(row, taste).tolist()]
            if len(liked):
                similarity = self._similarity[row.items] @ self._similarity[liked].T  # (N, L)
                nearest, ids = similarity.argmax(axis=1), self._catalogue.titles.ids_of(liked)
                for n in np.flatnonzero(similarity.max(axis=1) >= SIMILAR).tolist():
                    reasons[n] = Reason(Because.SIMILAR, (int(ids[nearest[n]]),))
        for n in np.flatnonzero(row.propensities < EXPLORED_BELOW).tolist():
            reasons[n] = EXPLORED
        return reasons

    def _sides(self, row: Row, taste: Taste) -> Int64:
        """Return (N,) indices of `_SIDES`: what speaks most for each title, 0 where nothing does.

        Without a session encoder a visit without a history is the whole taste.
        """
        visit, history = taste.visit, taste.history
        if visit is None and history is None:
            visit = taste.scores
        by_side = np.zeros((len(_SIDES), len(row.items)), dtype=np.float32)
        if history is not None:
            weight = 1.0 if visit is None else taste.history_weight
            by_side[1] = weight * history[row.items]
        if visit is not None:
            by_side[2] = taste.scores[row.items] - by_side[1]
        return np.asarray(by_side.argmax(axis=0), dtype=np.int64)
