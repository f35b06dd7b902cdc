"""Titles that nobody liked yet are placed by their content, and those that are known lose nothing.

cold    a tenth of the liked titles of the demo out of all training; those who liked them ask, among
        all titles that they have not rated, and among those that nobody is known to like
warm    a fifth of everyone's other likes hidden; iALS alone against every title having a vector
kin     how many different rows of similar titles a hundred titles without likes have
choose  (only where asked for) the same on other titles and other people, from which settings come

A third of the people and other tenths of the titles are for choosing, the rest is for the figures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import sparse

from benchmarks.harness import Options, Row, say, with_threads
from benchmarks.hybrid_peer import HybridConfig, train_hybrid
from recommender.arrays import AnyArray, Bool, Float32, Float64, Int64
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.evaluation.significance import bootstrap_mean, compare
from recommender.models.content_vectors import ContentVectors, ContentVectorsConfig
from recommender.models.ials import Ials
from recommender.models.likeness import (
    GENRE_IDF_LIMIT,
    Likeness,
    unit_sparse_rows,
    weighted_by_idf,
)
from recommender.training.config import ReleaseConfig
from recommender.vocabulary import Vocabulary
from webapp.demo.films import Film, match_films, read_films, read_histories, read_votes

SEED, CHOOSING_SEEDS = 7, (1000, 1001, 1002, 1003, 1004, 1005)
COLD_SHARE, HIDDEN_SHARE, CHOOSING_SHARE = 0.1, 0.2, 1 / 3
LIKED_FROM_STARS = 4.0
MIN_HISTORY = 5
TOP = 20
ROWS = 100
WITHOUT_VOTES = ContentVectorsConfig(
    regularization=1.0, shrinkage=10.0, damping=0.75, unliked_weight=0.0
)
"""What content vectors were before they knew votes, as it was chosen then."""
CHOICES = (
    WITHOUT_VOTES,
    *(
        ContentVectorsConfig(
            regularization=penalty, unliked_weight=unliked, shrinkage=shrinkage, damping=1.0
        )
        for penalty in (3.0, 10.0, 30.0)
        for unliked in (0.3, 0.5, 0.8)
        for shrinkage in (40.0, 80.0, 160.0)
        if penalty == 10 or shrinkage == 80
    ),
    ContentVectorsConfig(regularization=10.0, unliked_weight=0.0, shrinkage=80.0, damping=0.7),
)
HYBRIDS = (
    HybridConfig(epochs=10, identity=0.0),
    HybridConfig(),
    HybridConfig(epochs=15),
    HybridConfig(embedding_size=32),
    HybridConfig(identity=0.3),
    HybridConfig(identity=0.0),
    HybridConfig(identity=0.0, learning_rate=0.02),
)
"""The first is the best of them on the split for choosing."""
HYBRID = HYBRIDS[0]
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
        asked: (U,) the people who ask.
        candidates: (I,) the titles that are ranked.
    """

    catalogue: Catalogue
    histories: sparse.csr_array
    hidden: sparse.csr_array
    cold: sparse.csr_array
    seen: sparse.csr_array
    asked: Bool
    candidates: Bool


@dataclass(frozen=True)
class Learned:
    """iALS of a `Demo`: (I, D) its vectors, zeros where a title has none; (U, D) the people."""

    own: Float32
    people: Float32


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        seed=SEED, cold_share=COLD_SHARE, hidden_share=HIDDEN_SHARE, choosing_share=CHOOSING_SHARE,
        intervals="95 % bootstrap over people; changes are in per cent of the other's mean",
    )  # fmt: skip
    with with_threads(2):
        films = _Ratings.read()
        if options.only == "choose":
            yield from choose(films)
            return
        demo = films.held_out()
        learned = _learn(demo)
        placed = _placed(demo, learned, ContentVectorsConfig())
        others = {
            "votes unknown": _placed(demo, learned, ContentVectorsConfig(), has_votes=False),
            "votes unknown, as before": _placed(demo, learned, WITHOUT_VOTES),
        }
        if options.wants("cold"):
            yield from cold(demo, learned, {"marquee": placed, **others})
        if options.wants("warm"):
            yield from warm(demo, learned, {"marquee": placed, "iALS": learned.own, **others})
        if options.wants("kin"):
            yield kin(demo, placed)


def choose(films: "_Ratings") -> Iterator[Row]:
    """Yield what each setting comes to on titles and people that the figures are not about."""
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in CHOOSING_SEEDS:
        demo = films.held_out(choosing=seed)
        learned = _learn(demo)
        alone = _ndcg(demo, learned.people, learned.own, demo.hidden, demo.histories)
        for config in CHOICES:
            placed = _placed(demo, learned, config)
            of_cold = _ndcg(demo, learned.people, placed, demo.cold, demo.seen)
            of_warm = _ndcg(demo, learned.people, placed, demo.hidden, demo.histories)
            found.setdefault(_named_setting(config), []).append((of_cold, of_warm / alone - 1))
        if seed == CHOOSING_SEEDS[0]:
            for hybrid in HYBRIDS:
                of_cold = _ndcg(demo, *_hybrid(demo, hybrid), demo.cold, demo.seen)
                found[f"hybrid {hybrid}"] = [(of_cold, np.nan)]
    for name, values in found.items():
        of_cold, of_warm = np.mean(values, axis=0)
        yield Row("choose", name, "cold ndcg@20", float(of_cold))
        yield Row("choose", name, "warm ndcg@20 change %", 100 * float(of_warm))


def _named_setting(config: ContentVectorsConfig) -> str:
    return (
        f"λ {config.regularization:g}, κ {config.shrinkage:g}, δ {config.damping:g}, "
        f"unliked {config.unliked_weight:g}{'' if config != WITHOUT_VOTES else ', no votes'}"
    )


def _ndcg(
    demo: Demo,
    people: Float32,
    vectors: Float32,
    wanted: sparse.csr_array,
    seen: sparse.csr_array,
) -> float:
    score = partial(_affinity, people, vectors)
    return float(_evaluated(score, demo, wanted, seen, demo.candidates)["ndcg@20"].mean())


def _learn(demo: Demo) -> Learned:
    say("training iALS without the cold titles")
    ials = Ials(ReleaseConfig().ials).fit(Interactions.from_matrix(demo.histories))
    is_liked = (demo.catalogue.liked_by > 0)[:, None]
    own = np.where(is_liked, ials.item_factors, np.float32(0))
    return Learned(own, ials.fold_in(demo.histories))


def _placed(
    demo: Demo, learned: Learned, config: ContentVectorsConfig, *, has_votes: bool = True
) -> Float32:
    """Return (I, D) every title's vector; `WITHOUT_VOTES` knows no votes and reviews."""
    catalogue, support = demo.catalogue, demo.catalogue.liked_by
    if config == WITHOUT_VOTES or not has_votes:
        unknown = np.full(len(catalogue), np.nan, dtype=np.float32)
        catalogue = replace(catalogue, votes=unknown, reviews=unknown)
    # titles that are for other figures are not among those that nobody liked
    catalogue = replace(catalogue, is_available=demo.candidates)
    rated = np.flatnonzero(support > 0)
    content = ContentVectors(config)
    content.fit(
        catalogue, Vocabulary(catalogue.titles.ids[rated]), learned.own[rated], support[rated]
    )
    return content.vectors(catalogue, learned.own, support)


def _hybrid(demo: Demo, config: HybridConfig) -> tuple[Float32, Float32]:
    """Return LightFM's vectors of people and of titles, from the features of content vectors."""
    model = ContentVectors()
    model.name_features(demo.catalogue)
    hybrid = train_hybrid(demo.histories, model.features(demo.catalogue), config)
    return hybrid.people, hybrid.items


def cold(demo: Demo, learned: Learned, placed: dict[str, Float32]) -> Iterator[Row]:
    """Rank all titles by (I, D) vectors and by peers; liked cold ones are to be found."""
    say("training LightFM's idea")
    systems: dict[str, Scorer] = {
        **{name: partial(_affinity, learned.people, vectors) for name, vectors in placed.items()},
        **_baselines(demo),
        "LightFM's idea": partial(_affinity, *_hybrid(demo, HYBRID)),
    }
    candidates = {"cold": demo.candidates, "cold, among unrated": demo.catalogue.liked_by == 0}
    for protocol, ranked in candidates.items():
        found = {
            name: _evaluated(score, demo, demo.cold, demo.seen, ranked)
            for name, score in systems.items()
        }
        yield from _rows(protocol, found)


def _baselines(demo: Demo) -> dict[str, Scorer]:
    """Content kNN and popularity, without votes from elsewhere and with them."""
    catalogue, genres = demo.catalogue, demo.catalogue.genres
    features = unit_sparse_rows(
        sparse.csr_array(
            sparse.hstack(
                [
                    unit_sparse_rows(weighted_by_idf(genres, GENRE_IDF_LIMIT)),
                    unit_sparse_rows(weighted_by_idf(catalogue.people)),
                ]
            )
        )
    )
    by_genre = np.asarray(genres.T @ catalogue.liked_by).ravel()
    by_genre /= np.maximum(np.asarray(genres.sum(axis=0)).ravel(), 1)
    num_genres = np.maximum(np.asarray(genres.sum(axis=1)).ravel(), 1)
    votes = np.log1p(np.nan_to_num(catalogue.votes))

    def neighbours(row: int) -> AnyArray:
        return np.asarray(features @ (features.T @ demo.histories[[row]].toarray()[0]))

    def popular(row: int) -> AnyArray:
        liked = np.asarray(genres.T @ demo.histories[[row]].toarray()[0])
        return np.asarray(genres @ (liked * by_genre))

    return {
        "content kNN": neighbours,
        "popularity of the genre": lambda row: popular(row) / num_genres,
        "popularity of all genres": popular,
        "votes": lambda row: votes,
        "content kNN times log votes": lambda row: neighbours(row) * votes,
        "popularity of all genres times log votes": lambda row: popular(row) * votes,
    }


def warm(demo: Demo, learned: Learned, placed: dict[str, Float32]) -> Iterator[Row]:
    """Rank all titles by (I, D) vectors; the warm ones that were hidden are to be found."""
    candidates = {"warm": demo.candidates, "warm, among rated": demo.catalogue.liked_by > 0}
    for protocol, ranked in candidates.items():
        found = {
            name: _evaluated(
                partial(_affinity, learned.people, vectors),
                demo,
                demo.hidden,
                demo.histories,
                ranked,
            )
            for name, vectors in placed.items()
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


def _evaluated(
    score: Scorer,
    demo: Demo,
    wanted: sparse.csr_array,
    seen: sparse.csr_array,
    ranked: Bool,
) -> dict[str, Float64]:
    """Return recall and NDCG of everyone who asks, wants something and has a history.

    Args:
        score: of a person.
        demo: who asks, and what was learned from.
        wanted: (U, I) what is to be found.
        seen: (U, I) what is not ranked, because it was rated.
        ranked: (I,) the candidates.
    """
    recalls, gains = [], []
    histories = demo.histories
    for row in np.flatnonzero(demo.asked).tolist():
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


@dataclass(frozen=True)
class _Ratings:
    """The demo's films and ratings as numbers, N likes and M ratings of them."""

    films: list[Film]
    titles: Vocabulary
    votes: Float32  # (I,)
    num_people: int
    likers: Int64  # (N,)
    liked: Int64  # (N,)
    raters: Int64  # (M,)
    rated: Int64  # (M,)

    @classmethod
    def read(cls) -> "_Ratings":
        films = sorted(read_films(), key=lambda film: film.id)
        histories = read_histories()
        matches = match_films(films, histories.films)
        titles = Vocabulary([film.id for film in films])
        ratings = np.array(
            [
                (rating.profile_id, matches[rating.rated_film_id], rating.stars)
                for rating in histories.ratings
                if rating.rated_film_id in matches
            ]
        )
        likes = ratings[ratings[:, 2] >= LIKED_FROM_STARS]
        people = Vocabulary(likes[:, 0].astype(np.int64))
        ratings = ratings[np.isin(ratings[:, 0], people.ids)].astype(np.int64)
        votes = read_votes(films)
        return cls(
            films,
            titles,
            np.array([votes.get(film.id, np.nan) for film in films], dtype=np.float32),
            len(people),
            people.items_of(likes[:, 0].astype(np.int64)),
            titles.items_of(likes[:, 1].astype(np.int64)),
            people.items_of(ratings[:, 0]),
            titles.items_of(ratings[:, 1]),
        )

    def held_out(self, choosing: int | None = None) -> Demo:
        """Hold likes out.

        Args:
            choosing: seed of the cold titles of a split that settings are chosen on, which has
                neither the people nor the titles of the figures; None for the figures' own.
        """
        rng = np.random.default_rng(SEED)
        liked_titles = np.unique(self.liked)
        is_cold = self._drawn(liked_titles, rng)
        is_hidden = ~is_cold[self.liked] & (rng.random(len(self.liked)) < HIDDEN_SHARE)
        people = np.random.default_rng(SEED + 10).permutation(self.num_people)
        asked = np.ones(self.num_people, dtype=bool)
        asked[people[: round(CHOOSING_SHARE * self.num_people)]] = False
        candidates = np.ones(len(self.titles), dtype=bool)
        is_gone = is_cold[self.liked] | is_hidden
        if choosing is not None:
            rng = np.random.default_rng(choosing)
            candidates, asked = ~is_cold, ~asked
            left_out = is_cold[self.liked] | (is_hidden & ~asked[self.likers])
            is_cold = self._drawn(np.setdiff1d(liked_titles, np.flatnonzero(is_cold)), rng)
            is_hidden = asked[self.likers] & (rng.random(len(self.liked)) < HIDDEN_SHARE)
            is_hidden &= ~is_cold[self.liked] & ~left_out
            is_gone = left_out | is_cold[self.liked] | is_hidden
        train = self._matrix(~is_gone)
        support = np.asarray(train.sum(axis=0)).ravel().astype(np.float32)
        is_warm = ~is_cold[self.rated]
        ones = np.ones(int(is_warm.sum()), dtype=np.float32)
        seen = sparse.csr_array(
            (ones, (self.raters[is_warm], self.rated[is_warm])), shape=train.shape
        )
        catalogue = _catalogue(self.films, self.titles, support, self.votes)
        cold = self._matrix(is_cold[self.liked])
        return Demo(catalogue, train, self._matrix(is_hidden), cold, seen, asked, candidates)

    def _drawn(self, titles: Int64, rng: np.random.Generator) -> Bool:
        """Return (I,) True at the cold titles, drawn from these."""
        count = round(COLD_SHARE * len(np.unique(self.liked)))
        return np.isin(np.arange(len(self.titles)), rng.choice(titles, count, replace=False))

    def _matrix(self, kept: Bool) -> sparse.csr_array:
        """Return (U, I) these likes."""
        ones = np.ones(int(kept.sum()), dtype=np.float32)
        shape = (self.num_people, len(self.titles))
        return sparse.csr_array((ones, (self.likers[kept], self.liked[kept])), shape=shape)


def _catalogue(
    films: list[Film], titles: Vocabulary, support: Float32, votes: Float32
) -> Catalogue:
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
        votes,
        np.array([film.reviews or np.nan for film in films], dtype=np.float32),
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
