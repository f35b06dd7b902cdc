"""Likeness of titles: a catalogue, item vectors and neighbours in, (I,) likeness to a title out.

Six aspects, each 0 to 1, of a title i and an anchor j:

    genres      cosine of the genres, weighted by idf
    people      3 times the cosine of the people, weighted by role and idf, at most 1
    era         exp(-|year_i - year_j| / 10), 0 where a year is not known
    period      genres · era: the same kind of film from the same years
    likers      cosine of the item vectors, at least 0
    neighbours  R-LARM's weight from j to i over the largest from j, at least 0
    overall     .3 genres + .3 people + .15 era + .3 likers + .1 neighbours, over their sum

I items, N of them asked of, G genres, S different sets of genres, P people, D item vectors.
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import sparse

from recommender.arrays import Float32, Int32, Int64, Integer, unit_rows
from recommender.data.catalogue import Catalogue
from recommender.errors import InvalidInputError
from recommender.mapped import grown, grown_matrix
from recommender.models.item_to_item import Neighbours

ERA_YEARS = 10.0
"""Years apart at which two titles' eras are 1/e alike."""
GENRE_IDF_LIMIT = 3.0
"""No genre counts more than one that a title in twenty has."""
PEOPLE_GAIN = 3.0
"""Two films that share a director or a lead are alike in people, whatever their casts' size."""
OVERALL = {"genres": 0.3, "people": 0.3, "era": 0.15, "likers": 0.3, "neighbours": 0.1}
"""What each aspect adds to `overall`, before they are divided by their sum."""
OF_LIKERS = ("likers", "neighbours")
LIKERS_GAIN = 2.0
"""How many times more the likers of two titles say of how similar they are, at most."""
DOUBT = 10.0
"""A title that so many like is trusted half."""
KIN_LIKERS = 0.5
"""What the cosine of the item vectors is at least where it makes two titles alike by itself."""
MOST_CACHED = 64
"""Titles whose likeness is cached: those that viewers open at this time, """
CACHED_BYTES = 32 * 2**20
"""and at most so many bytes of it, in a large catalogue."""
ASPECTS = ("genres", "people", "era", "period", "likers", "neighbours", "overall")

Aspects = Mapping[str, Float32]
"""By name of the aspect: (I,) likeness of every title."""


@dataclass(frozen=True)
class _Part:
    """The titles that likeness is asked of: all of a catalogue, or some.

    Attributes:
        items: (N,) their numbers, ascending; None for all.
        genre_set: (N,) of each.
        years: (N,).
        vectors: (N, D).
        trust: (N,).
    """

    items: Int64 | None
    genre_set: Int32
    years: Int64
    vectors: Float32
    trust: Float32

    def __len__(self) -> int:
        return len(self.years)

    @cached_property
    def last_year(self) -> int:
        return int(self.years.max(initial=0))

    def summed(self, items: Integer, values: Float32) -> Float32:
        """Return (N,) the sum of the values that (n,) items have, repeats allowed."""
        total = np.zeros(len(self), dtype=np.float32)
        if self.items is None:
            np.add.at(total, items, values)
        elif len(self):
            at = np.searchsorted(self.items, items).clip(max=len(self) - 1)
            is_asked = self.items[at] == items
            np.add.at(total, at[is_asked], values[is_asked])
        return total


class Likeness:
    """How alike the titles of a catalogue are, aspect by aspect.

    Immutable but for its cache, so threads may share it. One `among` some of the titles answers for
    those alone: wherever (I,) is said below, it returns (N,).
    """

    CACHES = ("_to", "_part")
    """What no file holds (`recommender.mapped`)."""

    def __init__(
        self, catalogue: Catalogue, vectors: Float32, neighbours: Neighbours | None = None
    ) -> None:
        """Prepare the aspects.

        Args:
            catalogue: I titles.
            vectors: (I, D) of the items, zeros where a title has none.
            neighbours: item to item over the same I items; None leaves that aspect at 0.

        Raises:
            InvalidInputError: there are more or fewer vectors than titles.
        """
        if len(vectors) != len(catalogue):
            raise InvalidInputError(
                f"{len(catalogue)} titles need as many vectors, got {len(vectors)}"
            )
        self._catalogue = catalogue
        first, self._genre_set = sets_of(catalogue.genres)  # (S,), (I,)
        genres = unit_sparse_rows(weighted_by_idf(catalogue.genres, GENRE_IDF_LIMIT))
        self._genre_sets = sparse.csr_array(genres[first])  # (S, G) of each different set
        self._people = unit_sparse_rows(weighted_by_idf(catalogue.people))
        self._vectors = unit_rows(vectors)
        self._neighbours = neighbours
        support = catalogue.liked_by
        self._trust = (support / (support + DOUBT)).astype(np.float32)  # (I,)
        self._by_person = sparse.csr_array(self._people.T)  # (P, I)
        self.start_caches()

    def start_caches(self) -> None:
        """Begin with an empty cache."""
        self._part = _Part(None, self._genre_set, self._catalogue.years, self._vectors, self._trust)
        room = CACHED_BYTES // (4 * len(ASPECTS) * max(len(self), 1))
        self._to: Callable[[int], Aspects]
        self._to = lru_cache(min(max(room, 2), MOST_CACHED))(self._computed)

    def __len__(self) -> int:
        """I."""
        return len(self._catalogue)

    def among(self, items: Int64) -> "Likeness":
        """Return the same asked of (N,) titles alone, in ascending order. Nothing is cached.

        Cost: N rows of D numbers are copied.
        """
        likeness, whole = copy(self), self._part
        likeness._part = _Part(
            items,
            whole.genre_set[items],
            whole.years[items],
            whole.vectors[items],
            whole.trust[items],
        )
        likeness._to = likeness._computed
        return likeness

    def over(
        self, catalogue: Catalogue, vectors: Float32, neighbours: Neighbours | None
    ) -> "Likeness":
        """Return the same over another state of the same titles, and over titles behind them.

        Of the same titles only years count anew. Added titles weigh their genres and people as the
        others do; as people's titles they are not found.

        Args:
            catalogue: as it is now.
            vectors: (n, D) of the added titles.
            neighbours: over the same titles as the catalogue.
        """
        likeness = copy(self)
        likeness._catalogue, likeness._neighbours = catalogue, neighbours
        if len(vectors):
            before, added = self._catalogue, catalogue.part_from(len(self))
            genres = _scaled(added.genres, idf_of(before.genres, GENRE_IDF_LIMIT))
            own = np.arange(len(vectors), dtype=np.int32) + self._genre_sets.shape[0]
            likeness._genre_sets = grown_matrix(self._genre_sets, genres)
            likeness._genre_set = grown(self._genre_set, own)
            people = _scaled(added.people, idf_of(before.people))
            likeness._people = grown_matrix(self._people, people)
            likeness._vectors = grown(self._vectors, unit_rows(vectors))
            likeness._trust = np.concatenate([self._trust, added.liked_by])
        likeness.start_caches()
        return likeness

    def to(self, item: int) -> Aspects:
        """Return every aspect's likeness of all titles to one, read-only.

        Cost: I (D + 8) multiplications, none for the titles that were asked for last.
        """
        return self._to(item)

    def _computed(self, item: int) -> Aspects:
        genres = self._genre_products(_row(self._genre_sets, int(self._genre_set[item])))
        people = self._shared_people(*_sparse_row(self._people, item))
        era = self._era_of(int(self._catalogue.years[item]))
        likers = np.maximum(self._part.vectors @ self._vectors[item], np.float32(0))
        aspects = self._with_overall(
            {
                "genres": genres,
                "people": people,
                "era": era,
                "period": genres * era,
                "likers": likers,
                "neighbours": self._neighbours_of(item),
            }
        )
        for likeness in aspects.values():
            likeness.flags.writeable = False
        return aspects

    def similarity(self, item: int) -> Float32:
        """Return (I,) one likeness of all titles to one, for rows: 0 at the title itself.

        It is `overall`, with more of what likers say where both titles have some: `LIKERS_GAIN`
        times t_i t_j, t = n / (n + `DOUBT`) of a title that n profiles liked, divided so that 1 is
        the most. Where nothing but the years and a few likers is alike it is 0.
        """
        aspects = self.to(item)
        trust = self._trust[item] * self._part.trust
        gain = np.float32(LIKERS_GAIN) * trust
        of_likers = sum(
            (np.float32(OVERALL[name]) * aspects[name] for name in OF_LIKERS), trust * 0
        )
        whole = np.float32(sum(OVERALL.values()))
        most = whole + np.float32(LIKERS_GAIN * sum(OVERALL[name] for name in OF_LIKERS))
        similarity = (whole * aspects["overall"] + gain * of_likers) / most
        is_kin = (aspects["genres"] > 0) | (aspects["people"] > 0) | (aspects["neighbours"] > 0)
        similarity[~(is_kin | (aspects["likers"] >= KIN_LIKERS))] = 0
        similarity[item if self._part.items is None else self._part.items == item] = 0
        return np.asarray(similarity, dtype=np.float32)

    def to_many(self, items: Int64) -> Aspects:
        """Return every aspect's likeness of all titles to the middle of several, at least one.

        Of genres that is the mean likeness to each; of the others, the likeness to the mean. There
        are no neighbours. Cost: as of `to`, and I operations for each different year.
        """
        sets = self._genre_sets[self._genre_set[items]]
        genres = self._genre_products(np.asarray(sets.mean(axis=0), dtype=np.float32).ravel())
        credits = self._people[items]
        persons, which = np.unique(credits.indices, return_inverse=True)
        weights = np.bincount(which, credits.data / len(items)).astype(np.float32)
        years, counts = np.unique(self._catalogue.years[items], return_counts=True)
        era = np.zeros(len(self._part), dtype=np.float32)
        for year, count in zip(years.tolist(), counts.tolist(), strict=True):
            era += np.float32(count / len(items)) * self._era_of(year)
        middle = self._vectors[items].mean(axis=0)
        likers = np.maximum(self._part.vectors @ middle, np.float32(0))
        return self._with_overall(
            {"genres": genres, "people": self._shared_people(persons, weights), "era": era,
             "period": genres * era, "likers": likers}
        )  # fmt: skip

    def of_genre(self, column: int) -> Aspects:
        """Return likeness to a genre: only `genres` and its part of `overall` are above 0."""
        has = self._genre_sets[:, [column]].toarray()[:, 0] > 0  # (S,)
        return self._with_overall({"genres": has.astype(np.float32).take(self._part.genre_set)})

    def of_person(self, column: int) -> Aspects:
        """Return likeness to a person: only `people` and its part of `overall` are above 0."""
        items = self._catalogue.items_with_person(column)
        ones = np.ones(len(items), dtype=np.float32)
        return self._with_overall({"people": self._part.summed(items, ones)})

    def kin(self, item: int) -> Integer:
        """Return (n,) the titles that share people with one, or that it speaks for; repeats are."""
        titles, _ = self._titles_of(*_sparse_row(self._people, item))
        if self._neighbours is None:
            return titles
        return np.concatenate([titles, self._neighbours.row(item)[0]])

    def _with_overall(self, aspects: dict[str, Float32]) -> Aspects:
        overall = np.zeros(len(self._part), dtype=np.float32)
        for name, weight in OVERALL.items():
            if name in aspects:
                overall += np.float32(weight / sum(OVERALL.values())) * aspects[name]
        return {**aspects, "overall": overall}

    def _genre_products(self, row: Float32) -> Float32:
        """Return (I,) the products of all titles' genres with (G,) of them, set by set."""
        return np.asarray(self._genre_sets @ row, dtype=np.float32).take(self._part.genre_set)

    def _shared_people(self, persons: Int32, weights: Float32) -> Float32:
        """Return (I,) likeness to (n,) people, by what each weighs: of titles with one of them."""
        titles, products = self._titles_of(persons, weights)
        alike = np.float32(PEOPLE_GAIN) * self._part.summed(titles, products)
        return np.asarray(np.minimum(alike, np.float32(1)))

    def _titles_of(self, persons: Int32, weights: Float32) -> tuple[Int32, Float32]:
        """Return (m,) the titles of each person in turn, and what it weighs there times theirs."""
        bounds = self._by_person.indptr
        counts = bounds[persons + 1] - bounds[persons]
        ends = np.cumsum(counts)
        at = np.arange(ends[-1] if len(ends) else 0)
        at += np.repeat(bounds[persons] - (ends - counts), counts)
        return self._by_person.indices[at], np.repeat(weights, counts) * self._by_person.data[at]

    def _era_of(self, year: int) -> Float32:
        if not year:
            return np.zeros(len(self._part), dtype=np.float32)
        each = np.arange(self._part.last_year + 1)
        alike = np.exp(np.abs(each - year) / np.float32(-ERA_YEARS), dtype=np.float32)
        alike[0] = 0  # not known
        return alike[self._part.years]

    def _neighbours_of(self, item: int) -> Float32:
        if self._neighbours is None:
            return np.zeros(len(self._part), dtype=np.float32)
        items, weights = self._neighbours.row(item)
        weights = np.maximum(weights, np.float32(0))
        return self._part.summed(items, weights / max(weights.max(initial=0), np.float32(1e-9)))


def sets_of(features: sparse.csr_array) -> tuple[Int64, Int32]:
    """Return (S,) a row of each different set of features, and (I,) the number of each row's set.

    Args:
        features: (I, F), 1 where a row has one.
    """
    has = np.zeros(features.shape, dtype=bool)
    has[np.repeat(np.arange(len(has)), np.diff(features.indptr)), features.indices] = True
    packed = np.packbits(has, axis=1)  # (I, F / 8)
    as_one = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    if not packed.shape[1]:
        return np.arange(min(len(has), 1)), np.zeros(len(has), dtype=np.int32)
    _, first, number = np.unique(as_one, return_index=True, return_inverse=True)
    return first, number.astype(np.int32)


def idf_of(features: sparse.csr_array, limit: float = np.inf) -> Float32:
    """Return (F,) log(I / titles that have a feature), at most `limit`, of (I, F) features."""
    having = np.bincount(features.indices, minlength=features.shape[1])
    return np.clip(np.log(features.shape[0] / np.maximum(having, 1)), 0, limit).astype(np.float32)


def _scaled(features: sparse.csr_array, idf: Float32) -> sparse.csr_array:
    return unit_sparse_rows(sparse.csr_array(features @ sparse.diags_array(idf)))


def weighted_by_idf(features: sparse.csr_array, limit: float = np.inf) -> sparse.csr_array:
    """Return (I, F) features times their idf."""
    return sparse.csr_array(features @ sparse.diags_array(idf_of(features, limit)))


def unit_sparse_rows(features: sparse.csr_array) -> sparse.csr_array:
    """Return (I, F) rows at length 1; empty rows stay empty."""
    lengths = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    scale = (1 / np.maximum(lengths, 1e-9)).astype(np.float32)
    return sparse.csr_array(sparse.diags_array(scale) @ features)


def _row(features: sparse.csr_array, number: int) -> Float32:
    """Return (F,) one row of (R, F) features."""
    row = np.zeros(features.shape[1], dtype=np.float32)
    columns, values = _sparse_row(features, number)
    row[columns] = values
    return row


def _sparse_row(features: sparse.csr_array, number: int) -> tuple[Int32, Float32]:
    """Return the columns of one row that are not 0, and what stands there."""
    own = slice(*features.indptr[number : number + 2].tolist())
    return features.indices[own], features.data[own]
