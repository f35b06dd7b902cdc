"""EASE costs little more than the inverse it is made of.

ease-10k  fitting 10,000 items (--quick: 3,000), against one scipy.linalg.inv of that size
          plus the Gram product, double precision, the same threads
"""

import time
from collections.abc import Iterator

import numpy as np
from scipy import linalg, sparse

from benchmarks.harness import Options, Row, in_own_process, of_seeds, say, with_threads
from benchmarks.planted import planted
from recommender.data.interactions import Interactions
from recommender.models.ease import Ease, EaseConfig

THREADS = 2
PROTOCOL = "ease-10k"


def run(options: Options) -> Iterator[Row]:
    items, repeats = (3_000, 1) if options.quick else (10_000, 3)
    options.settings.update(threads=THREADS, items=items, intervals=f"extremes of {repeats} runs")
    if not options.wants(PROTOCOL):
        return
    say(f"{repeats} runs of each, {items} items")
    matrix = planted(20_000, items, 1_200_000)
    runs = [(in_own_process(ours, matrix), in_own_process(theirs, matrix)) for _ in range(repeats)]
    for which, system in enumerate(("marquee:ease", "scipy:gram and inv")):
        seconds = [pair[which][0] for pair in runs]
        peak = float(np.median([pair[which][1] for pair in runs]))
        yield Row(PROTOCOL, system, "seconds", **of_seeds(seconds), peak_mb=peak)
    ratios = [pair[0][0] / pair[1][0] for pair in runs]
    yield Row(PROTOCOL, "marquee:ease over scipy", "seconds", **of_seeds(ratios))


def ours(matrix: sparse.csr_array) -> float:
    interactions = Interactions.from_matrix(matrix)
    with with_threads(THREADS):
        began = time.perf_counter()
        Ease(EaseConfig(regularization=300.0)).fit(interactions)
        return time.perf_counter() - began


def theirs(matrix: sparse.csr_array) -> float:
    with with_threads(THREADS):
        began = time.perf_counter()
        gram = (matrix.T @ matrix).toarray().astype(np.float64)
        gram.flat[:: len(gram) + 1] += 300.0
        linalg.inv(gram, overwrite_a=True)
        return time.perf_counter() - began
