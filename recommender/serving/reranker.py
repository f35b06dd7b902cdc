"""The last word on the order of a list: the ranker's, where there is one.

N places.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recommender.arrays import Float32
from recommender.data.catalogue import Catalogue
from recommender.data.examples import Examples
from recommender.ranking.features import Positions, RankingFeatures, RankingRequest
from recommender.ranking.page import CandidateRow, Row
from recommender.ranking.ranker import Ranker
from recommender.ranking.row_kinds import row_kind
from recommender.serving.candidates import catalogue_items
from recommender.serving.request import RequestContext, Viewer
from recommender.serving.taste import Taste

RANKED_PER_ROW = 24
MAX_RANKED = 300
"""How many candidates are judged for a response, rows from the top first."""


class Reranker:
    """Features, and the ranker where there is one, over one catalogue and one item space."""

    def __init__(
        self, catalogue: Catalogue, features: RankingFeatures, ranker: Ranker | None = None
    ) -> None:
        self._catalogue, self._features, self._ranker = catalogue, features, ranker

    def with_ranker(self, ranker: Ranker | None) -> "Reranker":
        return Reranker(self._catalogue, self._features, ranker)

    def rerank(
        self,
        rows: Sequence[CandidateRow],
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
    ) -> list[CandidateRow]:
        """Return the rows, the best `RANKED_PER_ROW` candidates of each by their chances.

        A candidate's score is its chance where it was judged; those behind keep their own.
        """
        found = list(rows)
        if self._ranker is None:
            return found
        judged, room = [], MAX_RANKED
        for place, row in enumerate(found):
            size = min(RANKED_PER_ROW, len(row.items), room)
            if row_kind(row.kind).is_reranked and size:
                judged.append((place, size))
                room -= size
        places = [Positions.of(found[n].items[:size], found[n].kind) for n, size in judged]
        logits, chances = self._score(Positions.joined(places), viewer, context, taste)
        begin = 0
        for place, size in judged:
            part = slice(begin, begin + size)
            found[place] = _by_chance(found[place], logits[part], chances[part])
            begin += size
        return found

    def rerank_hits(
        self, row: Row, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Row:
        """Return search's hits by evidence, within equal evidence by click probability.

        The scores are the click probabilities; without a ranker the row stays as it is.

        Args:
            row: hits with `evidence`, best evidence first.
            viewer: for whom.
            context: when and where.
            taste: theirs.
        """
        if self._ranker is None or row.evidence is None or not len(row.items):
            return row
        positions = Positions.of(row.items, row.kind, row.evidence)
        logits, probabilities = self._score(positions, viewer, context, taste)
        order = np.lexsort((-logits, row.evidence))
        return replace(
            row,
            items=row.items[order],
            scores=probabilities[order],
            evidence=row.evidence[order],
        )

    def page_features(
        self, rows: Sequence[Row], viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Examples:
        """Return the ranker's fields of every title on a page, row by row, for the slate."""
        positions = [Positions.of(row.items, row.kind, row.evidence).as_shown() for row in rows]
        return self._features.examples(
            self._request(viewer, context, taste), Positions.joined(positions)
        )

    def _score(
        self, places: Positions, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> tuple[Float32, Float32]:
        """Return (N,) logits and chances; no logits for no places."""
        if self._ranker is None or not len(places.items):
            nothing = np.empty(0, dtype=np.float32)
            return nothing, nothing
        return self._ranker.predict(
            self._features.examples(self._request(viewer, context, taste), places)
        )

    def _request(
        self, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> RankingRequest:
        events = [event for event in viewer.events if event.title_id is not None]
        request = RankingRequest(
            profile_id=viewer.profile_id,
            now=context.now,
            device=context.device,
            visit_events=sum(event.is_this_visit for event in events),
            history_size=len(viewer.liked_before),
            met=catalogue_items(
                self._catalogue,
                [event.title_id for event in events if event.title_id is not None],
            ),
        )
        if taste is None:
            return request
        return replace(
            request,
            gate=taste.visit_share,
            long=taste.history_vector,
            session=taste.visit_vector,
            fused=taste.vector,
        )


def _by_chance(row: CandidateRow, logits: Float32, chances: Float32) -> CandidateRow:
    size = len(logits)
    order = np.argsort(-logits, kind="stable")
    return replace(
        row,
        items=np.concatenate([row.items[:size][order], row.items[size:]]),
        scores=np.concatenate([chances[order], row.scores[size:]]).astype(np.float32),
    )
