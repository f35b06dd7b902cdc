"""Neighbour lists of a release: interactions in, R-LARM's lists and metrics beside EASE's out."""

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

METRIC = "ndcg@100"


@dataclass(frozen=True)
class NeighbourModel:
    neighbours: Neighbours
    metrics: dict[str, Any]
    """Plain JSON: those of the published lists, as for every model; the `curve`; `systems`, the
    same of EASE and of the lists before they were cut; and `by_history_size`, a list."""


def train_neighbours(
    train: Interactions,
    held_out: HeldOut,
    config: LarmConfig,
    size: int,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> NeighbourModel:
    """Train R-LARM, cut its weights to short lists and evaluate these.

    Args:
        train: the training data.
        held_out: profiles that are not in it.
        config: of the game. Its first round weighs all alike and is EASE.
        size: how many neighbours of each item are kept.
        on_epoch: called with the newest point of the curve.

    Raises:
        TooLargeError: the items do not fit in `config.max_bytes`.
    """
    began = time.perf_counter()
    curve: list[dict[str, Any]] = []
    values_of: dict[str, dict[str, Float64]] = {}
    larm = Larm(config)

    def note(report: LarmEpochReport) -> None:
        values_of["R-LARM"] = strong_generalisation(larm.score, held_out)
        if report.epoch == 1:
            values_of["EASE"] = values_of["R-LARM"]
        point = {
            "epoch": report.epoch,
            "training_ndcg": report.training_ndcg,
            "effective_share": report.effective_share,
            METRIC: means(values_of["R-LARM"]).get(METRIC),
            "seconds": report.seconds,
        }
        curve.append(point)
        if on_epoch is not None:
            on_epoch(point)

    larm.fit(train, note)
    neighbours = larm.neighbours(size)
    published = values_of["published"] = strong_generalisation(neighbours.score, held_out)
    metrics = {
        **means(published),
        "curve": curve,
        "systems": {name: means(values_of[name]) for name in ("EASE", "R-LARM")},
        "by_history_size": _by_history_size(values_of, held_out),
        "held_out_profiles": len(held_out.rows),
        "seconds": time.perf_counter() - began,
    }
    return NeighbourModel(neighbours, metrics)


def _by_history_size(
    values_of: dict[str, dict[str, Float64]], held_out: HeldOut
) -> list[dict[str, Any]]:
    evaluated = np.flatnonzero(np.diff(held_out.targets.indptr))
    sizes = np.diff(held_out.histories.indptr)[evaluated]
    values = {name: values_of[name][METRIC] for name in ("EASE", "published")}
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
