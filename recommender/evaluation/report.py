"""Results by group: metric values of profiles in, means by history size out.

B profiles.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommender import checks
from recommender.arrays import Float64, Int64
from recommender.errors import InvalidInputError


@dataclass(frozen=True)
class Bucket:
    """Profiles of about the same history size.

    Attributes:
        smallest: the fewest items in a history here.
        largest: the most.
        profiles: how many profiles there are.
        means: each metric's mean over them.
    """

    smallest: int
    largest: int
    profiles: int
    means: Mapping[str, float]


def by_history_size(
    values: Mapping[str, Float64], history_sizes: Int64, buckets: int = 10
) -> list[Bucket]:
    """Group the profiles by history size, into deciles by default.

    Histories of the same size always share a bucket, so there may be fewer buckets than asked for.

    Args:
        values: each metric's values, (B,).
        history_sizes: (B,).
        buckets: into how many parts of about equal number.
    """
    checks.whole(buckets=buckets)
    for name, metric_values in values.items():
        if len(metric_values) != len(history_sizes):
            raise InvalidInputError(
                f"{name} has {len(metric_values)} values for {len(history_sizes)} sizes"
            )
    if not len(history_sizes):
        return []
    inner = np.quantile(history_sizes, np.arange(1, buckets) / buckets, method="lower")
    places = np.searchsorted(np.unique(inner), history_sizes, side="left")
    return [
        Bucket(
            int(history_sizes[here].min()),
            int(history_sizes[here].max()),
            int(here.sum()),
            {
                name: float(np.nanmean(metric_values[here]))
                for name, metric_values in values.items()
            },
        )
        for here in (places == place for place in np.unique(places))
    ]
