"""`RecommendationSource`: what the recommender of a release and its fallback both offer.

I items of the source's catalogue.
"""

from collections.abc import Sequence
from typing import Protocol

from recommender.arrays import Bool, Float32, Float64
from recommender.data.catalogue import Catalogue
from recommender.data.examples import Examples
from recommender.ranking.page import Row
from recommender.ranking.reasons import Reason
from recommender.serving.candidates import Listing
from recommender.serving.request import RequestContext, ShownRow, Viewer
from recommender.serving.taste import Taste


class RecommendationSource(Protocol):
    """Proposes rows of item numbers; `Recommender` and `PopularTitles` are such sources."""

    @property
    def catalogue(self) -> Catalogue: ...

    def taste(self, viewer: Viewer, context: RequestContext) -> Taste | None:
        """Return what the viewer wants at this moment, None where no model knows."""

    def affinity(self, taste: Taste | None) -> Float32 | None:
        """Return (I,) how well each title fits the taste, None without a taste."""

    def home(
        self,
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
        on_screen: Sequence[ShownRow] = (),
        played_today: Sequence[int] = (),
    ) -> list[Row]:
        """Return the rows of the home page."""

    def more_like(
        self, title_id: int, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Row | None:
        """Return the titles nearest to one, None if too few."""

    def listing(
        self,
        listing: Listing,
        hidden: Bool,
        viewer: Viewer,
        context: RequestContext,
        taste: Taste | None,
        keys: Float64 | None = None,
    ) -> tuple[Row, int]:
        """Return a part of a genre's or a person's titles, and how many there are.

        By `keys`, (I,), the greatest first, where they are given.
        """

    def suggestions(
        self, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> list[Row]:
        """Return the row to offer where nothing is typed; none if it were too short."""

    def rerank_hits(
        self, row: Row, viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Row:
        """Return search's hits, those with equal evidence re-ranked."""

    def reasons(
        self, rows: Sequence[Row], viewer: Viewer, taste: Taste | None
    ) -> list[list[Reason]]:
        """Return why each title of each row is shown."""

    def features(
        self, rows: Sequence[Row], viewer: Viewer, context: RequestContext, taste: Taste | None
    ) -> Examples | None:
        """Return the ranker's fields of all that is shown, None where no ranker could learn."""
