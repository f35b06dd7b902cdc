"""iALS finds what the papers say it finds on MovieLens-1M, and as much as tuned peers.

ncf     the leave-one-out split of He et al. 2017 with its sampled negatives, at the settings of
        Rendle et al. 2022; published: HR@10/NDCG@10 .722/.445 at d=64, .730/.453 at d=192
strong  ratings of 4 and more, profiles with 5 and more, 500 for validation and 500 for test;
        every system tuned on the validation profiles over as large a grid
"""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.harness import Options, Row, of_seeds, say, with_threads
from benchmarks.peers import ImplicitAls
from benchmarks.protocols import sampled_leave_one_out
from benchmarks.public_datasets import load_ratings
from recommender.data.interactions import Interactions
from recommender.data.splits import HeldOut, strong_generalisation_split
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.evaluation.report import by_history_size
from recommender.evaluation.significance import bootstrap_mean, compare
from recommender.models.ease import Ease, EaseConfig
from recommender.models.ials import Ials, IalsConfig
from recommender.models.popularity import Popularity

SPLIT_SEED = 98765
SEEDS = (0, 1, 2)
THREADS = 2
NCF_SETTINGS = (
    # the paper's settings; then ours, chosen on one random item of each training profile
    ("marquee:ials-64", 64, 12, 0.3, 0.007),
    ("marquee:ials-64-tuned", 64, 16, 0.2, 0.005),
    ("marquee:ials-192", 192, 12, 0.3, 0.007),
)
METRICS = ("ndcg@100", "recall@20", "recall@50")


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        threads=THREADS, seeds=SEEDS, split_seed=SPLIT_SEED,
        intervals="ncf: extremes of the seeds; strong: 95 % bootstrap over test profiles, of the "
        "seed whose NDCG@100 is the median",
    )  # fmt: skip
    with with_threads(THREADS):
        if options.wants("ncf"):
            yield from ncf(options)
        if options.wants("strong"):
            yield from strong(options)


def ncf(options: Options) -> Iterator[Row]:
    with np.load(options.data / "ml-1m" / "ncf" / "ncf_ml1m.npz", allow_pickle=False) as arrays:
        train, test = _pairs(arrays, "train"), _pairs(arrays, "test")
        negatives = next(arrays[name] for name in arrays.files if "negative" in name)
    shape = (int(train[0].max()) + 1, int(max(train[1].max(), test[1].max(), negatives.max())) + 1)
    ones = np.ones(len(train[0]), dtype=np.float32)
    interactions = Interactions.from_matrix(sparse.csr_array((ones, train), shape=shape))
    histories = interactions.matrix[test[0]]
    for name, size, epochs, weight, regularization in NCF_SETTINGS:
        values: dict[str, list[float]] = {"hr@10": [], "ndcg@10": []}
        seconds = []
        for seed in SEEDS[:1] if options.quick else SEEDS:
            say(f"ncf: {name}, seed {seed}")
            config = IalsConfig(
                size, epochs, weight, regularization, num_threads=THREADS, seed=seed
            )
            began = time.perf_counter()
            model = Ials(config).fit(interactions)
            seconds.append(time.perf_counter() - began)
            found = means(
                sampled_leave_one_out(model.score, histories, test[1], np.asarray(negatives))
            )
            for metric, each in values.items():
                each.append(found[metric])
        for metric, each in values.items():
            yield Row("ncf", name, metric, **of_seeds(each), seconds=float(np.median(seconds)))
    popularity = Popularity().fit(interactions)
    found = means(
        sampled_leave_one_out(popularity.score, histories, test[1], np.asarray(negatives))
    )
    for name in ("hr@10", "ndcg@10"):
        yield Row("ncf", "marquee:popularity", name, found[name])


def _pairs(arrays: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the users and items of a part, stored as columns or one by one."""
    if part in arrays.files:
        return arrays[part][:, 0].astype(np.int64), arrays[part][:, 1].astype(np.int64)
    return arrays[f"{part}_user"].astype(np.int64), arrays[f"{part}_item"].astype(np.int64)


def split_ml_1m(options: Options) -> tuple[Interactions, HeldOut, HeldOut]:
    likes = load_ratings("ml-1m", options.data).likes(at_least=4, min_items=5)
    return strong_generalisation_split(likes, np.random.default_rng(SPLIT_SEED), 500, 500)


def strong(options: Options) -> Iterator[Row]:
    train, validation, test = split_ml_1m(options)
    chosen: dict[str, Any] = {}
    options.settings["chosen"] = chosen
    values: dict[str, dict[str, np.ndarray]] = {}
    for name, settings, make, seeded in systems(options, train):
        say(f"strong: tuning {name} over {len(settings)} settings")
        judged = [(ndcg(make(s, 0), validation), s) for s in settings]
        best = max(judged, key=lambda pair: pair[0])
        chosen[name] = {"setting": best[1], "validation ndcg@100": best[0], "tried": len(judged)}
        runs = []
        for seed in SEEDS if seeded and not options.quick else SEEDS[:1]:
            began = time.perf_counter()
            model = make(best[1], seed)
            seconds = time.perf_counter() - began
            runs.append((strong_generalisation(model.score, test), seconds))
        runs.sort(key=lambda r: r[0]["ndcg@100"].mean())
        values[name], seconds = runs[len(runs) // 2]
        for metric in METRICS:
            estimate = bootstrap_mean(values[name][metric], np.random.default_rng(1))
            yield Row("strong", name, metric, estimate.value, estimate.low, estimate.high, seconds)
    asked = np.flatnonzero(np.diff(test.targets.indptr))
    sizes = np.diff(test.histories.indptr)[asked]
    options.settings["ndcg@100 by history size"] = {
        name: [
            [bucket.smallest, bucket.largest, round(bucket.means["ndcg@100"], 4)]
            for bucket in by_history_size({"ndcg@100": each["ndcg@100"]}, sizes)
        ]
        for name, each in values.items()
    }
    for other in values:
        if other == "marquee:ials":
            continue
        compared = compare(
            values["marquee:ials"]["ndcg@100"], values[other]["ndcg@100"], np.random.default_rng(2)
        ).difference
        yield Row(
            "strong", f"marquee:ials minus {other}", "ndcg@100",
            compared.value, compared.low, compared.high,
        )  # fmt: skip


def ndcg(model: Any, held_out: HeldOut) -> float:
    return means(strong_generalisation(model.score, held_out))["ndcg@100"]


def systems(
    options: Options, train: Interactions
) -> Iterator[tuple[str, list[Any], Callable[[Any, int], Any], bool]]:
    """Yield each system's name, its grid, how to train it, and whether a seed matters."""
    quick = options.quick

    def ials(setting: tuple[int, int, float, float], seed: int) -> Ials:
        size, epochs, weight, regularization = setting
        config = IalsConfig(size, epochs, weight, regularization, num_threads=THREADS, seed=seed)
        return Ials(config).fit(train)

    def implicit(setting: tuple[int, int, float, float], seed: int) -> ImplicitAls:
        size, iterations, alpha, regularization = setting
        return ImplicitAls(size, alpha, regularization, seed, THREADS, iterations).fit(train.matrix)

    sizes = (128,) if quick else (64, 128)
    weights = (0.3, 0.1) if quick else (1.0, 0.3, 0.1, 0.03)
    ours = (0.01, 0.006) if quick else (0.02, 0.01, 0.006, 0.003)
    theirs = (60.0, 100.0) if quick else (10.0, 30.0, 60.0, 100.0)
    yield (
        "marquee:ials",
        [(d, 12, w, r) for d, w, r in itertools.product(sizes, weights, ours)],
        ials,
        True,
    )
    yield (
        "implicit:als",
        [(d, 15, round(1 / w, 3), r) for d, w, r in itertools.product(sizes, weights, theirs)],
        implicit,
        True,
    )
    grid = (200.0, 400.0) if quick else (100.0, 200.0, 300.0, 500.0, 700.0, 1000.0, 1500.0)
    yield (
        "marquee:ease", list(grid),
        lambda r, seed: Ease(EaseConfig(regularization=r)).fit(train), False,
    )  # fmt: skip
    betas = (0.4,) if quick else (0.2, 0.4, 0.6)
    yield (
        "marquee:ease-ipw", list(itertools.product(grid, betas)),
        lambda s, seed: Ease(EaseConfig(s[0], s[1])).fit(train), False,
    )  # fmt: skip
    yield "marquee:popularity", [None], lambda s, seed: Popularity().fit(train), False
