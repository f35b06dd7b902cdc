"""R-LARM serves those whom EASE serves badly better, and what it costs.

ml-1m    strong generalisation: ratings of 4 and more, 500 profiles validate and 500 test
gowalla  the NGCF split, the 8,000 most visited of 40,981 places keep weights, all are ranked; a
         tenth of each training history validates
demo     the ratings the demo starts with (ml-latest-small), 100 profiles validate, 200 test
solvers  the exact learner against the paper's Adam steps, on ml-1m
sparse   what is lost by publishing k neighbours a title, on ml-1m
cost     seconds a round at 5,000, 10,000 and 20,000 titles, on planted tastes
"""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import pyplot as plt
from scipy import sparse

from benchmarks.harness import Options, Row, in_own_process, say, with_threads
from benchmarks.ials_quality import SPLIT_SEED, ndcg, split_ml_1m
from benchmarks.planted import planted
from benchmarks.protocols import bottom_shares
from benchmarks.public_datasets import load_ratings
from recommender.arrays import Float64
from recommender.data.interactions import Interactions
from recommender.data.splits import HeldOut, leave_share_out, strong_generalisation_split
from recommender.evaluation.protocols import strong_generalisation
from recommender.evaluation.significance import bootstrap_mean, compare, holm
from recommender.models.ease import Ease, EaseConfig
from recommender.models.larm import Larm, LarmConfig
from recommender.models.popularity import Popularity

THREADS = 2
METRICS = ("ndcg@100", "recall@20", "recall@50")
EASE, IPW = "marquee:ease", "marquee:ease-ipw"
PLAYERS = {
    "marquee:arm": LarmConfig(adversary="direct"),
    "marquee:r-larm": LarmConfig(),
    "marquee:r-larm-hidden": LarmConfig(hidden_units=5),
}
RULES = ("EASE's NDCG@100 on the test", "history size", "EASE's NDCG@100 on the history")


@dataclass(frozen=True)
class Task:
    """What is learned from, and who asks.

    Attributes:
        grid: λ to try for EASE.
        penalties: D / N to try for the adversary.
        max_items: as the models have it.
    """

    train: Interactions
    validation: HeldOut
    test: HeldOut
    grid: tuple[float, ...]
    penalties: tuple[float, ...]
    max_items: int | None = None


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        threads=THREADS, split_seed=SPLIT_SEED,
        intervals="95 % bootstrap over test profiles; changes are in per cent of EASE's mean",
    )  # fmt: skip
    torch.set_num_threads(THREADS)
    tasks = {"ml-1m": ml_1m, "gowalla": gowalla, "demo": demo}
    with with_threads(THREADS):
        for name, make in tasks.items():
            folder = "ml-latest-small" if name == "demo" else name
            if not options.wants(name) or (options.quick and name == "gowalla"):
                continue
            if not (options.data / folder).exists():
                say(f"{name}: left out, {options.data / folder} is not there")
                continue
            yield from judge(name, make(options), options)
        if (options.data / "ml-1m").exists():
            if options.wants("solvers"):
                yield from solvers(options)
            if options.wants("sparse"):
                yield from neighbour_lists(options)
        if options.wants("cost"):
            yield from cost(options)


def ml_1m(options: Options) -> Task:
    train, validation, test = split_ml_1m(options)
    grid = (500.0, 700.0) if options.quick else (200.0, 300.0, 500.0, 700.0, 1000.0)
    penalties = (0.2,) if options.quick else (0.05, 0.1, 0.2, 0.5, 1.0)
    return Task(train, validation, test, grid, penalties)


def gowalla(options: Options) -> Task:
    """Everyone is known to the models; the places after the split's date are asked."""
    with np.load(options.data / "gowalla" / "gowalla.npz", allow_pickle=False) as arrays:
        train, test = (
            (arrays[f"{part}_user"].astype(np.int64), arrays[f"{part}_item"].astype(np.int64))
            for part in ("train", "test")
        )
    people, places = (int(max(train[n].max(), test[n].max())) + 1 for n in range(2))
    shape = (people, places)
    shown, asked = (
        sparse.csr_array((np.ones(len(part[0]), np.float32), part), shape=shape)
        for part in (train, test)
    )
    known = Interactions.from_matrix(shown)
    learned, validation = leave_share_out(known, np.random.default_rng(SPLIT_SEED), 0.1)
    rows = np.flatnonzero(np.diff(asked.indptr))
    held_out = HeldOut(known.matrix[rows], Interactions.from_matrix(asked).matrix[rows], rows)
    return Task(
        learned, validation, held_out, (10.0, 30.0, 100.0, 300.0), (0.002, 0.01, 0.05), 8000
    )


def demo(options: Options) -> Task:
    ratings = load_ratings(f"path:{options.data / 'ml-latest-small'}", options.data)
    likes = ratings.likes(at_least=4, min_items=5)
    rng = np.random.default_rng(SPLIT_SEED)
    train, validation, test = strong_generalisation_split(likes, rng, 100, 200)
    grid = (100.0, 300.0) if options.quick else (30.0, 100.0, 200.0, 400.0, 800.0)
    return Task(train, validation, test, grid, (0.2,) if options.quick else (0.1, 0.3, 1.0), 4000)


def judge(name: str, task: Task, options: Options) -> Iterator[Row]:
    """Tune each system on the validation profiles, then ask the test profiles once."""
    values: dict[str, dict[str, Float64]] = {}
    chosen: dict[str, Any] = {}
    weights: dict[str, Float64] = {}
    options.settings[f"{name}: chosen"] = chosen
    ease: Any = None
    for system, settings, fit in systems(task, chosen):
        best: tuple[float, Any, Any, float] | None = None
        for setting in settings:
            began = time.perf_counter()
            model = fit(setting)
            seconds = time.perf_counter() - began
            value = ndcg(model, task.validation)
            say(f"{name}: {system} {setting}: validation {value:.4f}, {seconds:.0f} s")
            if best is None or value > best[0]:
                best = value, setting, model, seconds
        assert best is not None
        value, setting, model, seconds = best
        chosen[system] = {"setting": setting, "validation ndcg@100": value, "tried": len(settings)}
        values[system] = strong_generalisation(model.score, task.test)
        if isinstance(model, Larm):
            weights[system] = model.profile_weights
        if system == EASE:
            ease = model
        for metric in METRICS:
            estimate = bootstrap_mean(values[system][metric], np.random.default_rng(1))
            yield Row(name, system, metric, estimate.value, estimate.low, estimate.high, seconds)
    yield from changes(name, task, values, ease, options)
    audited = options.settings[f"{name}: mean weight by decile"] = {
        system: {what: audit(each, by) for what, by in traits(task.train).items()}
        for system, each in weights.items()
    }
    if options.figures is not None:
        draw_audit(audited, options.figures / f"larm-weights-{name}.svg")


def systems(
    task: Task, chosen: dict[str, Any]
) -> Iterator[tuple[str, list[Any], Callable[[Any], Any]]]:
    """Yield each system's name, its grid, and how to fit it."""
    kept = task.max_items

    def fit_ease(setting: tuple[float, float]) -> Ease:
        config = EaseConfig(setting[0], setting[1], max_items=kept)
        return Ease(config).fit(task.train)

    yield EASE, [(strength, 0.0) for strength in task.grid], fit_ease
    yield IPW, list(itertools.product(task.grid, (0.2, 0.4, 0.6))), fit_ease
    best = chosen[EASE]["setting"][0]
    strengths = sorted({best, 0.7 * best}) if kept is None else [best]
    for name, config in PLAYERS.items():

        def fit(setting: tuple[float, float], config: LarmConfig = config) -> Larm:
            own = replace(
                config, regularization=setting[0], adversary_penalty=setting[1], max_items=kept,
                rounds=8, patience=3,
            )  # fmt: skip
            return Larm(own).fit(task.train, validation=_once_it_plays(task.validation))

        yield name, list(itertools.product(strengths, task.penalties)), fit


def _once_it_plays(validation: HeldOut) -> Callable[[Larm], float]:
    """Judge every round but the first, before which the adversary has not moved: that is EASE."""
    rounds = itertools.count()
    return lambda model: ndcg(model, validation) if next(rounds) else -np.inf


def changes(
    name: str, task: Task, values: dict[str, dict[str, Float64]], ease: Any, options: Options
) -> Iterator[Row]:
    """Against EASE, for the worst served by three rules; p-values in the settings."""
    asked = np.flatnonzero(np.diff(task.test.targets.indptr))
    base = values[EASE]["ndcg@100"]
    orders = dict(
        zip(
            RULES,
            (
                base,
                np.diff(task.test.histories.indptr)[asked],
                _predictability(ease, task.test)[asked],
            ),
            strict=True,
        )
    )
    tests: dict[str, Any] = {}
    options.settings[f"{name}: paired t-tests against EASE"] = tests
    for rule, order in orders.items():
        buckets = bottom_shares(order)
        for system in (IPW, *PLAYERS):
            found = [
                compare(values[system]["ndcg@100"][rows], base[rows], np.random.default_rng(2))
                for _, rows in buckets
            ]
            adjusted = holm([each.t_test_p for each in found])
            tests.setdefault(system, {})[rule] = [
                {"bottom": share, "profiles": len(rows), "p": each.t_test_p, "holm": p}
                for (share, rows), each, p in zip(buckets, found, adjusted, strict=True)
            ]
            for (share, rows), each in zip(buckets, found, strict=True):
                difference, scale = each.difference, 100 / max(float(base[rows].mean()), 1e-9)
                metric = f"ndcg@100 change, bottom {share:.0%} by {rule}"
                ends = difference.value, difference.low, difference.high
                if base[rows].mean() > 0:
                    yield Row(name, system, metric, *(end * scale for end in ends))


def _predictability(ease: Any, held_out: HeldOut) -> Float64:
    """NDCG@100 of EASE for a fifth of each history, from the rest; NaN for short histories."""
    histories = Interactions.from_matrix(held_out.histories)
    rng = np.random.default_rng(SPLIT_SEED)
    _, within = leave_share_out(histories, rng, 0.2)
    found = np.full(len(held_out.rows), np.nan)
    found[within.rows] = strong_generalisation(ease.score, within)["ndcg@100"]
    return found


def traits(train: Interactions) -> dict[str, Float64]:
    """Return (U,) the history sizes, and how rare the taste is: mean bits of an item's surprise."""
    matrix = train.matrix
    sizes = np.diff(matrix.indptr).astype(np.float64)
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
    surprise = -np.log2((counts + 1) / (matrix.shape[0] + 1))
    rows = np.repeat(np.arange(len(sizes)), np.diff(matrix.indptr))
    total = np.bincount(rows, surprise[matrix.indices], minlength=len(sizes))
    return {"history size": sizes, "rarity of taste": total / np.maximum(sizes, 1)}


def audit(weights: Float64, by: Float64) -> list[list[float]]:
    """Return for each decile its least value, its greatest, and the mean weight."""
    order = np.argsort(by, kind="stable")
    order = order[weights[order] > 0]
    return [
        [round(float(v), 3) for v in (by[part].min(), by[part].max(), weights[part].mean())]
        for part in np.array_split(order, 10)
    ]


def draw_audit(audited: dict[str, dict[str, list[list[float]]]], file: Path) -> None:
    """Draw the mean weight of each decile, a panel for each trait."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for panel, trait in zip(panels, next(iter(audited.values())), strict=True):
        panel.axhline(1.0, color="0.7", linewidth=1)
        for system, by_trait in audited.items():
            weights = [weight for _, _, weight in by_trait[trait]]
            panel.plot(range(1, 11), weights, marker="o", markersize=3, label=system)
        panel.set_xlabel(f"decile of {trait}, the lowest first")
        panel.set_xticks(range(1, 11))
    panels[0].set_ylabel("mean weight")
    panels[1].legend(frameon=False)
    plt.rcParams["svg.hashsalt"] = file.stem
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def solvers(options: Options) -> Iterator[Row]:
    """Train the same game twice and compare."""
    train, _, test = split_ml_1m(options)
    exact = LarmConfig(regularization=500.0, adversary_penalty=0.5, patience=None, rounds=12)
    epochs = 20 if options.quick else 150
    steps = replace(exact, solver="gradient", learning_rate=3e-3, rounds=epochs)
    for kind in ("none", "rank"):
        scores = {}
        for label, config in (("closed form", exact), ("gradient", steps)):
            began = time.perf_counter()
            model = Larm(replace(config, adversary=kind)).fit(train)
            seconds = time.perf_counter() - began
            scores[label] = model.score(test.histories)
            system = f"marquee:{'ease' if kind == 'none' else 'r-larm'}, {label}"
            yield Row("solvers", system, "ndcg@100", ndcg(model, test), seconds=seconds)
        apart = np.linalg.norm(scores["gradient"] - scores["closed form"])
        apart /= np.linalg.norm(scores["closed form"])
        system = f"marquee:{'ease' if kind == 'none' else 'r-larm'}"
        yield Row("solvers", system, "scores apart, relative", float(apart))


def neighbour_lists(options: Options) -> Iterator[Row]:
    train, validation, test = split_ml_1m(options)
    config = LarmConfig(adversary_penalty=0.2, rounds=3 if options.quick else 8, patience=3)
    model = Larm(config).fit(train, validation=lambda m: ndcg(m, validation))
    yield Row("sparse", "marquee:r-larm, all", "ndcg@100", ndcg(model, test))
    for size in (5, 10, 20, 50, 100, 200, 400):
        lists = model.neighbours(size)
        megabytes = 50_000 * size * 8 / 2**20
        system = f"marquee:r-larm, {size} neighbours"
        yield Row("sparse", system, "ndcg@100", ndcg(lists, test))
        yield Row("sparse", system, "MB for 50,000 titles", megabytes)
    popularity = Popularity().fit(train)
    yield Row("sparse", "marquee:popularity", "ndcg@100", ndcg(popularity, test))


def cost(options: Options) -> Iterator[Row]:
    for size in (2000,) if options.quick else (5_000, 10_000, 20_000):
        for solver in ("gradient", "closed_form"):
            if size > 10_000 and solver == "closed_form":
                continue
            seconds, peak = in_own_process(_median_round, size, solver, THREADS)
            name = f"marquee:r-larm {solver}, {size:,} titles"
            yield Row("cost", name, "seconds a round", seconds, peak_mb=peak)


def _median_round(num_items: int, solver: str, threads: int) -> float:
    """Return the median seconds of the rounds after the first: 10,240 profiles of about 100."""
    torch.set_num_threads(threads)
    with with_threads(threads):
        train = Interactions.from_matrix(planted(10_240, num_items, 100 * 10_240))
        at: list[float] = []
        config = LarmConfig(solver=solver, rounds=4, patience=None, max_bytes=16 * 2**30)
        Larm(config).fit(train, lambda report: at.append(report.seconds))
    return float(np.median(np.diff(at)))
