"""The reranker: from candidate rows to rows in the live ranker's order, if there is a ranker.

N candidates of a request.
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
"""Most candidates scored of a row."""
MAX_RANKED = 300
"""Most candidates scored for a request, rows from the top first."""


class Reranker:
    """Features, and the ranker where there is one, over one catalogue and one item space."""

    def __init__(
        self, catalogue: Catalogue, features: RankingFeatures, ranker: Ranker | None = None
    ) -> None:
        self._catalogue, self._features, self.ranker = catalogue, features, ranker

    def with_ranker(self, ranker: Ranker | None) -> "Reranker":
        return Reranker(self._catalogue, self._features, ranker)

    def over(self, catalogue: Catalogue) -> "Reranker":
        """Return the same over another state of the same titles."""
        return Reranker(catalogue, self._features.over(catalogue), self.ranker)

    def rerank(
        self,
        rows: Sequence[CandidateRow],
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
    ) -> list[CandidateRow]:
        """Return the rows, the first `RANKED_PER_ROW` candidates of each by click probability.

        A candidate's score is its click probability where the ranker scored it; those behind keep
        their own.
        """
        reranked = list(rows)
        if self.ranker is None:
            return reranked
        heads, room = [], MAX_RANKED  # which rows, and how many candidates of each
        for n, row in enumerate(reranked):
            size = min(RANKED_PER_ROW, len(row.items), room)
            if row_kind(row.kind).is_reranked and size:
                heads.append((n, size))
                room -= size
        positions = [Positions.of(rows[n].items[:size], rows[n].kind) for n, size in heads]
        logits, probabilities = self._score(Positions.joined(positions), viewer, context, taste)
        begin = 0
        for n, size in heads:
            part = slice(begin, begin + size)
            reranked[n] = _with_head(reranked[n], logits[part], probabilities[part])
            begin += size
        return reranked

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
        if self.ranker is None or row.evidence is None or not len(row.items):
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
        self, positions: Positions, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> tuple[Float32, Float32]:
        """Return (N,) logits and click probabilities."""
        if self.ranker is None or not len(positions.items):
            nothing = np.empty(0, dtype=np.float32)
            return nothing, nothing
        return self.ranker.predict(
            self._features.examples(self._request(viewer, context, taste), positions)
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
            long=taste.history,
            session=taste.visit,
            fused=taste.scores,
        )


def _with_head(row: CandidateRow, logits: Float32, probabilities: Float32) -> CandidateRow:
    """Return the row with its first candidates, as many as logits, in the ranker's order."""
    size = len(logits)
    order = np.argsort(-logits, kind="stable")
    return replace(
        row,
        items=np.concatenate([row.items[:size][order], row.items[size:]]),
        scores=np.concatenate([probabilities[order], row.scores[size:]]).astype(np.float32),
    )
