"""The ranker's fields of what a slate showed as bytes, and scores as JSON's shortest numbers."""

import zlib

import numpy as np
from safetensors.numpy import load, save

from recommender.arrays import Float32
from recommender.data.examples import Examples


def shortest_floats(scores: Float32) -> list[float]:
    """Return numbers that JSON writes in the fewest digits that name each float32."""
    return [float(f"{score:.9g}") for score in scores.tolist()]


def pack_fields(fields: Examples) -> bytes:
    """Return the fields as compressed safetensors; about 30 bytes a slot."""
    arrays = {"categories": fields.categories.astype(np.int32), "numbers": fields.numbers}
    return zlib.compress(save(arrays), level=1)


def unpack_fields(stored: bytes | memoryview) -> Examples:
    """Return the fields that `pack_fields` wrote, labels 0."""
    arrays = load(zlib.decompress(stored))
    categories = arrays["categories"].astype(np.int64)
    return Examples(categories, arrays["numbers"], np.zeros(len(categories), dtype=np.int64))
