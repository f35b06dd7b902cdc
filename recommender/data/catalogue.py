"""The catalogue as arrays: genres, people, years and other facts of each title.

I items, G genres, P people, K facts.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.errors import InvalidInputError
from recommender.mapped import grown_matrix
from recommender.vocabulary import UNKNOWN, Vocabulary

OF_ONE_NUMBER = ("added_at", "years", "maturity", "is_available", "votes", "reviews")
MATRICES = ("genres", "people", "facts", "plots")


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
        first_added: the first item that `with_changed` added; None where none was.
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
    first_added: int | None = None

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
        """Return the catalogue with some titles as they are now.

        Of titles that it has, what is one number each is as it is now: whether they are available,
        their age limit, year and when they came. What they are about (genres, people, facts, plot)
        stays as it was, as do their likes. A title that is no longer available counts nowhere.
        Titles that it does not have come behind the others, without likes, and without people and
        facts that nothing had before.

        Args:
            changed: titles in another state of the catalogue.

        Raises:
            InvalidInputError: an added title's id is not above all others.
        """
        ids, count = self.titles.ids, len(self)
        added = np.flatnonzero(self.titles.items_of(changed.titles.ids) == UNKNOWN)
        if len(added) and count and changed.titles.ids[added[0]] <= ids[-1]:
            raise InvalidInputError(
                f"title {changed.titles.ids[added[0]]} is new, and others are behind it"
            )
        titles = self.titles
        if len(added):
            titles = Vocabulary(np.concatenate([ids, changed.titles.ids[added]]))
        items = titles.items_of(changed.titles.ids)
        known = np.flatnonzero(items < count)
        fields: dict[str, Any] = {"titles": titles}
        for name in OF_ONE_NUMBER:
            own, new = getattr(self, name), getattr(changed, name)
            fields[name] = np.concatenate([own, new[added]])
            fields[name][items] = new
        liked_by = np.concatenate([self.liked_by, np.zeros(len(added), dtype=np.float32)])
        liked_by[items[known]] *= changed.is_available[known]
        fields["liked_by"] = liked_by
        if len(added):
            fields |= self._about(changed, added)
            fields["first_added"] = count if self.first_added is None else self.first_added
        now = replace(self, **fields)
        vars(now).update(_by_genre=self._by_genre, _by_person=self._by_person)
        return now

    def _about(self, changed: "Catalogue", added: Int64) -> dict[str, sparse.csr_array]:
        """Return the matrices with the rows of added titles, in the columns of this catalogue."""
        facts = {name: column for column, name in enumerate(self.fact_names)}
        columns = {
            "genres": _places(self.genre_ids, changed.genre_ids),
            "people": _places(self.person_ids, changed.person_ids),
            "facts": np.array(
                [facts.get(name, UNKNOWN) for name in changed.fact_names], dtype=np.int64
            ),
            "plots": np.arange(changed.plots.shape[1])[: self.plots.shape[1]],
        }
        return {
            name: grown_matrix(
                getattr(self, name),
                _in_columns(getattr(changed, name)[added], of, getattr(self, name).shape[1]),
            )
            for name, of in columns.items()
        }

    def part_from(self, first: int) -> "Catalogue":
        """Return the titles from an item on, in the same columns."""
        fields = {name: getattr(self, name)[first:] for name in (*OF_ONE_NUMBER, *MATRICES)}
        titles, liked_by = Vocabulary(self.titles.ids[first:]), self.liked_by[first:]
        return replace(self, titles=titles, liked_by=liked_by, first_added=None, **fields)

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
        return self._with_column(self.genres, self._by_genre, genre)

    def items_with_person(self, person: int) -> Int64:
        """Return the available items of a person column, lowest number first."""
        return self._with_column(self.people, self._by_person, person)

    def _with_column(
        self, matrix: sparse.csr_array, by_column: sparse.csc_array, column: int
    ) -> Int64:
        items = _column(by_column, column)
        if self.first_added is not None:
            rows = matrix[self.first_added :]
            items = np.append(items, self.first_added + np.flatnonzero(rows[:, [column]].toarray()))
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


def _places(ids: Int64, wanted: Int64) -> Int64:
    """Return where each of the wanted ids stands among ids in any order, `UNKNOWN` if nowhere."""
    order = np.argsort(ids, kind="stable")
    places = Vocabulary(ids).items_of(wanted)
    return np.where(places == UNKNOWN, UNKNOWN, order[places] if len(order) else UNKNOWN)


def _in_columns(matrix: sparse.csr_array, columns: Int64, width: int) -> sparse.csr_array:
    """Return (I, `width`) the matrix with each column where it belongs; `UNKNOWN` is left out."""
    cells = sparse.coo_array(matrix)
    kept = columns[cells.col] != UNKNOWN if len(columns) else np.zeros(cells.nnz, dtype=bool)
    values = cells.data[kept], (cells.row[kept], columns[cells.col[kept]])
    return sparse.csr_array(values, shape=(matrix.shape[0], width))


def _column(matrix: sparse.csc_array, column: int) -> Int64:
    part = matrix.indices[matrix.indptr[column] : matrix.indptr[column + 1]].astype(np.int64)
    return part if matrix.has_sorted_indices else np.sort(part)
