"""The neighbour lists of a release: R-LARM's, held against EASE on the same held-out profiles."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.arrays import Float64
from recommender.data.interactions import Interactions
from recommender.data.splits import HeldOut
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.evaluation.report import by_history_size
from recommender.models.item_to_item import Neighbours
from recommender.models.larm import Larm, LarmConfig, LarmEpochReport

JUDGED_BY = "ndcg@100"


@dataclass(frozen=True)
class NeighbourModel:
    neighbours: Neighbours
    metrics: dict[str, Any]
    """Plain JSON: what the published lists reach, as for every model; the `curve`; `systems`, the
    same of EASE and of the lists before they were cut; and `by_history_size`, a list."""


def train_neighbours(
    train: Interactions,
    held_out: HeldOut,
    config: LarmConfig,
    size: int,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> NeighbourModel:
    """Train R-LARM, cut its weights to short lists and judge them.

    Args:
        train: what is learned from.
        held_out: profiles that are not in it.
        config: of the game. Its first round weighs all alike and is EASE.
        size: how many neighbours of each item are kept.
        on_epoch: told the newest point of the curve.

    Raises:
        TooLargeError: the items do not fit in `config.max_bytes`.
    """
    began = time.perf_counter()
    curve: list[dict[str, Any]] = []
    found: dict[str, dict[str, Float64]] = {}
    larm = Larm(config)

    def note(report: LarmEpochReport) -> None:
        found["R-LARM"] = strong_generalisation(larm.score, held_out)
        if report.epoch == 1:
            found["EASE"] = found["R-LARM"]
        point = {
            "epoch": report.epoch,
            "training_ndcg": report.training_ndcg,
            "effective_share": report.effective_share,
            JUDGED_BY: means(found["R-LARM"]).get(JUDGED_BY),
            "seconds": report.seconds,
        }
        curve.append(point)
        if on_epoch is not None:
            on_epoch(point)

    larm.fit(train, note)
    neighbours = larm.neighbours(size)
    published = found["published"] = strong_generalisation(neighbours.score, held_out)
    metrics = {
        **means(published),
        "curve": curve,
        "systems": {name: means(found[name]) for name in ("EASE", "R-LARM")},
        "by_history_size": _by_history_size(found, held_out),
        "held_out_profiles": len(held_out.rows),
        "seconds": time.perf_counter() - began,
    }
    return NeighbourModel(neighbours, metrics)


def _by_history_size(
    found: dict[str, dict[str, Float64]], held_out: HeldOut
) -> list[dict[str, Any]]:
    asked = np.flatnonzero(np.diff(held_out.targets.indptr))
    sizes = np.diff(held_out.histories.indptr)[asked]
    values = {name: found[name][JUDGED_BY] for name in ("EASE", "published")}
    return [
        {
            "smallest": bucket.smallest,
            "largest": bucket.largest,
            "profiles": bucket.profiles,
            "ease": bucket.means["EASE"],
            "larm": bucket.means["published"],
        }
        for bucket in by_history_size(values, sizes)
    ]
