"""A tile of a product of rows, added to a target: the one operation that iALS spends its time on.

    target[i : i + R, j : j + C]  +=  sign · Σ_k  rows[k, i : i + R]ᵀ rows[k, j : j + C]

for k from `first` to `last`. `add_tile` has two forms. As Python it is three plain loops, which
load and store the target once for each k. Compiled code gets vector code instead, written below
in LLVM's machine-independent language: R × C sums stay in vector registers from start to end, so
that only the rows are read, which is about three times as fast. Where LLVM cannot compile that,
or numba is switched off, the plain loops run.
"""

import logging
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic, overload

from recommender.arrays import Float32

logger = logging.getLogger(__name__)

_u = np.uint64

Index = int | np.uint64


def _has_avx512() -> bool:
    try:
        return bool(binding.get_host_cpu_features().get("avx512f"))
    except RuntimeError:  # LLVM does not know this processor
        return False


TILE_ROWS, TILE_COLUMNS = (8, 32) if _has_avx512() else (4, 16)
"""R and C: with 32 registers of 16 numbers 8 × 32 sums fit; elsewhere half a register file of 8."""

_FAST = ("contract",)  # a product and a sum may become one instruction


def add_tile(
    target: Float32,
    rows: Float32,
    first: Index,
    last: Index,
    i: Index,
    j: Index,
    sign: np.float32,
) -> None:
    """Add the product; nothing is checked.

    Args:
        target: (N, M) float32, contiguous; M is a multiple of C.
        rows: (K, M) float32, contiguous; may be the target itself where the tile's rows are others.
        first: the first k.
        last: one past the last k.
        i: the tile's first row, a multiple of R.
        j: its first column, a multiple of C.
        sign: 1 or -1.
    """
    for r in range(i, i + _u(TILE_ROWS)):
        for k in range(first, last):
            factor = sign * rows[k, r]
            for c in range(j, j + _u(TILE_COLUMNS)):
                target[r, c] += factor * rows[k, c]


@overload(add_tile)
def _form_for_compiled_code(
    target: Any, rows: Any, first: Any, last: Any, i: Any, j: Any, sign: Any
) -> Any:
    """Return what compiled code calls for `add_tile`."""
    if not runs_in_registers():
        return add_tile

    def in_registers(
        target: Any, rows: Any, first: Any, last: Any, i: Any, j: Any, sign: Any
    ) -> None:
        add_tile_in_registers(target, rows, first, last, i, j, sign)

    return in_registers


@cache
def runs_in_registers() -> bool:
    """Return whether LLVM compiles the vector code here, and its product is that of the loops."""
    rows = np.linspace(-1, 1, 3 * TILE_COLUMNS, dtype=np.float32).reshape(3, TILE_COLUMNS)
    target, expected = np.zeros((2, TILE_ROWS, TILE_COLUMNS), dtype=np.float32)
    arguments = (rows, _u(0), _u(3), _u(0), _u(0), np.float32(1))
    add_tile(expected, *arguments)
    try:
        numba.njit(_call_in_registers)(target, *arguments)
    except Exception as error:  # numba and LLVM raise many kinds; any means: not here
        logger.warning("iALS runs without its vector code, several times slower: %s", error)
        return False
    return bool(np.allclose(target, expected, atol=1e-5))


def _call_in_registers(
    target: Any, rows: Any, first: Any, last: Any, i: Any, j: Any, sign: Any
) -> None:
    add_tile_in_registers(target, rows, first, last, i, j, sign)


def _typed(
    typing_context: Any,
    target: Any,
    rows: Any,
    first: Any,
    last: Any,
    i: Any,
    j: Any,
    sign: Any,
) -> Any:
    count = types.uint64
    signature = types.void(target, rows, count, count, count, count, types.float32)
    return signature, _generate


add_tile_in_registers: Any = intrinsic(_typed)
"""The vector form, for use in compiled code only; arguments as of `add_tile`."""


def _spread(builder: Any, scalar: Any) -> Any:
    """Emit: a vector with a number in every lane."""
    vector = ir.VectorType(ir.FloatType(), TILE_COLUMNS)
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), TILE_COLUMNS), [0] * TILE_COLUMNS)
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, lanes)


def _generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emit: for k: sums[r] += rows[k, i + r] · rows[k, j : j + C]; then target += sign · sums."""
    first, last, i, j, sign = arguments[2:]
    target, rows = (
        context.make_array(signature.args[n])(context, builder, arguments[n]) for n in (0, 1)
    )
    size, vector = ir.IntType(64), ir.VectorType(ir.FloatType(), TILE_COLUMNS)
    zero = ir.Constant(vector, [0.0] * TILE_COLUMNS)
    before = builder.block
    loop, after = (builder.append_basic_block(name) for name in ("tile.loop", "tile.after"))

    def number(value: int) -> Any:
        return ir.Constant(size, value)

    def vector_at(array: Any, row: Any) -> Any:
        index = builder.add(builder.mul(row, builder.extract_value(array.shape, 1)), j)
        return builder.bitcast(builder.gep(array.data, [index]), vector.as_pointer())

    builder.cbranch(builder.icmp_unsigned("<", first, last), loop, after)

    builder.position_at_end(loop)
    k = builder.phi(size)
    sums = [builder.phi(vector) for _ in range(TILE_ROWS)]
    columns = builder.load(vector_at(rows, k), align=4)
    row = builder.mul(k, builder.extract_value(rows.shape, 1))
    new_sums = []
    for r, total in enumerate(sums):
        index = builder.add(row, builder.add(i, number(r)))
        factor = _spread(builder, builder.load(builder.gep(rows.data, [index])))
        product = builder.fmul(factor, columns, flags=_FAST)
        new_sums.append(builder.fadd(product, total, flags=_FAST))
    next_k = builder.add(k, number(1))
    for phi, start, step in (
        (k, first, next_k),
        *((s, zero, n) for s, n in zip(sums, new_sums, strict=True)),
    ):
        phi.add_incoming(start, before)
        phi.add_incoming(step, loop)
    builder.cbranch(builder.icmp_unsigned("<", next_k, last), loop, after)

    builder.position_at_end(after)
    results = [builder.phi(vector) for _ in range(TILE_ROWS)]
    for result, total in zip(results, new_sums, strict=True):
        result.add_incoming(zero, before)
        result.add_incoming(total, loop)
    signs = _spread(builder, sign)
    for r, result in enumerate(results):
        address = vector_at(target, builder.add(i, number(r)))
        old = builder.load(address, align=4)
        signed = builder.fmul(result, signs, flags=_FAST)
        builder.store(builder.fadd(signed, old, flags=_FAST), address, align=4)
    return context.get_dummy_value()
