"""The order among documents whose evidence is equally good.

N documents.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def order(
    bands: NDArray[np.uint8],
    tie_break: NDArray[np.int64],
    k: int,
    none: int,
    preference: Floats | None,
) -> NDArray[np.int64]:
    """Return the k best matching documents: by band, then preference, then the tie break.

    Args:
        bands: (N,) evidence, lower is better; `none` does not match.
        tie_break: (N,) distinct, lower first.
        k: how many at most.
        none: the band of no match.
        preference: (N,) higher first within a band, or None.
    """
    matching = np.flatnonzero(bands != none)
    keys: list[NDArray[np.generic]] = [tie_break[matching]]
    if preference is not None:
        keys.append(-preference[matching])
    keys.append(bands[matching])
    return matching[np.lexsort(keys)[:k]]


def preference_of(affinity: Floats | None, popularity: Floats | None) -> Floats | None:
    """Return (N,) one number from taste and popularity, or None where neither is known.

    Each is brought to [0, 1] first: taste by its largest value (what does not fit counts 0),
    popularity on a logarithmic scale. They count alike.
    """
    parts = []
    if affinity is not None:
        parts.append(_to_unit(np.maximum(affinity, 0)))
    if popularity is not None:
        parts.append(_to_unit(np.log1p(np.maximum(popularity, 0))))
    return np.sum(parts, axis=0, dtype=np.float32) if parts else None


def _to_unit(values: Floats) -> Floats:
    largest = values.max(initial=0.0)
    return values / largest if largest > 0 else values
