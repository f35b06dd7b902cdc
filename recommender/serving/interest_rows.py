"""Interest rows: from what a viewer liked to rows of genres, genre pairs and people.

They are chosen by how often they were met and by lift over everyone's taste. For anything x that
titles have,

    strength(x) = √m_x lift(x)        lift(x) = (m_x + 1) / (e_x + 1)        e_x = m a_x / Σ a

m_x the weight of what the viewer liked with x, m the sum of these, a_x everyone's likes of titles
with x; the 1 keeps what was met once from the top.

I items, G genres, P people.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.data.catalogue import Catalogue
from recommender.mapped import grown_matrix
from recommender.ranking.page import CandidateRow
from recommender.ranking.reasons import NO_REASON, Because, Reason
from recommender.serving.candidates import filtered, genre_rows, genres_by_size, ordered_row
from recommender.serving.request import Viewer
from recommender.vocabulary import UNKNOWN

PAIRED_GENRES = 6
"""How many of the viewer's first genres are looked at in pairs."""
GENRE_ROWS = 6
PAIR_ROWS = 3
PERSON_ROWS = 2
MIN_CREDIT = 0.5
"""What a credit weighs at least for a row about the person: writers alone make none."""
MIN_LIKED = 2
"""Fewer liked titles than this are no sign of liking what they have in common."""
_PAIR = 1_000_000


def pair_key(first: int, second: int) -> int:
    """Return the key of the row about two genres, by their outside ids."""
    return int(min(first, second)) * _PAIR + int(max(first, second))  # never a numpy number


def genres_of_pair(key: int) -> tuple[int, int]:
    """Return the outside ids that `pair_key` joined."""
    return divmod(key, _PAIR)


@dataclass(frozen=True)
class LikedItems:
    """What a viewer liked of a catalogue.

    Attributes:
        items: (L,) item numbers.
        weights: (L,) how much each says.
        by_genre: (G,) the weight of those with each genre.
    """

    items: Int64
    weights: Float32
    by_genre: Float32


class InterestRows:
    """Proposes rows by comparing a viewer's likes with everyone's, over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        likes = catalogue.liked_by + 1e-3
        self._of_genres = np.asarray(catalogue.genres.T @ likes).ravel()  # (G,)
        self._people = _telling(catalogue.people)
        self._of_people = np.asarray(self._people.T @ likes).ravel()  # (P,)
        weighted = sparse.diags_array(likes) @ catalogue.genres
        self._of_pairs = np.triu(np.asarray((catalogue.genres.T @ weighted).toarray()), k=1)

    def over(self, catalogue: Catalogue) -> "InterestRows":
        """Return the same over another state of the same titles, and over titles behind them.

        What everyone likes stays as it was.
        """
        rows = copy(self)
        rows._catalogue = catalogue
        before = len(self._catalogue)
        if len(catalogue) > before:
            rows._people = grown_matrix(self._people, _telling(catalogue.people[before:]))
        return rows

    def liked_items(self, viewer: Viewer) -> LikedItems:
        """Return what the viewer liked that the catalogue has."""
        ids = np.fromiter(viewer.liked, dtype=np.int64)
        weights = np.fromiter(viewer.liked.values(), dtype=np.float32)
        items = self._catalogue.items_of(ids)
        items, weights = items[items != UNKNOWN], weights[items != UNKNOWN]
        by_genre = np.asarray(self._catalogue.genres[items].T @ weights).ravel()
        return LikedItems(items, weights, by_genre)

    def genre_order(self, liked: LikedItems) -> Int64:
        """Return genre columns, the viewer's own first; the largest first without any liked."""
        if not len(liked.items):
            return genres_by_size(self._catalogue)
        strength = _strength(liked.by_genre, self._of_genres)
        return np.argsort(-strength, kind="stable")

    def genre_rows(
        self, liked: LikedItems, affinity: Float32, unseen: Bool
    ) -> Iterator[CandidateRow]:
        """Yield rows of the viewer's first genres, or of the largest without any liked.

        Args:
            liked: what the viewer liked.
            affinity: (I,) orders the titles.
            unseen: (I,) False at titles left out.
        """
        columns = self.genre_order(liked)[:GENRE_ROWS]
        lift = _lift(liked.by_genre, self._of_genres)
        has = self._catalogue.genres[liked.items].toarray()  # (L, G)
        rows = genre_rows(self._catalogue, columns, affinity)
        for genre, row in zip(columns.tolist(), rows, strict=True):
            reason = self._reason(lift[genre], liked.items[has[:, genre] > 0])
            yield replace(filtered(row, unseen), reason=reason)

    def pair_rows(
        self, liked: LikedItems, affinity: Float32, unseen: Bool, min_size: int
    ) -> Iterator[CandidateRow]:
        """Yield rows of titles that have two genres the viewer likes together.

        Args:
            liked: what the viewer liked.
            affinity: (I,) orders the titles.
            unseen: (I,) False at titles left out.
            min_size: rows with fewer titles are not offered.
        """
        if len(liked.items) < MIN_LIKED:
            return
        has = self._catalogue.genres[liked.items].toarray()  # (L, G)
        columns = np.sort(self.genre_order(liked)[:PAIRED_GENRES])
        first, second = np.triu_indices(len(columns), k=1)
        first, second = columns[first], columns[second]  # (X,) genre columns of the pairs
        both = has[:, first] * has[:, second]  # (L, X)
        mine = liked.weights @ both  # (X,)
        strength = _strength(mine, self._of_pairs[first, second])
        of_all_pairs = np.triu(has.T @ (liked.weights[:, None] * has), k=1)  # (G, G)
        lift = _lift(of_all_pairs, self._of_pairs)  # (G, G)
        offered = 0
        for n in np.argsort(-strength, kind="stable"):
            if offered == PAIR_ROWS or both[:, n].sum() < MIN_LIKED:
                return
            a, b = first[n], second[n]
            in_first = np.zeros(len(affinity), dtype=bool)
            in_first[self._catalogue.items_with_genre(a)] = True
            of_second = self._catalogue.items_with_genre(b)
            in_both = of_second[in_first[of_second]]
            key = pair_key(*self._catalogue.genre_ids[[a, b]].tolist())
            row = filtered(ordered_row("genre_pair", in_both, affinity, key), unseen)
            if len(row.items) >= min_size:
                offered += 1
                reason = self._reason(lift[a, b], liked.items[both[:, n] > 0])
                yield replace(row, reason=reason)

    def person_rows(
        self, liked: LikedItems, affinity: Float32, unseen: Bool, min_size: int
    ) -> Iterator[CandidateRow]:
        """Yield rows of titles by or with someone the viewer comes back to; arguments as above."""
        if len(liked.items) < MIN_LIKED or not len(self._catalogue.person_ids):
            return
        credits = self._people[liked.items]  # (L, P)
        people, times = np.unique(credits.indices, return_counts=True)
        people = people[times >= MIN_LIKED]
        if not len(people):
            return
        mine = np.asarray(credits.T @ liked.weights).ravel()  # (P,)
        strength = _strength(mine[people], self._of_people[people])
        lift = _lift(mine, self._of_people)
        offered = 0
        for person in people[np.argsort(-strength, kind="stable")].tolist():
            if offered == PERSON_ROWS:
                return
            titles = self._catalogue.items_with_person(person)
            key = int(self._catalogue.person_ids[person])
            row = filtered(ordered_row("person", titles, affinity, key), unseen)
            if len(row.items) >= min_size:
                offered += 1
                with_person = liked.items[credits[:, [person]].toarray()[:, 0] > 0]
                yield replace(row, reason=self._reason(lift[person], with_person))

    def _reason(self, lift: float, liked: Int64) -> Reason:
        """Return the reason of a row: none without two liked titles and a lift above 1."""
        if len(liked) < MIN_LIKED or lift <= 1:
            return NO_REASON
        titles = tuple(self._catalogue.titles.ids_of(liked).tolist())
        return Reason(Because.LIFT, titles, lift=float(lift))


def _telling(people: sparse.csr_array) -> sparse.csr_array:
    """Return (I, P) the credits of `MIN_CREDIT` and more."""
    telling = people.copy()
    telling.data[telling.data < MIN_CREDIT] = 0
    telling.eliminate_zeros()
    return telling


def _expected(mine: Float32, of_all: Float32) -> Float32:
    """Return e_x: the viewer's weight spread as everyone's is.

    Args:
        mine: (X,) or any shape, m_x.
        of_all: the same shape, a_x.
    """
    return np.asarray(of_all / max(float(of_all.sum()), 1e-9) * mine.sum())


def _lift(mine: Float32, of_all: Float32) -> Float64:
    """Return lift(x), 1 where the viewer is like everyone; shapes as above."""
    return np.asarray((mine + 1) / (_expected(mine, of_all) + 1), dtype=np.float64)


def _strength(mine: Float32, of_all: Float32) -> Float64:
    """Return (X,) strength(x) among the x that compete for a row."""
    return np.asarray(np.sqrt(mine) * (mine + 1) / (_expected(mine, of_all) + 1))
