"""iALS on a Ray cluster learns what one machine learns; what the cluster costs on top of it.

ials   planted tastes in MovieLens-20M's shape (--quick: a tenth of its profiles), d=64, 8 epochs:
       this process alone with one core and with all, and Ray clusters of one and of two node
       processes of one core each on this machine, in turn. Needs requirements-cluster.txt. The
       seconds of Ray's first epoch hold the start of its workers and the upload of the shards.
"""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness import Options, Row, in_own_process, say, with_threads
from benchmarks.ials_speed import planted_ml_20m
from recommender.data.interactions import Interactions
from recommender.data.splits import strong_generalisation_split
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.models.ials import Ials, IalsConfig, Solver
from recommender.solvers.block_newton import improve_rows
from recommender.solvers.compiled import available_cores

SIZE, EPOCHS = 64, 8
UNOBSERVED, REGULARISATION = 0.1, 0.003
STORE_BYTES = 1_000_000_000
HELD_OUT = 2_000
Connected = Callable[[], AbstractContextManager[Solver]]


def run(options: Options) -> Iterator[Row]:
    options.settings.update(embedding_size=SIZE, epochs=EPOCHS)
    if not options.wants("ials"):
        return
    if importlib.util.find_spec("ray") is None:
        say("ials: left out, Ray is not installed: pip install -r requirements-cluster.txt")
        return
    share = 10 if options.quick else 1
    systems: dict[str, tuple[Connected, int]] = {
        "this process, 1 core": (_alone, 1),
        f"this process, {available_cores()} cores": (_alone, available_cores()),
        "Ray, 1 node of 1 core": (partial(_on_ray, 1), 1),
        "Ray, 2 nodes of 1 core": (partial(_on_ray, 2), 1),
    }
    for name, (connect, threads) in systems.items():
        measured, peak = in_own_process(_fit, connect, threads, share)
        seconds = measured["seconds"]
        say(f"{name}: {[round(second, 1) for second in seconds]} s an epoch")
        yield Row("ials", name, "ndcg@100", measured["ndcg"], seconds=sum(seconds))
        yield Row("ials", name, "loss", measured["loss"])
        yield Row("ials", name, "seconds of the first epoch", seconds[0])
        yield Row("ials", name, "seconds an epoch, median", float(np.median(seconds[1:])))
        yield Row("ials", name, "MB of this process", peak)


def _fit(connect: Connected, threads: int, share: int) -> dict[str, Any]:
    """Return the seconds of each epoch, the last loss, and NDCG@100 of held-out profiles."""
    interactions = Interactions.from_matrix(planted_ml_20m(share))
    rng = np.random.default_rng(1)
    train, validation, _ = strong_generalisation_split(interactions, rng, HELD_OUT // share, 0)
    config = IalsConfig(
        SIZE, EPOCHS, UNOBSERVED, REGULARISATION, num_threads=threads
    )  # fmt: skip
    reached: list[float] = []
    losses: list[float] = []

    def note(report: Any) -> None:
        reached.append(report.seconds)
        losses.append(report.loss)

    with with_threads(threads), connect() as solver:
        model = Ials(config).fit(train, note, solver=solver)
    ndcg = means(strong_generalisation(model.score, validation))["ndcg@100"]
    return {"seconds": np.diff([0.0, *reached]).tolist(), "loss": losses[-1], "ndcg": ndcg}


def _alone() -> AbstractContextManager[Solver]:
    return nullcontext(improve_rows)


@contextmanager
def _on_ray(num_nodes: int) -> Iterator[Solver]:
    from ray.cluster_utils import Cluster  # noqa: PLC0415  where Ray is installed

    from recommender.solvers.block_newton_ray import ray_solver  # noqa: PLC0415

    sizes = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    nodes = Cluster(initialize_head=True, head_node_args={**sizes, "include_dashboard": False})
    try:
        for _ in range(num_nodes - 1):
            nodes.add_node(**sizes)
        with ray_solver(nodes.address) as solver:
            yield solver
    finally:
        nodes.shutdown()
