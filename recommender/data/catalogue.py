"""The catalogue as arrays: genres, people, years and other facts of each title.

I items, G genres, P people, K facts.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.errors import InvalidInputError
from recommender.vocabulary import UNKNOWN, Vocabulary


@dataclass(frozen=True)
class Catalogue:
    """A snapshot of the catalogue; its item numbers are those of serving and of search.

    Titles that are not available have numbers too, because search names them. Nothing else counts
    them: they have no genres, people and likes here, and `items_of` leaves them out.

    Attributes:
        titles: item numbers of the title ids.
        genres: (I, G) csr, 1 where a title has the genre.
        genre_ids: (G,) the outside id of each genre column.
        added_at: (I,) seconds since 1970 when the title came into the catalogue.
        liked_by: (I,) how many profiles liked the title.
        years: (I,) when the title came out, 0 where it is unknown.
        maturity: (I,) the age from which the title may be watched; 18 where it is unknown.
        people: (I, P) csr, 1 where a person directed the title, 0.5 where one plays in it, 0.25
            where one only wrote it.
        person_ids: (P,) the outside id of each person column.
        is_available: (I,) False for a title that is known and cannot be shown.
        facts: (I, K) csr, 1 where something of a few words is so of a title: where it was made,
            in which language, whether it is a film, for which age.
        fact_names: K, the same wherever the fact is the same: `country:France`.
        votes: (I,) how many people rated the title elsewhere, NaN where it is unknown.
        reviews: (I,) how many critics reviewed it elsewhere, NaN where it is unknown.
        plots: (I, W) csr, how often the plot has a word, in the hashed word's column.
    """

    titles: Vocabulary
    genres: sparse.csr_array
    genre_ids: Int64
    added_at: Float64
    liked_by: Float32
    years: Int64
    maturity: Int64
    people: sparse.csr_array
    person_ids: Int64
    is_available: Bool
    facts: sparse.csr_array = field(default_factory=lambda: sparse.csr_array((0, 0)))
    fact_names: tuple[str, ...] = ()
    votes: Float32 = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    reviews: Float32 = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    plots: sparse.csr_array = field(default_factory=lambda: sparse.csr_array((0, 0)))

    def __post_init__(self) -> None:
        count = len(self.titles)
        if not self.fact_names:
            object.__setattr__(self, "facts", sparse.csr_array((count, 0), dtype=np.float32))
        if not self.plots.shape[1]:
            object.__setattr__(self, "plots", sparse.csr_array((count, 0), dtype=np.float32))
        for name in ("votes", "reviews"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(count, np.nan, dtype=np.float32))
        for name in (
            "added_at", "liked_by", "years", "maturity", "is_available", "votes", "reviews",
        ):  # fmt: skip
            if getattr(self, name).shape != (count,):
                raise InvalidInputError(
                    f"{name} must have one value for each of {count} titles, "
                    f"got shape {getattr(self, name).shape}"
                )
        columns = (
            ("genres", len(self.genre_ids)),
            ("people", len(self.person_ids)),
            ("facts", len(self.fact_names)),
            ("plots", self.plots.shape[1]),
        )
        for name, width in columns:
            if getattr(self, name).shape != (count, width):
                raise InvalidInputError(
                    f"{name} must be ({count}, {width}), got {getattr(self, name).shape}"
                )

    def items_of(self, ids: ArrayLike) -> Int64:
        """Return the item of each available title, `UNKNOWN` for any other; the shape stays."""
        items = self.titles.items_of(ids)
        return np.where(self.is_available[items] if len(self) else False, items, UNKNOWN)

    def with_changed(self, changed: "Catalogue") -> "Catalogue":
        """Return the same titles, some of them as they are now in what is one number each.

        Whether a title is available, its age limit, its year and when it came are as they are now;
        what it is about (genres, people, facts, plot) stays as it was, as do its likes. A title
        that is no longer available counts nowhere.

        Args:
            changed: titles of this catalogue, in another state of it.

        Raises:
            InvalidInputError: it holds other titles too.
        """
        items = self.titles.items_of(changed.titles.ids)
        if (items == UNKNOWN).any():
            raise InvalidInputError("a changed title is none of the catalogue's")
        facts = {}
        for name in ("added_at", "years", "maturity", "is_available", "liked_by", "votes",
                     "reviews"):  # fmt: skip
            facts[name] = getattr(self, name).copy()
            facts[name][items] = getattr(changed, name)
        facts["liked_by"][items] = np.where(changed.is_available, self.liked_by[items], 0)
        now = replace(self, **facts)
        vars(now).update(_by_genre=self._by_genre, _by_person=self._by_person)
        return now

    @cached_property
    def available_items(self) -> Int64:
        """The items that are available, lowest number first."""
        return np.flatnonzero(self.is_available)

    def __len__(self) -> int:
        return len(self.titles)

    def above(self, limit: int | None) -> Bool:
        """Return (I,) True at titles that someone with this maturity limit may not see."""
        if limit is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.maturity > limit)

    def items_with_genre(self, genre: int) -> Int64:
        """Return the available items of a genre column, lowest number first."""
        return self._available(_column(self._by_genre, genre))

    def items_with_person(self, person: int) -> Int64:
        """Return the available items of a person column, lowest number first."""
        return self._available(_column(self._by_person, person))

    def _available(self, items: Int64) -> Int64:
        return items[self.is_available[items]]

    def prepare(self) -> None:
        """Compute now what is otherwise computed at its first use."""
        _ = self.available_items, self._by_genre, self._by_person

    @cached_property
    def _by_genre(self) -> sparse.csc_array:
        return sparse.csc_array(self.genres)

    @cached_property
    def _by_person(self) -> sparse.csc_array:
        return sparse.csc_array(self.people)


def _column(matrix: sparse.csc_array, column: int) -> Int64:
    part = matrix.indices[matrix.indptr[column] : matrix.indptr[column + 1]].astype(np.int64)
    return part if matrix.has_sorted_indices else np.sort(part)
