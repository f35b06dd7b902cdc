"""A catalogue's first training finds settings as good as a full search, whatever its shape.

gowalla     places, 8,000 of 29,858 people and 20,000 of 40,981 places: many titles, short histories
diginetica  a shop, 20,000 of 186,670 visits, each a profile: more titles than likes of one
frappe      apps, all 957 people: a small catalogue with a few favourites; the mean of three splits

Popularity, the setting we ship, what `manage.py train` finds by itself, and a full search, by
NDCG@20 on the profiles that evaluate a release, which no search has seen. Seconds are the
processor's. A data set that is not there is left out.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.harness import Options, Row, say, with_threads
from benchmarks.public_datasets import read_folder
from recommender.arrays import Bool, Float64, Int64
from recommender.data.interactions import Interactions
from recommender.data.splits import stable_holdout
from recommender.evaluation.protocols import strong_generalisation
from recommender.evaluation.significance import bootstrap_mean
from recommender.models.ials import Ials, IalsConfig
from recommender.models.popularity import Popularity
from recommender.training.config import ReleaseConfig
from recommender.training.first_search import (
    FirstSearchConfig,
    first_search,
    folds_of,
    is_large_enough,
)
from recommender.training.trials import Fold, Limits, Trial, Trials

FIRST, FULL = "first training", "full search"
BLOCK_SIZE = 64
NEW_EXPONENT = 0.3
"""The share of a full search's neighbours whose ν is drawn anew."""
THREADS = 1
LIKED_FROM_STARS = 4.0
SAMPLE_SEED = 0
RESAMPLES = 2000


@dataclass(frozen=True)
class Catalogue:
    """A data set as a catalogue: how it is read, how many of its people, how many splits."""

    read: Callable[[Path], tuple[Int64, Int64]]
    """Returns profile and item ids, (N,) each."""
    people: int | None = None
    """None for all."""
    titles: int | None = None
    splits: int = 1
    max_embedding_size: int = 512
    """Of the full search."""


@dataclass(frozen=True)
class FullSearchConfig:
    """A search without a limit: at each D random settings, and neighbours of the best of D / 2."""

    sizes: tuple[int, ...] = (32, 64, 128, 256, 512)
    trials: tuple[int, ...] = (20, 6, 5, 3, 2)
    """How many settings at each of the sizes."""
    unobserved_weights: tuple[float, float] = (0.001, 3.0)
    regularizations: tuple[float, float] = (1e-4, 0.3)
    exponents: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    jitter: float = 1.6
    """A neighbour's α₀ and λ* are multiplied by a factor between 1 / this and this."""

    def up_to(self, largest: int) -> "FullSearchConfig":
        """Leave out the sizes above."""
        number = sum(size <= largest for size in self.sizes)
        return replace(self, sizes=self.sizes[:number], trials=self.trials[:number])


FULL_SEARCH = FullSearchConfig()
QUICK = FullSearchConfig(sizes=(32, 64), trials=(8, 2))


@dataclass(frozen=True)
class Searched:
    """Settings of iALS, how many were tried, and the processor seconds that took."""

    config: IalsConfig
    trials: int = 0
    seconds: float = 0.0
    is_cut_off: bool = False


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        threads=THREADS, sample_seed=SAMPLE_SEED,
        intervals="95 % bootstrap over the test profiles",
    )  # fmt: skip
    with with_threads(THREADS):
        for name, catalogue in CATALOGUES.items():
            if not options.wants(name):
                continue
            if not (options.data / name).exists():
                say(f"{name}: left out, {options.data / name} is not there")
                continue
            yield from _compared(name, catalogue, options)


def _compared(name: str, catalogue: Catalogue, options: Options) -> Iterator[Row]:
    """Search and evaluate on each split, and compare over the test profiles of all."""
    interactions = _sampled(*catalogue.read(options.data / name), catalogue)
    say(f"{name}: {interactions.matrix.shape}, {interactions.matrix.nnz} interactions")
    values: dict[str, list[Float64]] = {}
    searches: dict[str, list[Searched | None]] = {}
    full = QUICK if options.quick else FULL_SEARCH.up_to(catalogue.max_embedding_size)
    for seed in range(1 if options.quick else catalogue.splits):
        for system, searched in _searches(interactions, seed, full):
            say(f"{name}: split {seed}, {system}: {searched}")
            values.setdefault(system, []).append(_ndcg(interactions, seed, searched))
            searches.setdefault(system, []).append(searched)
    options.settings[name] = {
        system: [asdict(searched) for searched in each if searched is not None]
        for system, each in searches.items()
    }
    pooled = {system: np.concatenate(each) for system, each in values.items()}
    for system, each in pooled.items():
        estimate = bootstrap_mean(each, np.random.default_rng(1))
        seconds = sum(s.seconds for s in searches[system] if s is not None) or None
        yield Row(name, system, "ndcg@20", estimate.value, estimate.low, estimate.high, seconds)
    yield Row(name, f"{FIRST} / {FULL}", "ndcg@20", *_ratio(pooled[FIRST], pooled[FULL]))


def _searches(
    interactions: Interactions, seed: int, full: FullSearchConfig
) -> Iterator[tuple[str, Searched | None]]:
    """Yield each system's settings; None for popularity, which has none."""
    shipped = replace(ReleaseConfig().ials, num_threads=THREADS, seed=seed)
    yield "popularity", None
    yield "shipped setting", Searched(shipped)
    yield FIRST, _as_train_does(interactions, seed, shipped)
    yield FULL, full_search(folds_of(interactions, seed), seed, full)


def _as_train_does(interactions: Interactions, seed: int, shipped: IalsConfig) -> Searched:
    """Search as `manage.py train` does before the first release, seconds being processor's."""
    if not is_large_enough(interactions):
        return Searched(shipped)
    config = FirstSearchConfig()
    config = replace(config, start=replace(config.start, num_threads=THREADS))
    found = first_search(
        folds_of(interactions, seed), config, on_trial=_say_trial, clock=time.process_time
    )
    chosen = replace(found.best.config, seed=seed)
    return Searched(chosen, found.trials, found.seconds, found.is_cut_off)


def full_search(folds: list[Fold], seed: int, config: FullSearchConfig) -> Searched:
    """Search widely: random settings at the first D, then the best of each D at twice that D.

    Half the settings of each larger D are the best of the D before, half are neighbours of them.
    """
    rng = np.random.default_rng(seed)
    trials = Trials(folds, on_trial=_say_trial, limits=Limits(clock=time.process_time))
    settings = [_drawn(config, rng) for _ in range(config.trials[0])]
    for size, number, following in zip(
        config.sizes, config.trials, (*config.trials[1:], 0), strict=True
    ):
        before = {trial.config for trial in trials.ranked()}
        trials.run(_of_size(setting, size) for setting in settings[:number])
        ranked = [t.config for t in trials.ranked() if t.config not in before]
        kept = ranked[: (following + 1) // 2]
        settings = [*kept, *(_neighbour(setting, config, rng) for setting in kept)]
    best = replace(trials.best.config, patience=None, seed=seed)
    return Searched(best, len(trials.ranked()), trials.seconds)


def _drawn(config: FullSearchConfig, rng: np.random.Generator) -> IalsConfig:
    """Draw α₀ and λ* evenly on their logarithm, and ν."""
    weight, regularization = (
        float(np.exp(rng.uniform(*np.log(bounds))))
        for bounds in (config.unobserved_weights, config.regularizations)
    )
    return IalsConfig(
        unobserved_weight=weight,
        regularization=regularization,
        regularization_exponent=float(rng.choice(config.exponents)),
    )


def _neighbour(
    setting: IalsConfig, config: FullSearchConfig, rng: np.random.Generator
) -> IalsConfig:
    weight, regularization = config.jitter ** rng.uniform(-1, 1, 2)
    exponent = setting.regularization_exponent
    if rng.random() < NEW_EXPONENT:
        exponent = float(rng.choice(config.exponents))
    return replace(
        setting,
        unobserved_weight=setting.unobserved_weight * weight,
        regularization=setting.regularization * regularization,
        regularization_exponent=exponent,
    )


def _of_size(setting: IalsConfig, size: int) -> IalsConfig:
    """Return the setting at this D, solved as the first search solves."""
    return replace(
        setting,
        embedding_size=size,
        block_size=BLOCK_SIZE if size > BLOCK_SIZE else None,
        epochs=10,
        power_iterations=4,
        patience=2,
        num_threads=THREADS,
    )


def _ndcg(interactions: Interactions, seed: int, searched: Searched | None) -> Float64:
    """Train with the settings as a release does, and return NDCG@20 of each test profile."""
    config = ReleaseConfig()
    train, test = stable_holdout(interactions, seed, config.held_out_share, config.max_held_out)
    model = Popularity() if searched is None else Ials(searched.config)
    model.fit(train)
    return strong_generalisation(model.score, test, ndcg_at=(20,))["ndcg@20"]


def _ratio(ours: Float64, theirs: Float64) -> tuple[float, float, float]:
    """Return the ratio of the means, and its 95 % interval over the profiles."""
    rng = np.random.default_rng(2)
    rows = rng.integers(len(ours), size=(RESAMPLES, len(ours)))
    ratios = ours[rows].mean(axis=1) / theirs[rows].mean(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(ours.mean() / theirs.mean()), float(low), float(high)


def _say_trial(trial: Trial) -> None:
    c = trial.config
    say(
        f"  D {c.embedding_size}, α₀ {c.unobserved_weight:.3g}, λ* {c.regularization:.3g}, "
        f"ν {c.regularization_exponent:.3g}, {c.epochs} epochs: {trial.value:.4f}"
    )


def _sampled(profiles: Int64, items: Int64, catalogue: Catalogue) -> Interactions:
    """Keep so many of the profiles and so many of the titles, drawn at random."""
    rng = np.random.default_rng(SAMPLE_SEED)
    kept = _drawn_of(profiles, catalogue.people, rng) & _drawn_of(items, catalogue.titles, rng)
    return Interactions.from_pairs(profiles[kept], items[kept])


def _drawn_of(ids: Int64, number: int | None, rng: np.random.Generator) -> Bool:
    """Mark the rows of so many of the ids, (N,); of all where the number is None."""
    if number is None:
        return np.ones(len(ids), dtype=np.bool_)
    every = np.unique(ids)
    return np.isin(ids, rng.choice(every, min(number, len(every)), replace=False))


def _gowalla(folder: Path) -> tuple[Int64, Int64]:
    ratings = read_folder(folder)
    return ratings.profiles, ratings.items


def _diginetica(folder: Path) -> tuple[Int64, Int64]:
    visits = pq.read_table(folder / "train_sessions.parquet").column(0).to_pylist()
    owners = np.repeat(np.arange(len(visits)), [len(visit) for visit in visits])
    return owners, np.concatenate([np.asarray(visit, dtype=np.int64) for visit in visits])


def _frappe(folder: Path) -> tuple[Int64, Int64]:
    table = pq.read_table(folder / "raw_log.parquet", columns=["user", "item"])
    return table["user"].to_numpy().astype(np.int64), table["item"].to_numpy().astype(np.int64)


def _globo(folder: Path) -> tuple[Int64, Int64]:
    table = pq.read_table(folder / "clicks.parquet", columns=["user_id", "click_article_id"])
    people, articles = (table[name].to_numpy().astype(np.int64) for name in table.column_names)
    return people, articles


def _movielens(folder: Path) -> tuple[Int64, Int64]:
    ratings = read_folder(folder)
    liked = ratings.values >= LIKED_FROM_STARS
    return ratings.profiles[liked], ratings.items[liked]


CATALOGUES = {
    "gowalla": Catalogue(_gowalla, people=8_000, titles=20_000),
    "diginetica": Catalogue(_diginetica, people=20_000),
    "globo": Catalogue(_globo, people=12_000),
    "ml-1m": Catalogue(_movielens, people=3_000),
    "ml-100k": Catalogue(_movielens, splits=3, max_embedding_size=128),
    "frappe": Catalogue(_frappe, splits=3, max_embedding_size=128),
}
