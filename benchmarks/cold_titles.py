"""Titles that nobody liked yet are placed by their content, and those that are known lose nothing.

cold  a tenth of the liked titles of the demo out of all training; those who liked them ask, among
      all titles that they have not rated, and among those that nobody is known to like
warm  a fifth of everyone's other likes hidden; iALS alone against every title having a vector
kin   how many different rows of similar titles a hundred titles without likes have
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse

from benchmarks.harness import Options, Row, say, with_threads
from recommender.arrays import AnyArray, Bool, Float32, Float64
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.evaluation.significance import bootstrap_mean, compare
from recommender.models.content_vectors import ContentVectors
from recommender.models.ials import Ials
from recommender.models.likeness import (
    GENRE_IDF_LIMIT,
    Likeness,
    unit_sparse_rows,
    weighted_by_idf,
)
from recommender.training.config import ReleaseConfig
from recommender.vocabulary import Vocabulary
from webapp.demo.films import Film, match_films, read_films, read_histories

SEED = 7
COLD_SHARE, HIDDEN_SHARE = 0.1, 0.2
LIKED_FROM_STARS = 4.0
MIN_HISTORY = 5
TOP = 20
ROWS = 100
Scorer = Callable[[int], AnyArray]
"""A person's row in, (I,) scores out."""
ROLES = (("directors", 1.0), ("cast", 0.5), ("writers", 0.25))


@dataclass(frozen=True)
class Demo:
    """The demo's likes over its catalogue, and what is held out of them.

    Attributes:
        catalogue: I titles; `liked_by` counts what is left for training.
        histories: (U, I) 1 where someone liked a title, for training.
        hidden: (U, I) the warm likes that were hidden.
        cold: (U, I) the likes of cold titles.
        seen: (U, I) all that was rated, but for cold titles.
    """

    catalogue: Catalogue
    histories: sparse.csr_array
    hidden: sparse.csr_array
    cold: sparse.csr_array
    seen: sparse.csr_array


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        seed=SEED, cold_share=COLD_SHARE, hidden_share=HIDDEN_SHARE,
        intervals="95 % bootstrap over people; changes are in per cent of the other's mean",
    )  # fmt: skip
    with with_threads(2):
        demo = read_demo()
        likers = Interactions.from_matrix(demo.histories)
        say("training iALS without the cold titles")
        ials = Ials(ReleaseConfig().ials).fit(likers)
        support = demo.catalogue.liked_by
        own = np.where((support > 0)[:, None], ials.item_factors, np.float32(0))
        rated = np.flatnonzero(support > 0)
        content = ContentVectors()
        content.fit(
            demo.catalogue, Vocabulary(demo.catalogue.titles.ids[rated]), own[rated], support[rated]
        )
        placed = content.vectors(demo.catalogue, own, support)
        people = ials.fold_in(demo.histories)
        if options.wants("cold"):
            yield from cold(demo, people, placed)
        if options.wants("warm"):
            yield from warm(demo, people, own, placed)
        if options.wants("kin"):
            yield kin(demo, placed)


def cold(demo: Demo, people: Float32, placed: Float32) -> Iterator[Row]:
    """Rank all titles; the cold ones that someone liked are to be found."""
    features = unit_sparse_rows(
        sparse.csr_array(
            sparse.hstack(
                [
                    unit_sparse_rows(weighted_by_idf(demo.catalogue.genres, GENRE_IDF_LIMIT)),
                    unit_sparse_rows(weighted_by_idf(demo.catalogue.people)),
                ]
            )
        )
    )
    by_genre = np.asarray(demo.catalogue.genres.T @ demo.catalogue.liked_by).ravel()
    titles_of_genre = np.maximum(np.asarray(demo.catalogue.genres.sum(axis=0)).ravel(), 1)

    def ours(row: int) -> AnyArray:
        return np.asarray(placed @ people[row])

    def neighbours(row: int) -> AnyArray:
        return np.asarray(features @ (features.T @ demo.histories[[row]].toarray()[0]))

    def popular(row: int) -> AnyArray:
        liked = np.asarray(demo.catalogue.genres.T @ demo.histories[[row]].toarray()[0])
        return np.asarray(demo.catalogue.genres @ (liked * by_genre / titles_of_genre))

    num_genres = np.maximum(np.asarray(demo.catalogue.genres.sum(axis=1)).ravel(), 1)

    def popular_on_average(row: int) -> AnyArray:
        return popular(row) / num_genres

    systems = {
        "marquee": ours,
        "content kNN": neighbours,
        "popularity of the genre": popular_on_average,
        "popularity of all genres": popular,
    }
    everything = np.ones(len(demo.catalogue), dtype=bool)
    candidates = {"cold": everything, "cold, among unrated": demo.catalogue.liked_by == 0}
    for protocol, ranked in candidates.items():
        found = {
            name: _judged(score, demo.cold, demo.seen, demo.histories, ranked)
            for name, score in systems.items()
        }
        yield from _rows(protocol, found)


def warm(demo: Demo, people: Float32, own: Float32, placed: Float32) -> Iterator[Row]:
    """Rank all titles; the warm ones that were hidden are to be found."""
    everything = np.ones(len(demo.catalogue), dtype=bool)
    candidates = {"warm": everything, "warm, among rated": demo.catalogue.liked_by > 0}
    for protocol, ranked in candidates.items():
        found = {
            name: _judged(
                partial(_affinity, people, vectors),
                demo.hidden,
                demo.histories,
                demo.histories,
                ranked,
            )
            for name, vectors in {"marquee": placed, "iALS": own}.items()
        }
        yield from _rows(protocol, found)


def _affinity(people: Float32, vectors: Float32, row: int) -> AnyArray:
    return np.asarray(vectors @ people[row])


def kin(demo: Demo, placed: Float32) -> Row:
    """Count the different rows of the nearest titles."""
    likeness = Likeness(demo.catalogue, placed)
    nobodys = np.flatnonzero(demo.catalogue.liked_by == 0)
    chosen = np.random.default_rng(SEED).choice(nobodys, ROWS, replace=False)
    rows = {
        tuple(np.argsort(-likeness.similarity(int(item)), kind="stable")[:TOP]) for item in chosen
    }
    return Row("kin", "marquee", f"different rows of {ROWS}", float(len(rows)))


def _judged(
    score: Scorer,
    wanted: sparse.csr_array,
    seen: sparse.csr_array,
    histories: sparse.csr_array,
    ranked: Bool,
) -> dict[str, Float64]:
    """Return recall and NDCG of everyone who wants something and has a history.

    Args:
        score: of a person.
        wanted: (U, I) what is to be found.
        seen: (U, I) what is not ranked, because it was rated.
        histories: (U, I) what was learned from.
        ranked: (I,) the candidates.
    """
    recalls, gains = [], []
    for row in range(wanted.shape[0]):
        targets = wanted.indices[wanted.indptr[row] : wanted.indptr[row + 1]]
        if not len(targets) or histories.indptr[row + 1] - histories.indptr[row] < MIN_HISTORY:
            continue
        scores = np.where(ranked, score(row), -np.inf)
        scores[seen.indices[seen.indptr[row] : seen.indptr[row + 1]]] = -np.inf
        top = np.argpartition(-scores, TOP)[:TOP]
        top = top[np.argsort(-scores[top], kind="stable")]
        is_hit, most = np.isin(top, targets), min(TOP, len(targets))
        discount = 1 / np.log2(np.arange(2, TOP + 2))
        recalls.append(is_hit.sum() / most)
        gains.append(is_hit @ discount / discount[:most].sum())
    return {"recall@20": np.array(recalls), "ndcg@20": np.array(gains)}


def _rows(protocol: str, found: dict[str, dict[str, Float64]]) -> Iterator[Row]:
    rng = np.random.default_rng(SEED)
    [first, *others] = found
    for name, values in found.items():
        for metric, of_people in values.items():
            estimate = bootstrap_mean(of_people, rng)
            yield Row(protocol, name, metric, estimate.value, estimate.low, estimate.high)
    for name in others:
        for metric, theirs in found[name].items():
            difference = compare(found[first][metric], theirs, rng).difference
            scale = 100 / max(float(theirs.mean()), 1e-12)
            bounds = (difference.value * scale, difference.low * scale, difference.high * scale)
            yield Row(protocol, f"{first} against {name}", f"{metric} change %", *bounds)


def read_demo() -> Demo:
    """Read films and ratings, and hold likes out."""
    films = sorted(read_films(), key=lambda film: film.id)
    histories = read_histories()
    matches = match_films(films, histories.films)
    titles = Vocabulary([film.id for film in films])
    liked = np.array(
        [
            (rating.profile_id, matches[rating.rated_film_id])
            for rating in histories.ratings
            if rating.stars >= LIKED_FROM_STARS and rating.rated_film_id in matches
        ]
    )
    profiles = Vocabulary(liked[:, 0])
    rows, items = profiles.items_of(liked[:, 0]), titles.items_of(liked[:, 1])
    rng = np.random.default_rng(SEED)
    rated = np.unique(items)
    is_cold = np.zeros(len(titles), dtype=bool)
    is_cold[rng.choice(rated, round(COLD_SHARE * len(rated)), replace=False)] = True
    of_cold = is_cold[items]
    is_hidden = ~of_cold & (rng.random(len(items)) < HIDDEN_SHARE)

    def matrix(kept: Bool) -> sparse.csr_array:
        ones = np.ones(int(kept.sum()), dtype=np.float32)
        shape = (len(profiles), len(titles))
        return sparse.csr_array((ones, (rows[kept], items[kept])), shape=shape)

    train = matrix(~of_cold & ~is_hidden)
    support = np.asarray(train.sum(axis=0)).ravel().astype(np.float32)
    catalogue = _catalogue(films, titles, support)
    rated_by = np.array(
        [
            (rating.profile_id, matches[rating.rated_film_id])
            for rating in histories.ratings
            if rating.rated_film_id in matches and rating.profile_id in profiles
        ]
    )
    raters, films_rated = profiles.items_of(rated_by[:, 0]), titles.items_of(rated_by[:, 1])
    is_warm = ~is_cold[films_rated]
    ones = np.ones(int(is_warm.sum()), dtype=np.float32)
    seen = sparse.csr_array((ones, (raters[is_warm], films_rated[is_warm])), shape=train.shape)
    return Demo(catalogue, train, matrix(is_hidden), matrix(of_cold), seen)


def _catalogue(films: list[Film], titles: Vocabulary, support: Float32) -> Catalogue:
    genres, genre_names = _features([_named(film.genres, 1.0) for film in films])
    people, names = _features(
        [
            [pair for role, weight in ROLES[::-1] for pair in _named(getattr(film, role), weight)]
            for film in films
        ]
    )
    facts, fact_names = _features(
        [
            [
                (f"{kind}:{value}", weight)
                for kind in ("country", "language")
                for value, weight in _named(getattr(film, kind), 1.0)
            ]
            for film in films
        ]
    )
    return Catalogue(
        titles,
        genres,
        np.arange(len(genre_names)),
        np.zeros(len(films)),
        support,
        np.array([film.year or 0 for film in films]),
        np.zeros(len(films), dtype=np.int64),
        people,
        np.arange(len(names)),
        np.ones(len(films), dtype=bool),
        facts,
        fact_names,
    )


def _named(text: str, weight: float) -> list[tuple[str, float]]:
    return [(name.strip(), weight) for name in text.split(",") if name.strip()]


def _features(
    of_titles: list[list[tuple[str, float]]],
) -> tuple[sparse.csr_array, tuple[str, ...]]:
    """Return (I, F) the weight of each name, the last one given counts, and the names."""
    names = tuple(sorted({name for pairs in of_titles for name, _ in pairs}))
    column = {name: n for n, name in enumerate(names)}
    cells = {
        (row, column[name]): weight for row, pairs in enumerate(of_titles) for name, weight in pairs
    }
    rows, columns = np.array(list(cells), dtype=np.int64).T
    values = np.array(list(cells.values()), dtype=np.float32)
    return sparse.csr_array((values, (rows, columns)), shape=(len(of_titles), len(names))), names
