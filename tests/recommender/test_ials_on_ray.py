"""iALS on a Ray cluster of two nodes: the same vectors, also where a node is lost."""

import numpy as np
import pytest

from benchmarks.planted import planted
from recommender.data.interactions import Interactions
from recommender.errors import ClusterError
from recommender.models.ials import Ials, IalsConfig

ray = pytest.importorskip("ray", reason="needs requirements-cluster.txt")
from ray.cluster_utils import Cluster  # noqa: E402

from recommender.solvers.block_newton_ray import ray_solver  # noqa: E402

STORE_BYTES = 200_000_000
CONFIG = IalsConfig(embedding_size=16, epochs=4)


@pytest.fixture(scope="module")
def interactions():
    return Interactions.from_matrix(planted(400, 150, 8_000))


@pytest.fixture
def cluster():
    sizes = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    made = Cluster(initialize_head=True, head_node_args={**sizes, "include_dashboard": False})
    yield made, made.add_node(**sizes)
    made.shutdown()


def test_it_learns_the_same_and_outlives_a_node(cluster, interactions, monkeypatch):
    nodes, second = cluster
    alone = Ials(CONFIG).fit(interactions)
    losses = []
    with ray_solver(nodes.address) as solver:
        assert solver.num_shards == 8
        together = Ials(CONFIG).fit(interactions, lambda r: losses.append(r.loss), solver=solver)
        np.testing.assert_array_equal(together.item_factors, alone.item_factors)
        np.testing.assert_array_equal(together.profile_factors, alone.profile_factors)

        get, asked = ray.get, []

        def get_and_lose_a_node(reference):
            asked.append(reference)
            if len(asked) == 2 * solver.num_shards + 1:  # the third half-step has just begun
                nodes.remove_node(second, allow_graceful=False)
            return get(reference)

        monkeypatch.setattr(ray, "get", get_and_lose_a_node)
        less = Ials(CONFIG).fit(interactions, solver=solver)
        assert len(asked) == 2 * CONFIG.epochs * solver.num_shards
        np.testing.assert_array_equal(less.item_factors, alone.item_factors)
    assert not ray.is_initialized()
    assert losses == sorted(losses, reverse=True)


def test_a_cluster_that_is_not_there_is_an_error_in_words():
    with (
        pytest.raises(ClusterError, match=r"at 127.0.0.1:9 does not answer"),
        ray_solver("127.0.0.1:9"),
    ):
        pass
