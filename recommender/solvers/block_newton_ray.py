"""Block Newton solver of iALS on a Ray cluster: the steps of `block_newton`, rows in shards.

As in ALX (Mehta et al., "ALX: Large Scale Matrix Factorization on TPUs", 2021, arXiv:2112.02194),
profiles and items are cut into shards, and a half-step solves each shard against the other side's
vectors. Here those vectors are one object of Ray's store, which the tasks of a node share; a task
holds no state, so one whose node is lost runs again on another. The vectors come out the same to
the last bit as on one machine, whatever the number of shards and nodes.

R rows being improved, M of the other side, D embedding.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import ray
from scipy import sparse

import recommender
from recommender.arrays import Float32
from recommender.errors import ClusterError
from recommender.solvers.block_newton import improve_rows

SHARDS_PER_CORE = 4
"""Some, so that cores finish together although rows and machines differ."""
CONNECT_SECONDS = 10
RETRIES = 3
"""How often a task runs again whose node was lost."""


class RaySolver:
    """Stands in for `block_newton.improve_rows`: see there for what it does and takes.

    `num_threads` is left out: each task of the cluster has one core. Both matrices of a fit stay in
    Ray's store, cut into shards, as long as the solver lives.
    """

    def __init__(self, num_shards: int) -> None:
        """Prepare.

        Args:
            num_shards: into which the rows of either side are cut.
        """
        self.num_shards = num_shards
        self._stored: list[tuple[sparse.csr_array, list[_Shard]]] = []

    def __call__(
        self,
        observed: sparse.csr_array,
        fixed: Float32,
        scaled_gramian: Float32,
        regularization: Float32,
        rows: Float32,
        block_size: int,
        num_threads: int,
    ) -> float:
        shards = self._shards_of(observed, rows.shape[1])
        shared = ray.put(fixed)
        try:
            improved = [
                _improve.remote(
                    shard.cells, shared, scaled_gramian, regularization[shard.rows],
                    rows[shard.rows], block_size,
                )
                for shard in shards
            ]  # fmt: skip
            observed_loss = 0.0
            for shard, reference in zip(shards, improved, strict=True):
                rows[shard.rows], loss = ray.get(reference)
                observed_loss += loss
        except ray.exceptions.RayError as error:
            raise ClusterError(f"the Ray cluster failed: {error}") from error
        return observed_loss

    def _shards_of(self, observed: sparse.csr_array, size: int) -> list["_Shard"]:
        """Return a matrix's shards, cut and stored at its first call."""
        for known, shards in self._stored:
            if known is observed:
                return shards
        work = observed.indptr + np.arange(observed.shape[0] + 1, dtype=np.int64) * size
        shares = np.linspace(0, work[-1], self.num_shards + 1)
        bounds = np.unique([0, *np.searchsorted(work, shares[1:-1]), observed.shape[0]])
        cut = [slice(int(a), int(b)) for a, b in pairwise(bounds)]
        shards = [_Shard(rows, ray.put(_parts(observed[rows]))) for rows in cut]
        self._stored.append((observed, shards))
        return shards


class _Shard:
    """A run of rows, and where Ray keeps what was observed in them."""

    def __init__(self, rows: slice, cells: Any) -> None:
        self.rows, self.cells = rows, cells


@contextmanager
def ray_solver(address: str) -> Iterator[RaySolver]:
    """Yield the solver of a cluster; this process's connection to it ends with the block.

    Args:
        address: of the cluster's head, such as `head:6379`; this machine must be one of its nodes.

    Raises:
        ClusterError: the cluster does not answer, or has no core.
    """
    host, _, port = address.rpartition(":")
    try:
        # Ray itself would go on trying for many minutes.
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
        ray.init(
            address,
            runtime_env={"py_modules": [recommender]},
            log_to_driver=False,
            configure_logging=False,
            logging_level=logging.WARNING,
        )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise ClusterError(f"the Ray cluster at {address} does not answer: {error}") from error
    try:
        cores = int(ray.cluster_resources().get("CPU", 0))
        if not cores:
            raise ClusterError(f"the Ray cluster at {address} has no core for tasks")
        yield RaySolver(SHARDS_PER_CORE * cores)
    finally:
        ray.shutdown()


def _parts(cells: sparse.csr_array) -> tuple[Any, ...]:
    """Return the arrays of a matrix, which Ray shares between processes without copies."""
    return cells.data, cells.indices, cells.indptr, cells.shape


def _improved(
    cells: tuple[Any, ...],
    fixed: Float32,
    scaled_gramian: Float32,
    regularization: Float32,
    rows: Float32,
    block_size: int,
) -> tuple[Float32, float]:
    """Return the improved rows, and Σ c (ŷ - 1)² over what was observed in them."""
    data, indices, indptr, shape = cells
    observed = sparse.csr_array((data, indices, indptr), shape=shape)
    improved = rows.copy()  # what Ray shares is read-only
    loss = improve_rows(observed, fixed, scaled_gramian, regularization, improved, block_size, 1)
    return improved, loss


_improve = ray.remote(num_cpus=1, max_retries=RETRIES)(_improved)
