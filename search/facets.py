"""Facets: what matches in, how many of it are of each genre, decade, length and so on out.

N documents, M of them matching, L labels.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recommender.arrays import Bool, Int64
from search.errors import FacetError
from search.index.changed import AnyLabels
from search.text import VISIBLE, fold

MOST_VALUES = 20
"""Values of a facet that are offered, those of most documents."""
LONGEST_VALUE = 100
DECADE_YEARS = 10
_DECADE = re.compile(r"([1-9]\d\d)0s")


class Facet(StrEnum):
    """What matches are narrowed by; of several genres all hold, of any other facet one."""

    GENRE = "genre"
    DECADE = "decade"
    LANGUAGE = "language"
    LENGTH = "length"
    AGE = "age"
    KIND = "kind"
    SEEN = "seen"


LENGTHS = {"under-60": 1, "60-89": 60, "90-119": 90, "120-up": 120}
"""The fewest minutes of each, which lasts up to the next one's."""
AGES = ("0", "6", "12", "16")
"""Documents that may be watched at this age; above the last there is no limit to choose."""
KINDS = ("film", "series")
SEEN = ("no", "yes")
FIXED = {Facet.LENGTH: tuple(LENGTHS), Facet.AGE: AGES, Facet.KIND: KINDS, Facet.SEEN: SEEN}
"""Facets whose values are known beforehand, in the order in which they are offered."""


@dataclass(frozen=True)
class FacetValue:
    """One value of a facet, as addresses and the API write it.

    Attributes:
        facet: of what.
        value: a genre's or language's name, `1990s`, `60-89`, `12`, `film`, `no`.
    """

    facet: Facet
    value: str

    @classmethod
    def parse(cls, facet: Facet, text: str) -> "FacetValue":
        """Read a value.

        Raises:
            FacetError: it is no value of this facet.
        """
        if facet in FIXED and text not in FIXED[facet]:
            raise FacetError(facet, f"Give one of {', '.join(FIXED[facet])}, not “{text[:40]}”.")
        if facet is Facet.DECADE and not _DECADE.fullmatch(text):
            raise FacetError(facet, f"Write a decade as 1990s, not “{text[:40]}”.")
        if not re.search(VISIBLE, text) or len(text) > LONGEST_VALUE:
            raise FacetError(facet, f"Give a {facet} of 1 to {LONGEST_VALUE} characters.")
        return cls(facet, text)


@dataclass(frozen=True)
class FacetCount:
    """How many matches have a value, under what is chosen of the other facets."""

    value: FacetValue
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class Facets:
    """What is known of documents that they can be narrowed by.

    Attributes:
        genres: of the documents.
        languages: spoken in each.
        years: (N,), 0 where unknown.
        minutes: (N,) how long each is, 0 where unknown.
        ages: (N,) from which age each may be watched, -1 where unknown.
        is_series: (N,) False for films.
    """

    genres: AnyLabels
    languages: AnyLabels
    years: Int64
    minutes: Int64
    ages: Int64
    is_series: Bool

    def mask(self, chosen: Sequence[FacetValue], seen: Bool | None = None) -> Bool | None:
        """Return (N,) True at the documents that are as chosen; None where nothing is.

        Args:
            chosen: values of any facets.
            seen: (N,) True at what the viewer has seen; None where nobody knows.
        """
        masks = self._masks(chosen, seen)
        return np.logical_and.reduce(list(masks.values())) if masks else None

    def counts(
        self, matching: Int64, chosen: Sequence[FacetValue] = (), seen: Bool | None = None
    ) -> tuple[FacetCount, ...]:
        """Return how many matches have each value that would narrow them, facet by facet.

        A value that all matches have, or none, is left out unless it is chosen; so a fact that is
        missing in the whole catalogue is no facet. Of genres each count is under the genres chosen
        already; of any other facet as if nothing of it were chosen. A few passes over the matches.

        Args:
            matching: (M,) the numbers of all that matches, whatever is chosen.
            chosen: values of any facets.
            seen: (N,) True at what the viewer has seen; None where nobody knows.
        """
        chosen = [self._as_shown(each) for each in chosen]
        masks = self._masks(chosen, seen)
        is_matching = np.zeros(len(self.years), dtype=bool)
        is_matching[matching] = True
        found: list[FacetCount] = []
        for facet in Facet:
            left, places = is_matching, matching
            others = [m for f, m in masks.items() if f != facet or facet is Facet.GENRE]
            if others:
                left = np.logical_and.reduce([left, *others])
                places = np.flatnonzero(left)
            taken = {each.value for each in chosen if each.facet == facet}
            counts = dict.fromkeys(taken, 0) | self._counted(facet, left, places, seen)
            found += [
                FacetCount(FacetValue(facet, value), count, value in taken)
                for value, count in _in_order(facet, counts)
                if 0 < count < len(places) or value in taken
            ]
        return tuple(found)

    def _masks(self, chosen: Sequence[FacetValue], seen: Bool | None) -> dict[Facet, Bool]:
        """Return (N,) by facet, True at the documents that are as chosen."""
        masks: dict[Facet, Bool] = {}
        for each in chosen:
            mask = self._mask(each, seen)
            before = masks.get(each.facet)
            if before is not None:
                mask = before & mask if each.facet is Facet.GENRE else before | mask
            masks[each.facet] = mask
        return masks

    def _mask(self, chosen: FacetValue, seen: Bool | None) -> Bool:
        value = chosen.value
        match chosen.facet:
            case Facet.GENRE:
                return self._with_label(self.genres, value)
            case Facet.LANGUAGE:
                return self._with_label(self.languages, value)
            case Facet.DECADE:
                return np.asarray(self.years // DECADE_YEARS == int(value[:-1]) // DECADE_YEARS)
            case Facet.LENGTH:
                return np.asarray(_length_of(self.minutes) == list(LENGTHS).index(value))
            case Facet.AGE:
                return np.asarray((self.ages >= 0) & (self.ages <= int(value)))
            case Facet.KIND:
                return self.is_series if value == "series" else ~self.is_series
            case Facet.SEEN:
                seen = np.zeros(len(self.years), dtype=bool) if seen is None else seen
                return seen if value == "yes" else ~seen

    def _as_shown(self, chosen: FacetValue) -> FacetValue:
        """Return the value with a genre or language written as in the catalogue."""
        labels = {Facet.GENRE: self.genres, Facet.LANGUAGE: self.languages}.get(chosen.facet)
        number = None if labels is None else labels.number_of(fold(chosen.value))
        if labels is None or number is None:
            return chosen
        return FacetValue(chosen.facet, labels.labels[number])

    def _with_label(self, labels: AnyLabels, name: str) -> Bool:
        number = labels.number_of(fold(name))
        count = len(self.years)
        return np.zeros(count, dtype=bool) if number is None else labels.mask_of(number, count)

    def _counted(
        self, facet: Facet, left: Bool, places: Int64, seen: Bool | None
    ) -> dict[str, int]:
        """Return how many of the documents left have each value of a facet.

        Args:
            facet: which.
            left: (N,) True at the documents.
            places: (M,) their numbers.
            seen: (N,) True at what the viewer has seen; None where nobody knows.
        """
        match facet:
            case Facet.GENRE:
                return _commonest(self.genres, left)
            case Facet.LANGUAGE:
                return _commonest(self.languages, left)
            case Facet.DECADE:
                decades = np.bincount(self.years[places] // DECADE_YEARS)
                known = (n for n in np.flatnonzero(decades).tolist() if n)
                return {f"{n * DECADE_YEARS}s": int(decades[n]) for n in known}
            case Facet.LENGTH:
                of_all = np.bincount(_length_of(self.minutes[places]) + 1, minlength=5)
                return dict(zip(LENGTHS, of_all[1:].tolist(), strict=True))
            case Facet.AGE:
                ages = self.ages[places]
                up_to = np.cumsum(np.bincount(ages[ages >= 0], minlength=int(AGES[-1]) + 1))
                return {age: int(up_to[int(age)]) for age in AGES}
            case Facet.KIND:
                return _yes_or_no(KINDS, self.is_series[places])
            case Facet.SEEN:
                return {} if seen is None else _yes_or_no(SEEN, seen[places])


def _commonest(labels: AnyLabels, documents: Bool) -> dict[str, int]:
    """Return how many of the documents, (N,) True, have each label, the most frequent ones."""
    counts = labels.counts_among(documents)
    best = np.argsort(-counts, kind="stable")[:MOST_VALUES]
    return {labels.labels[n]: int(counts[n]) for n in best[counts[best] > 0].tolist()}


def _length_of(minutes: Int64) -> Int64:
    """Return (M,) which of `LENGTHS` each is, -1 where it is unknown."""
    return np.searchsorted(list(LENGTHS.values()), minutes, side="right") - 1


def _yes_or_no(values: tuple[str, str], mask: Bool) -> dict[str, int]:
    """Return how many are False, the first value, and how many are True."""
    count = int(np.count_nonzero(mask))
    return dict(zip(values, (len(mask) - count, count), strict=True))


def _in_order(facet: Facet, counts: dict[str, int]) -> list[tuple[str, int]]:
    """Return values as they are offered: of most documents first, decades the latest first."""
    if facet in FIXED:
        return [(value, counts.get(value, 0)) for value in FIXED[facet]]
    if facet is Facet.DECADE:
        return sorted(counts.items(), reverse=True)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
