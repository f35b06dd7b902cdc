"""Selections: which of the titles that match are listed, and in which order.

Parameters of an address in, chosen facets and a sort out. I items of the catalogue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recommender.arrays import Float64
from recommender.data.catalogue import Catalogue
from search.engine import SearchEngine
from search.errors import FacetError
from search.facets import Facet, FacetValue

MOST_CHOSEN = 10
"""Values of one facet in an address."""
LONGEST_MINUTES = 1_000_000
"""What no title lasts: those of unknown length stand behind all others."""


class Sort(StrEnum):
    """What titles are sorted by."""

    MATCH = "match"
    """How well they match a search; on other lists, what fits the viewer."""
    YEAR = "year"
    """The latest first."""
    ADDED = "added"
    """What came into the catalogue last first."""
    LIKED = "liked"
    """What most people like first."""
    LENGTH = "length"
    """The shortest first."""


@dataclass(frozen=True)
class Selection:
    """Which matches are listed, and in which order.

    Attributes:
        chosen: values of facets; of several genres all hold, of any other facet one.
        sort: their order.
    """

    chosen: tuple[FacetValue, ...] = ()
    sort: Sort = Sort.MATCH

    @classmethod
    def parse(cls, parameters: Mapping[str, Sequence[str]]) -> "Selection":
        """Read the parameters named for facets, each as often as it is given, and `sort`.

        Raises:
            FacetError: a value is none of its facet's, or there are too many.
        """
        given = {facet: parameters.get(facet, ()) for facet in Facet}
        for facet, texts in given.items():
            if len(texts) > MOST_CHOSEN:
                raise FacetError(facet, f"Choose {MOST_CHOSEN} at most.")
        chosen = (FacetValue.parse(facet, text) for facet, texts in given.items() for text in texts)
        sort = next(iter(parameters.get("sort", ())), Sort.MATCH.value)
        if sort not in list(Sort):
            raise FacetError("sort", f"Sort by one of {', '.join(Sort)}, not “{sort[:40]}”.")
        return cls(tuple(dict.fromkeys(chosen)), Sort(sort))

    def parameters(self) -> list[tuple[str, str]]:
        """Return what `parse` reads as this, without what is the default."""
        sort = [] if self.sort is Sort.MATCH else [("sort", self.sort.value)]
        return [*((each.facet.value, each.value) for each in self.chosen), *sort]


EVERYTHING = Selection()


def sort_keys(sort: Sort, catalogue: Catalogue, search: SearchEngine) -> Float64 | None:
    """Return (I,) what titles are sorted by, the greatest first; None for the usual order.

    What is unknown stands last.
    """
    match sort:
        case Sort.MATCH:
            return None
        case Sort.YEAR:
            return catalogue.years.astype(np.float64)
        case Sort.ADDED:
            return catalogue.added_at
        case Sort.LIKED:
            return catalogue.liked_by.astype(np.float64)
        case Sort.LENGTH:
            minutes = search.facets.minutes
            return np.where(minutes > 0, -minutes, -LONGEST_MINUTES).astype(np.float64)
