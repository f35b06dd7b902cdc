"""Popularity: interactions in, counts over all time and recent counts of each title out.

    count_i = |U_i|        trending_i = Σ_{u ∈ U_i} 2^{-(now - t_ui) / half-life}

U profiles, I items, B batch.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from scipy import sparse

from recommender import checks
from recommender.arrays import AnyArray, Float32
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError, NotFittedError
from recommender.vocabulary import UNKNOWN, Vocabulary

SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class PopularityConfig:
    half_life_days: float = 30.0
    """After this many days an interaction counts half as much towards what is trending."""

    def __post_init__(self) -> None:
        checks.positive(half_life_days=self.half_life_days)


class Popularity:
    """Scores every item alike for everyone, by how many profiles liked it."""

    def __init__(self, config: PopularityConfig = PopularityConfig()) -> None:
        self.config = config
        self.items = Vocabulary([])
        self.counts = np.empty(0, dtype=np.float32)  # (I,)
        self.trending = np.empty(0, dtype=np.float32)  # (I,)

    def fit(self, interactions: Interactions, now: datetime | None = None) -> "Popularity":
        """Count.

        Args:
            interactions: who liked what. Without times, trending equals popular.
            now: aware; None takes the latest time among the interactions. Later ones count as now.
        """
        self.items = interactions.items
        matrix = interactions.matrix
        self.counts = np.asarray(matrix.sum(axis=0), dtype=np.float32)
        times = interactions.last_at
        if times is None or not times.nnz:
            self.trending = self.counts.copy()
            return self
        present = times.data.max() if now is None else now.timestamp()
        age_days = np.maximum(present - times.data, 0.0) / SECONDS_PER_DAY
        recency = np.exp2(-age_days / self.config.half_life_days)
        trending = np.bincount(
            times.indices, weights=recency * matrix.data, minlength=matrix.shape[1]
        )
        self.trending = trending.astype(np.float32)
        return self

    def score(self, histories: sparse.csr_array) -> Float32:
        """Score all items for a batch of histories: (B, I), the counts in every row."""
        if not len(self.counts):
            raise NotFittedError("Popularity has no counts: call fit(), or load an artifact")
        if histories.shape[1] != len(self.counts):
            raise InvalidInputError(
                f"each history needs {len(self.counts)} columns, got {histories.shape[1]}"
            )
        return np.broadcast_to(self.counts, histories.shape)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact."""
        if not len(self.counts):
            raise NotFittedError("Popularity has no counts: call fit() before save()")
        arrays: dict[str, AnyArray] = {
            "item_ids": self.items.ids,
            "counts": self.counts,
            "trending": self.trending,
        }
        return save_artifact(folder, "popularity", self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Popularity":
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or of another kind or version.
        """
        with loading(folder):
            artifact = load_artifact(folder, "popularity")
            model = cls(read_config(PopularityConfig, artifact.manifest.config, {}))
            model.items = Vocabulary(artifact.ids("item_ids"))
            model.counts = artifact.array("counts", "f", len(model.items))
            model.trending = artifact.array("trending", "f", len(model.items))
            return model


def spread(values: Float32, items: Vocabulary, catalogue: Catalogue) -> Float32:
    """Return (I,) values of items at the catalogue's item numbers, 0 where there is none."""
    over = np.zeros(len(catalogue), dtype=np.float32)
    numbers = catalogue.items_of(items.ids)
    over[numbers[numbers != UNKNOWN]] = values[numbers != UNKNOWN]
    return over
