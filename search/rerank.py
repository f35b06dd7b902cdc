"""The order among documents whose evidence is equally good.

N documents, M of them matching.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recommender.arrays import Float32, Float64, Int64, UInt8
from search.errors import ArrayShapeError


@dataclass(frozen=True)
class Weights:
    """How much each part counts within a band; every part is from 0 to 1."""

    taste: float = 8.0
    """Chosen on validation requests; see docs/models/search.md."""
    popularity: float = 1.0
    chosen: float = 8.0
    alike: float = 8.0
    strength: float = 1.0
    meaning: float = 16.0
    held: float = 64.0
    """More than all others together: what more filters hold for stands first."""

    def of(self, part: str) -> float:
        return float(getattr(self, part))


DEFAULT = Weights()
COUNTED = frozenset({"popularity", "chosen"})
"""Parts that count something, on a logarithmic scale."""


@dataclass(frozen=True)
class Preference:
    """What speaks for documents within a band, each part (N,) from 0 to 1 by its name."""

    parts: Mapping[str, Float32] = field(default_factory=dict)
    weights: Weights = DEFAULT

    @classmethod
    def of(
        cls,
        count: int,
        affinity: Float32 | None,
        popularity: Float32 | None,
        chosen: Float32 | None = None,
        alike: Float32 | None = None,
        weights: Weights = DEFAULT,
        *,
        meaning: Float32 | None = None,
        held: Float32 | None = None,
        strength: Float32 | None = None,
    ) -> "Preference":
        """Bring every part to [0, 1].

        Args:
            count: N.
            affinity: (N,) how well each document fits the viewer; what does not fit counts 0.
            popularity: (N,) how many people like it, counted on a logarithmic scale.
            chosen: (N,) how often it was chosen after this text, on a logarithmic scale too.
            alike: (N,) the likeness to the document that others should be like.
            weights: how much each part counts.
            meaning: (N,) how near each document is to words that no name holds.
            held: (N,) how much of what was asked for holds.
            strength: (N,) how much each document is of what was asked for.

        Raises:
            ArrayShapeError: an array is of another length.
        """
        given = {
            "taste": affinity,
            "popularity": popularity,
            "chosen": chosen,
            "alike": alike,
            "meaning": meaning,
            "held": held,
            "strength": strength,
        }
        parts = {}
        for name, values in given.items():
            if values is None:
                continue
            if values.shape != (count,):
                raise ArrayShapeError(f"{name} must be ({count},), got {values.shape}")
            positive = np.maximum(values, 0)
            parts[name] = _to_unit(np.log1p(positive) if name in COUNTED else positive)
        return cls(parts, weights)

    def total(self, places: Int64) -> Float32:
        """Return (M,) the weighted sum."""
        total = np.zeros(len(places), dtype=np.float32)
        for name, values in self.parts.items():
            total += np.float32(self.weights.of(name)) * values[places]
        return total

    def explained(self, place: int) -> dict[str, float]:
        """Return what each part adds."""
        return {name: self.weights.of(name) * float(v[place]) for name, v in self.parts.items()}


def order(bands: UInt8, tie_break: Int64, k: int, none: int, preference: Preference) -> Int64:
    """Return the k best matching documents: by band, then preference, then the tie break.

    Cost: one pass over the bands, and a sort of the bands that the k best are in.

    Args:
        bands: (N,) evidence, lower is better; `none` does not match.
        tie_break: (N,) distinct, lower first.
        k: how many at most.
        none: the band of no match.
        preference: what speaks for each within its band.
    """
    matching = np.flatnonzero(bands != none)
    found = bands[matching]
    if len(matching) > k:
        last = np.partition(found, k - 1)[k - 1] if k else 0
        matching = matching[found <= last]
        found = bands[matching]
    keys = (tie_break[matching], -preference.total(matching), found)
    return matching[np.lexsort(keys)[:k]]


def order_by(tiers: UInt8, keys: Float64, tie_break: Int64, k: int, none: int) -> Int64:
    """Return the k first matching documents: by tier, then the greatest key, then the tie break.

    Args:
        tiers: (N,) lower is better; `none` does not match.
        keys: (N,) what they are sorted by.
        tie_break: (N,) distinct, lower first.
        k: how many at most.
        none: the tier of no match.
    """
    matching = np.flatnonzero(tiers != none)
    return matching[np.lexsort((tie_break[matching], -keys[matching], tiers[matching]))[:k]]


def _to_unit(values: Float32) -> Float32:
    largest = values.max(initial=0.0)
    return values / largest if largest > 0 else values
