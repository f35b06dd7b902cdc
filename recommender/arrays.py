"""Array types by the type of their numbers, and rows scaled to unit length.

A function's docstring says the shape.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Floating = NDArray[np.floating]
"""Of any precision: what a public function accepts and converts."""

Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Integer = NDArray[np.integer]
UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
UInt64 = NDArray[np.uint64]
Int16 = NDArray[np.int16]
Bool = NDArray[np.bool_]
AnyArray = NDArray[Any]


def unit_rows(vectors: Floating) -> Float32:
    """Return (B, D) rows at length 1; zeros stay zeros."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return np.asarray(vectors / lengths, dtype=np.float32)
