"""Off-policy estimates hold what the other policy truly earned, on Open Bandit's logs and our own.

Open Bandit (Saito et al. 2020, CC BY 4.0), the 60,000-row sample: two policies of a fashion shop,
random and Bernoulli Thompson sampling (bts), logged side by side in three campaigns, 10,000 rows
each. From the log of one the click rate of the other is estimated, and held against its own log.
Interval: 95 %. Truth's own interval is that of a mean over its 10,000 rows.

bts changed as it learned, and the log does not say what it would have done with other rows. As a
target it is therefore what it did on the whole: its share of each item in each position, counted
in its own log; its clicks are not looked at.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.harness import Options, Row
from recommender.arrays import Bool, Float64
from recommender.evaluation.off_policy import (
    Logged,
    OffPolicyEstimate,
    crossed_means,
    doubly_robust,
    ips,
    self_normalised,
)

CAMPAIGNS = ("all", "men", "women")
DRAWS, QUICK_DRAWS = 500, 100
POSITIONS = 3


class Log:
    """One policy in one campaign; B rows, K items."""

    def __init__(self, table: dict[str, NDArray[np.generic]], rows: Bool) -> None:
        self.items = table["item_id"][rows].astype(np.int64)
        self.positions = table["position"][rows].astype(np.int64) - 1
        self.clicks = table["click"][rows].astype(np.float64)
        self.propensities = table["propensity_score"][rows].astype(np.float64)

    def shares(self, num_items: int) -> Float64:
        """(P, K) how often each item was shown in each position."""
        counts = np.zeros((POSITIONS, num_items))
        np.add.at(counts, (self.positions, self.items), 1)
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def run(options: Options) -> Iterator[Row]:
    """Yield, for each direction, the truth and the estimates with their effective sample."""
    if options.wants("open bandit"):
        yield from _open_bandit(options)
    if options.wants("synthetic"):
        yield from _synthetic(QUICK_DRAWS if options.quick else DRAWS)


def _open_bandit(options: Options) -> Iterator[Row]:
    read = pq.read_table(options.data / "open-bandit-sample" / "log.parquet")
    table = {name: read[name].to_numpy() for name in read.column_names}
    for campaign in CAMPAIGNS:
        here = table["campaign"] == campaign
        logs = {
            policy: Log(table, here & (table["policy"] == policy)) for policy in ("random", "bts")
        }
        num_items = 1 + max(int(log.items.max()) for log in logs.values())
        targets = {
            "random": np.full((POSITIONS, num_items), 1 / num_items),
            "bts": logs["bts"].shares(num_items),
        }
        for logging, target in (("random", "bts"), ("bts", "random")):
            protocol = f"{campaign}: {target} from the log of {logging}"
            truth = logs[target].clicks
            reach = 1.96 * truth.std(ddof=1) / np.sqrt(len(truth))
            mean = float(truth.mean())
            yield Row(protocol, "truth", "click rate", mean, mean - reach, mean + reach)
            for estimate in _estimates(logs[logging], targets[target]):
                reward = estimate.reward
                yield Row(
                    protocol, estimate.method, "click rate", reward.value, reward.low, reward.high
                )
                holds = float(reward.low <= mean <= reward.high)
                yield Row(protocol, estimate.method, "holds the truth", holds)
            size, warned = estimate.effective_sample, float(bool(estimate.warning))
            yield Row(protocol, "all", "effective sample", size)
            yield Row(protocol, "all", "warned of", warned)


def _estimates(log: Log, target: Float64) -> list[OffPolicyEstimate]:
    logged = Logged(log.clicks, log.propensities, target[log.positions, log.items])
    model = crossed_means(log.items, log.clicks, target.shape[1], np.random.default_rng(0))
    predicted = model[np.arange(len(log.items)), log.items]
    expected = (target[log.positions] * model).sum(axis=1)
    return [ips(logged), self_normalised(logged), doubly_robust(logged, predicted, expected)]


def _synthetic(draws: int, choices: int = 5000, actions: int = 20) -> Iterator[Row]:
    """Yield how often the intervals hold a truth that is known: two kinds of viewers."""
    rates = np.vstack([np.linspace(0.01, 0.15, actions), np.linspace(0.15, 0.01, actions)])
    logging = np.vstack([np.linspace(1, 3, actions), np.linspace(2, 1, actions)])
    target = np.vstack([np.linspace(1, 6, actions), np.linspace(6, 1, actions)])
    logging /= logging.sum(axis=1, keepdims=True)
    target /= target.sum(axis=1, keepdims=True)
    truth = float((target * rates).sum(axis=1).mean())
    held: dict[str, list[bool]] = {}
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        kind = rng.integers(0, 2, choices)
        reached = logging.cumsum(axis=1)[kind]
        done = (rng.random((choices, 1)) > reached).sum(axis=1).clip(max=actions - 1)
        rewards = (rng.random(choices) < rates[kind, done]).astype(np.float64)
        logged = Logged(rewards, logging[kind, done], target[kind, done])
        model = crossed_means(done, rewards, actions, rng)
        predicted = model[np.arange(choices), done]
        expected = (target[kind] * model).sum(axis=1)
        for estimate in (
            ips(logged),
            self_normalised(logged),
            doubly_robust(logged, predicted, expected),
        ):
            reward = estimate.reward
            held.setdefault(estimate.method, []).append(reward.low <= truth <= reward.high)
    for method, each in held.items():
        yield Row(f"synthetic, {draws} draws", method, "coverage", float(np.mean(each)))
