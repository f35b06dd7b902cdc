"""Rows about what a viewer goes for: genres, pairs of genres, people.

What is chosen is what the viewer likes more often than others do. For anything x that titles have,

    lift(x) = √m_x (m_x + 1) / (e_x + 1)        e_x = m Σ_liked by others with x / Σ_liked by others

m_x the weight of what the viewer liked with x, m of all that has anything; one liked title's worth
of doubt keeps what was met once from the top.

I items, G genres, P people.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.data.catalogue import Catalogue
from recommender.ranking.page import CandidateRow
from recommender.serving.candidates import filtered, genres_by_size, ordered_row
from recommender.serving.request import Viewer

PAIRED_GENRES = 6
"""How many of the viewer's first genres are looked at in pairs."""
PAIR_ROWS = 3
PERSON_ROWS = 2
MIN_CREDIT = 0.5
"""What a credit weighs at least for a row about the person: writers alone make none."""
MIN_LIKED = 2
"""Less than so many liked titles with a pair or a person are no sign of liking it."""
_PAIR = 1_000_000


def pair_key(first: int, second: int) -> int:
    """Return the key of the row about two genres, by their outside ids."""
    return int(min(first, second)) * _PAIR + int(max(first, second))  # never a numpy number


def genres_of_pair(key: int) -> tuple[int, int]:
    """Return the outside ids that `pair_key` joined."""
    return divmod(key, _PAIR)


class InterestRows:
    """What everyone likes of a catalogue, to hold a viewer's against."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        liked = catalogue.liked_by + 1e-3
        self._of_genres = np.asarray(catalogue.genres.T @ liked).ravel()  # (G,)
        self._people = catalogue.people.copy()
        self._people.data[self._people.data < MIN_CREDIT] = 0
        self._people.eliminate_zeros()
        self._of_people = np.asarray(self._people.T @ liked).ravel()  # (P,)
        weighed = sparse.diags_array(liked) @ catalogue.genres
        self._of_pairs = np.asarray((catalogue.genres.T @ weighed).toarray())  # (G, G)

    def genre_order(self, viewer: Viewer) -> Int64:
        """Genre columns, the viewer's own first; the largest first where nothing was liked."""
        items, weights = self._liked(viewer)
        if not len(items):
            return genres_by_size(self._catalogue)
        mine = np.asarray(self._catalogue.genres[items].T @ weights).ravel()  # (G,)
        return np.argsort(-_lift(mine, self._of_genres), kind="stable")

    def pair_rows(
        self, viewer: Viewer, affinity: Float32, news: Bool, least: int
    ) -> Iterator[CandidateRow]:
        """Rows of titles that have two genres the viewer likes together.

        Args:
            viewer: whose.
            affinity: (I,) orders the titles.
            news: (I,) False at titles left out.
            least: rows with fewer titles are not offered.
        """
        items, weights = self._liked(viewer)
        if len(items) < MIN_LIKED:
            return
        columns = np.sort(self.genre_order(viewer)[:PAIRED_GENRES])
        has = self._catalogue.genres[items].toarray()[:, columns]  # (L, PAIRED_GENRES)
        first, second = np.triu_indices(len(columns), k=1)
        both = has[:, first] * has[:, second]
        mine = weights @ both
        lift = _lift(mine, self._of_pairs[columns[first], columns[second]])
        found = 0
        for n in np.argsort(-lift, kind="stable"):
            if found == PAIR_ROWS or both[:, n].sum() < MIN_LIKED:
                return
            a, b = columns[first[n]], columns[second[n]]
            in_first = np.zeros(len(affinity), dtype=bool)
            in_first[self._catalogue.items_with_genre(a)] = True
            of_second = self._catalogue.items_with_genre(b)
            in_both = of_second[in_first[of_second]]
            key = pair_key(*self._catalogue.genre_ids[[a, b]].tolist())
            row = filtered(ordered_row("genre_pair", in_both, affinity, key), news)
            if len(row.items) >= least:
                found += 1
                yield row

    def person_rows(
        self, viewer: Viewer, affinity: Float32, news: Bool, least: int
    ) -> Iterator[CandidateRow]:
        """Rows of titles by or with someone the viewer comes back to; arguments as above."""
        items, weights = self._liked(viewer)
        if len(items) < MIN_LIKED or not len(self._catalogue.person_ids):
            return
        credits = self._people[items]
        people, times = np.unique(credits.indices, return_counts=True)
        people = people[times >= MIN_LIKED]
        mine = np.asarray(credits.T @ weights).ravel()[people]
        lift = _lift(mine, self._of_people[people])
        found = 0
        for person in people[np.argsort(-lift, kind="stable")].tolist():
            if found == PERSON_ROWS:
                return
            titles = self._catalogue.items_with_person(person)
            key = int(self._catalogue.person_ids[person])
            row = filtered(ordered_row("person", titles, affinity, key), news)
            if len(row.items) >= least:
                found += 1
                yield row

    def _liked(self, viewer: Viewer) -> tuple[Int64, Float32]:
        """Return the items liked and how much each says."""
        ids = np.fromiter(viewer.liked, dtype=np.int64)
        weights = np.fromiter(viewer.liked.values(), dtype=np.float32)
        items = self._catalogue.titles.items_of(ids)
        return items[items >= 0], weights[items >= 0]


def _lift(mine: Float32, of_all: Float32) -> Float64:
    expected = of_all / max(float(of_all.sum()), 1e-9) * mine.sum()
    return np.asarray(np.sqrt(mine) * (mine + 1) / (expected + 1))
