"""Questions that a page asks of the recommender and of search: one type each, with its own fields.

A question holds all that its answer depends on, besides the release and the catalogue.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.serving.candidates import Listing
from recommender.serving.request import RequestContext, ShownRow, Viewer
from webapp.discovery.curation import UNCURATED, Curation
from webapp.discovery.selection import EVERYTHING, Selection


@dataclass(frozen=True)
class HomeQuestion:
    """Which rows stand on the home page?

    Attributes:
        viewer: who asks.
        context: when and where.
        on_screen: this visit's last home page, from the top down to the last row seen.
        played_today: titles by how many people play them today, most first.
    """

    viewer: Viewer
    context: RequestContext
    on_screen: Sequence[ShownRow] = ()
    played_today: Sequence[int] = ()


@dataclass(frozen=True)
class RowsBelowQuestion:
    """Which rows follow below those of a home page that is on screen?

    Attributes:
        viewer: who asks.
        context: when and where.
        on_screen: all rows of that page.
        played_today: titles by how many people play them today, most first.
    """

    viewer: Viewer
    context: RequestContext
    on_screen: Sequence[ShownRow]
    played_today: Sequence[int] = ()


@dataclass(frozen=True)
class TitleQuestion:
    """Which titles are like one, and which do people play next?

    Attributes:
        viewer: who asks.
        context: when and where.
        title_id: what the page is about.
        played_next: titles that people began after it, most often first.
    """

    viewer: Viewer
    context: RequestContext
    title_id: int
    played_next: Sequence[int] = ()


@dataclass(frozen=True)
class ListingQuestion:
    """Which titles are of a genre, or with a person?

    Attributes:
        viewer: who asks.
        context: when and where.
        listing: of what, and which part.
        selection: which of them, in which order.
    """

    viewer: Viewer
    context: RequestContext
    listing: Listing
    selection: Selection = EVERYTHING


@dataclass(frozen=True)
class SearchQuestion:
    """Which titles does a text mean?

    Attributes:
        viewer: who asks.
        context: when and where.
        text: as typed.
        rival: the treatment whose ranking shares the list (interleaving); empty for none.
        selection: which of the titles that match, in which order; None for the first of all by how
            they match, without counts of facets.
        begin: the position of the first one, from 0.
        curation: what operators decided for this text.
        is_submitted: whether the text is whole; False for a keystroke.
    """

    viewer: Viewer
    context: RequestContext
    text: str
    rival: str = ""
    selection: Selection | None = None
    begin: int = 0
    curation: Curation = UNCURATED
    is_submitted: bool = True


@dataclass(frozen=True)
class SuggestionsQuestion:
    """Which titles are worth offering before anything is typed?

    Attributes:
        viewer: who asks.
        context: when and where.
        rival: the treatment whose ranking shares the list (interleaving); empty for none.
    """

    viewer: Viewer
    context: RequestContext
    rival: str = ""


Question = (
    HomeQuestion
    | RowsBelowQuestion
    | TitleQuestion
    | ListingQuestion
    | SearchQuestion
    | SuggestionsQuestion
)
