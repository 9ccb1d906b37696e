"""Running results along one axis: sums, first-order linear recurrences, which differentiate each other, and extremes.

``sum``: ``y[i] = y[i - 1] + x[i]``; ``linear``: ``y[i] = a[i] * y[i - 1] + b[i]``, both from 0; ``max``, ``min``; ``logsum``: the
logarithm of ``exp(y[i - 1]) + exp(x[i])``. Buffers: inputs ``[outer, count, inner]``,
the output of the same shape. Parameters: outer, count, inner, and whether the last position comes first. Half precision is kept in
float32 on the way.
"""

from __future__ import annotations

from functools import partial

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, size
from mindspore.kernels import cost, lanes, runtime, scalars
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.flatten_folds import accumulator, identity_of
from mindspore.primitives.scalar import Expr, Scalars, trace

FAMILY = "accumulate"
INPUTS = {"sum": 1, "linear": 2, "max": 1, "min": 1, "logsum": 1}
BLOCK = 256
"""Neighbouring columns that advance together."""


def spec(kind: str, dtype: DType) -> KernelSpec:
    name = f"msk_{FAMILY}_{kind}_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, kind=kind, dtype=dtype))


def params(shape: Shape, axis: int, reverse: bool) -> tuple[int, ...]:
    """Parameters for `axis` (not negative) of a contiguous tensor of `shape`."""
    return (size(shape[:axis]), shape[axis], size(shape[axis + 1 :]), int(reverse))


def _emit(module: Module, name: str, kind: str, dtype: DType) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    outer, count, inner, reverse = (runtime.param(f, i) for i in range(4))
    blocks = f.op("sdiv", inner + (BLOCK - 1), BLOCK)
    work = f.maximum(count * f.minimum(inner, BLOCK), 1)
    grain = f.maximum(f.op("sdiv", f.index(cost.FOLD_CHUNK), work), 1)
    buffers = [runtime.buffer(f, i) for i in range(INPUTS[kind] + 1)]
    with f.when(outer * count * inner > 0):
        captured = [*buffers, count, inner, reverse]
        runtime.parallel(f, f"{name}_chunk", outer * blocks, grain, captured, partial(_chunk, kind, dtype))
    runtime.done(f)


def _chunk(kind: str, dtype: DType, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    *sources, target, count, inner, reverse = captured
    wide = accumulator(dtype)
    kept = f.alloca(lanes.memory_type(wide), BLOCK * (2 if dtype.is_complex else 1))
    blocks = f.op("sdiv", inner + (BLOCK - 1), BLOCK)
    with f.loop(begin, end, hints=[NO_VECTOR]) as unit:
        outer, first = f.op("sdiv", unit.index, blocks), f.op("srem", unit.index, blocks) * BLOCK
        width = f.minimum(inner - first, BLOCK)
        with f.loop(0, width) as column:
            lanes.store(
                f, scalars.constant(f, _start(kind, wide), wide), lanes.address(f, kept, column.index, wide), wide
            )
        with f.loop(0, count, hints=[NO_VECTOR]) as row:
            place = f.select(reverse.ne(0), count - 1 - row.index, row.index)
            start = (outer * count + place) * inner + first
            with f.loop(0, width) as column:
                _advance(kind, dtype, f, sources, target, kept, column.index, start)


def _advance(
    kind: str, dtype: DType, f: Function, sources: list[Value], target: Value, kept: Value, column: Value, start: Value
) -> None:
    """One element: its column's running value moves on and is written."""
    wide = accumulator(dtype)
    slot = lanes.address(f, kept, column, wide)
    given = [lanes.load(f, lanes.address(f, s, start + column, dtype), dtype) for s in sources]
    result = scalars.lower(f, _step(kind, wide), [lanes.load(f, slot, wide), *given])
    lanes.store(f, result, slot, wide)
    lanes.store(f, result, lanes.address(f, target, start + column, dtype), dtype)


def _step(kind: str, dtype: DType) -> Expr:
    before, *given = (Expr("operand", (), dtype, i) for i in range(INPUTS[kind] + 1))
    if kind == "logsum":
        return trace(_log_of_sum, (dtype, dtype))
    if kind != "linear":
        return Expr({"sum": "add", "max": "maximum", "min": "minimum"}[kind], (before, given[0]), dtype)
    return Expr("add", (Expr("mul", (given[0], before), dtype), given[1]), dtype)


def _log_of_sum(s: Scalars, x: Expr, y: Expr) -> Expr:
    """Equal operands are no distance apart, infinite ones neither."""
    apart = s.select(s.eq(x, y), 0, s.neg(s.abs(s.sub(x, y))))
    return s.add(s.maximum(x, y), s.log1p(s.exp(apart)))


def _start(kind: str, dtype: DType) -> float | bool:
    if kind == "logsum":
        return float("-inf")
    return identity_of(kind, dtype) if kind in ("max", "min") else 0
