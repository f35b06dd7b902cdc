"""The one product that iALS spends its time on, kept in vector registers from start to end.

    target[i : i + R, j : j + C]  +=  sign · Σ_k  rows[k, i : i + R]ᵀ rows[k, j : j + C]

for k from `first` to `last`. A loop written out would load and store the target once for each k;
here R × C sums stay in registers, so that only the rows are read. What a compiler makes of
such a loop differs by a factor of three from this; hence the machine-independent vector
code below, which LLVM turns into whatever vectors the processor has.
"""

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

_WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
TILE_ROWS, TILE_COLUMNS = (8, 32) if _WIDE else (4, 16)
"""R and C: with 32 registers of 16 numbers 8 × 32 sums fit; elsewhere half a register file of 8."""

_FAST = ("contract",)  # a product and a sum may become one instruction


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


add_tile: Any = intrinsic(_typed)
"""`add_tile(target, rows, first, last, i, j, sign)`, for use in compiled code; it checks nothing.

    target  (N, M) float32, contiguous; M is a multiple of C
    rows    (K, M) float32, contiguous; may be the target itself where the tile's rows are others
    first   of k, and `last` one past it
    i, j    the tile's first row, a multiple of R, and its first column, a multiple of C
"""


def _generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emit: for k: sums[r] += rows[k, i + r] · rows[k, j : j + C]; then target += sign · sums."""
    first, last, i, j, sign = arguments[2:]
    target, rows = (
        context.make_array(signature.args[n])(context, builder, arguments[n]) for n in (0, 1)
    )
    size = ir.IntType(64)
    vector = ir.VectorType(ir.FloatType(), TILE_COLUMNS)
    zero = ir.Constant(vector, [0.0] * TILE_COLUMNS)
    before = builder.block
    loop, after = (builder.append_basic_block(name) for name in ("tile.loop", "tile.after"))

    def number(value: int) -> Any:
        return ir.Constant(size, value)

    def vector_at(array: Any, row: Any) -> Any:
        place = builder.add(builder.mul(row, builder.extract_value(array.shape, 1)), j)
        return builder.bitcast(builder.gep(array.data, [place]), vector.as_pointer())

    def spread(scalar: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(32), TILE_COLUMNS)
        alone = builder.insert_element(
            ir.Constant(vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
        )
        return builder.shuffle_vector(
            alone, ir.Constant(vector, ir.Undefined), ir.Constant(lanes, [0] * TILE_COLUMNS)
        )

    builder.cbranch(builder.icmp_unsigned("<", first, last), loop, after)

    builder.position_at_end(loop)
    k = builder.phi(size)
    sums = [builder.phi(vector) for _ in range(TILE_ROWS)]
    columns = builder.load(vector_at(rows, k), align=4)
    row = builder.mul(k, builder.extract_value(rows.shape, 1))
    new_sums = []
    for r, total in enumerate(sums):
        place = builder.add(row, builder.add(i, number(r)))
        factor = spread(builder.load(builder.gep(rows.data, [place])))
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
    signs = spread(sign)
    for r, result in enumerate(results):
        address = vector_at(target, builder.add(i, number(r)))
        old = builder.load(address, align=4)
        signed = builder.fmul(result, signs, flags=_FAST)
        builder.store(builder.fadd(signed, old, flags=_FAST), address, align=4)
    return context.get_dummy_value()
