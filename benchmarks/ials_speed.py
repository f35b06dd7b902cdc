"""iALS learns as well as implicit in less time, and folds a history in within a millisecond.

time-ml-1m   fitting seconds until validation NDCG@100 is 99 % of what implicit has after its 15
             iterations, d=128, both from random vectors; MovieLens-1M, both tuned alike
time-ml-20m  the same on planted tastes in MovieLens-20M's shape
fold-in      one history of 50 titles among 20,108, d=128, batch of one, one thread
memory       peak of a process that loads that shape and fits one epoch, d=128
             (--quick takes a tenth of the shape's profiles for these two)
compile      what the first fit on a machine waits for compiled code, once; not in the figures above
"""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.harness import (
    ROOT,
    Options,
    Row,
    in_own_process,
    of_seeds,
    say,
    with_threads,
)
from benchmarks.ials_quality import split_ml_1m
from benchmarks.peers import ImplicitAls
from benchmarks.planted import SHAPES, planted
from recommender.data.interactions import Interactions
from recommender.data.splits import HeldOut, strong_generalisation_split
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.models.ials import Ials, IalsConfig

SIZE = 128
THREADS = 2
ITERATIONS = 15
SEEDS = (0, 1, 2)
CACHE = ROOT / "var" / "benchmarks"

# every pair is tried: as many settings for one as for the other
GRIDS = {
    "time-ml-1m": ((1.0, 0.3, 0.1), (0.01, 0.006, 0.003), (30.0, 60.0, 100.0)),
    "time-ml-20m": ((0.3, 0.1), (0.003, 0.0015), (30.0, 100.0)),
}


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        threads=THREADS, seeds=SEEDS, embedding_size=SIZE, intervals="extremes of the seeds"
    )
    compiled_once = compile_seconds()
    if options.wants("compile"):
        yield Row("compile", "marquee:ials", "seconds", compiled_once)
    with with_threads(THREADS):
        if options.wants("time-ml-1m"):
            train, validation, _ = split_ml_1m(options)
            yield from time_to_quality("time-ml-1m", train, validation, options)
        if options.wants("time-ml-20m"):
            share = 10 if options.quick else 1
            matrix = planted_ml_20m(share)
            held_out = 2000 // share
            train, validation, _ = strong_generalisation_split(
                Interactions.from_matrix(matrix), np.random.default_rng(1), held_out, 0
            )
            yield from time_to_quality("time-ml-20m", train, validation, options)
    if options.wants("fold-in"):
        with with_threads(1):
            yield from fold_in()
    if options.wants("memory"):
        yield from memory(10 if options.quick else 1)


@dataclass
class Run:
    """Validation NDCG@100 against fitting seconds, after each epoch."""

    seconds: list[float]
    values: list[float]

    def seconds_to(self, value: float) -> float:
        reached = [s for s, v in zip(self.seconds, self.values, strict=True) if v >= value]
        return reached[0] if reached else float("inf")


def time_to_quality(
    protocol: str, train: Interactions, validation: HeldOut, options: Options
) -> Iterator[Row]:
    weights, ours_grid, theirs_grid = GRIDS[protocol]
    if options.quick:
        weights, ours_grid, theirs_grid = weights[-2:], ours_grid[:1], theirs_grid[:1]
        if protocol == "time-ml-1m":
            theirs_grid = (100.0,)
    ours_settings = list(itertools.product(weights, ours_grid))
    theirs_settings = list(itertools.product([round(1 / w, 3) for w in weights], theirs_grid))
    ours_best, theirs_best = (
        best_setting(protocol, kind, settings, train, validation)
        for kind, settings in (("marquee", ours_settings), ("implicit", theirs_settings))
    )
    options.settings[protocol] = {"marquee:ials": ours_best, "implicit:als": theirs_best}
    figures: dict[str, list[float]] = {name: [] for name in ("ours", "theirs", "whole", "ratio")}
    last: dict[str, list[float]] = {"marquee": [], "implicit": []}
    for seed in SEEDS[:1] if options.quick else SEEDS:
        theirs = fit("implicit", theirs_best, seed, train, validation)
        ours = fit("marquee", ours_best, seed, train, validation)
        wanted = 0.99 * theirs.values[-1]
        say(f"{protocol}, seed {seed}: implicit {_curve(theirs)}; ours {_curve(ours)}")
        figures["ours"].append(ours.seconds_to(wanted))
        figures["theirs"].append(theirs.seconds_to(wanted))
        figures["whole"].append(theirs.seconds[-1])
        figures["ratio"].append(ours.seconds_to(wanted) / theirs.seconds_to(wanted))
        last["implicit"].append(theirs.values[-1])
        last["marquee"].append(ours.values[-1])
    reach = "seconds to 99 % of implicit's NDCG@100"
    yield Row(
        protocol, "implicit:als", "ndcg@100 after 15 iterations", **of_seeds(last["implicit"])
    )
    yield Row(protocol, "marquee:ials", "ndcg@100 after its epochs", **of_seeds(last["marquee"]))
    yield Row(protocol, "implicit:als", "seconds of 15 iterations", **of_seeds(figures["whole"]))
    yield Row(protocol, "implicit:als", reach, **of_seeds(figures["theirs"]))
    yield Row(protocol, "marquee:ials", reach, **of_seeds(figures["ours"]))
    yield Row(protocol, "marquee:ials over implicit:als", reach, **of_seeds(figures["ratio"]))


def best_setting(
    protocol: str,
    kind: str,
    settings: list[tuple[float, float]],
    train: Interactions,
    validation: HeldOut,
) -> tuple[float, float]:
    """Return the setting with the best NDCG@100 after all its epochs."""
    if len(settings) == 1:
        return settings[0]
    judged = []
    for setting in settings:
        value = fit(kind, setting, 0, train, validation, only_last=True).values[-1]
        say(f"{protocol}: {kind} {setting} ends at {value:.4f}")
        judged.append((value, setting))
    return max(judged)[1]


def fit(
    kind: str,
    setting: tuple[float, float],
    seed: int,
    train: Interactions,
    validation: HeldOut,
    only_last: bool = False,
) -> Run:
    """Fit and watch; the seconds leave out what the watching takes."""
    run = Run([], [])
    watched = 0.0
    epochs = ITERATIONS if kind == "implicit" else 10
    began = time.perf_counter()

    def watch(model: Any) -> float:
        nonlocal watched
        looked = time.perf_counter()
        run.seconds.append(looked - began - watched)
        if not only_last or len(run.seconds) == epochs:
            value = means(strong_generalisation(model.score, validation))["ndcg@100"]
            run.values.append(value)
        watched += time.perf_counter() - looked
        return 0.0

    if kind == "implicit":
        model = ImplicitAls(SIZE, *setting, seed, THREADS, ITERATIONS)

        def after_iteration(iteration: int, seconds: float) -> None:
            watch(model)

        model.fit(train.matrix, after_iteration)
    else:
        weight, regularization = setting
        config = IalsConfig(
            SIZE, epochs, weight, regularization, block_size=SPEED_BLOCK, num_threads=THREADS,
            seed=seed, init_stdev=SPEED_STDEV, power_iterations=POWER_ITERATIONS,
        )  # fmt: skip
        Ials(config).fit(train, validation=watch)
    return run


POWER_ITERATIONS, SPEED_STDEV = 4, 0.5
"""A start towards the data, its entries about as large as those of a model that has converged."""
SPEED_BLOCK: int | None = 64
"""The block that was fastest to the same quality at d=128."""


def _curve(run: Run) -> str:
    points = zip(run.seconds, run.values, strict=True)
    return " ".join(f"{s:.2f}s:{v:.4f}" for s, v in points)


def planted_ml_20m(share: int) -> sparse.csr_array:
    """Make the set, or read it where it was made before."""
    profiles, items, interactions = SHAPES["ml-20m"]
    path = CACHE / f"planted-ml-20m-{share}.npz"
    if not path.exists():
        say("planting tastes in MovieLens-20M's shape")
        matrix = planted(profiles // share, items, interactions // share)
        CACHE.mkdir(parents=True, exist_ok=True)
        sparse.save_npz(path, matrix)
    return sparse.csr_array(sparse.load_npz(path))


def fold_in() -> Iterator[Row]:
    rng = np.random.default_rng(0)
    items = SHAPES["ml-20m"][1]
    model = Ials(IalsConfig(SIZE, 1))
    factors = rng.normal(0, 0.1, (items, SIZE)).astype(np.float32)
    model.scale = 0.003
    model.set_factors(factors[:10], factors)
    histories = [
        sparse.csr_array(
            (
                np.ones(50, dtype=np.float32),
                (np.zeros(50, dtype=int), rng.choice(items, 50, False)),
            ),
            shape=(1, items),
        )
        for _ in range(200)
    ]
    taken = []
    for history in histories * 6:
        began = time.perf_counter()
        model.fold_in(history)
        taken.append((time.perf_counter() - began) * 1e3)
    low, value, high = np.percentile(taken[200:], [5, 50, 95])
    yield Row("fold-in", "marquee:ials", "milliseconds, median (5 to 95 %)", value, low, high)


def memory(share: int) -> Iterator[Row]:
    planted_ml_20m(share)
    for system, kind in (("marquee:ials", "marquee"), ("implicit:als", "implicit")):
        seconds, peak = in_own_process(fit_one_epoch, kind, share)
        yield Row("memory", system, "peak MB", peak, seconds=seconds, peak_mb=peak)


def fit_one_epoch(kind: str, share: int) -> float:
    """Fit one epoch; run in a process of its own."""
    matrix = planted_ml_20m(share)
    began = time.perf_counter()
    if kind == "implicit":
        ImplicitAls(SIZE, 10.0, 100.0, 0, THREADS, iterations=1).fit(matrix)
    else:
        config = IalsConfig(SIZE, 1, 0.1, 0.003, block_size=SPEED_BLOCK, num_threads=THREADS)
        Ials(config).fit(Interactions.from_matrix(matrix))
    return time.perf_counter() - began


def compile_seconds() -> float:
    """Time the first fit of a fresh process with nothing compiled, less a second fit's time."""
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]);"
        "from benchmarks.ials_speed import tiny_fit; print(tiny_fit() - tiny_fit())"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        said = subprocess.run(
            [sys.executable, "-c", code, str(ROOT)],
            env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
    tiny_fit()  # and leave this process's own code compiled
    return float(said.stdout)


def tiny_fit() -> float:
    began = time.perf_counter()
    config = IalsConfig(8, 1, num_threads=1)
    for block in (None, 4):
        Ials(replace(config, block_size=block)).fit(
            Interactions.from_matrix(sparse.csr_array(np.eye(9, dtype=np.float32)))
        )
    return time.perf_counter() - began
