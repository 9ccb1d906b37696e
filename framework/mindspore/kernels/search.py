"""Where values belong in sorted rows: a binary search for several values at once, without jumps.

Every value halves what is left of its row as often as any other, so their searches run side by side and do not wait for memory one after
the other. Buffers: rows in ascending order, values, Int64 positions. Parameters:

    [0] rows of values, [1] elements of a sorted row, [2] values of a row, [3] elements from one sorted row to the next, 0 for a single one
"""

from __future__ import annotations

from functools import partial

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, size
from mindspore.kernels import lanes, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value

FAMILY = "order"
SIDE = 16
"""Searches that run side by side."""
GRAIN = 64
"""Such groups of one chunk."""


def spec(dtype: DType, right: bool) -> KernelSpec:
    name = f"msk_{FAMILY}_search_{'behind' if right else 'before'}_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, dtype=dtype, right=right))


def params(ordered: Shape, values: Shape) -> tuple[int, ...]:
    """The shapes of the sorted rows and of the values; a vector is one row for all values."""
    if len(ordered) == 1:
        return (1, ordered[0], size(values), 0)
    return (size(values[:-1]), ordered[-1], values[-1], ordered[-1])


def _emit(module: Module, name: str, dtype: DType, right: bool) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    rows, length, count, stride = (runtime.param(f, i) for i in range(4))
    groups = f.op("sdiv", count + (SIDE - 1), SIDE)
    captured = [*(runtime.buffer(f, i) for i in range(3)), length, count, stride, groups]
    with f.when(rows * groups > 0):
        runtime.parallel(f, f"{name}_chunk", rows * groups, GRAIN, captured, partial(_chunk, dtype, right))
    runtime.done(f)


def _chunk(dtype: DType, right: bool, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    ordered, values, target, length, count, stride, groups = captured
    kind = lanes.register_type(dtype) if dtype is not dt.bool_ else "i8"
    wanted, places = f.alloca(kind, SIDE), f.alloca("i64", SIDE)
    zeros = f.intrinsic("ctlz", "i64", length - 1, f.value(False, "i1"))
    halvings = f.maximum(f.index(64) - zeros, 0)

    def goes_on(start: Value, place: Value, side: Value) -> Value:
        """Whether the value belongs behind the element at `place`."""
        element, value = _load(f, ordered, start + place, dtype), f.load(kind, wanted.at(kind, side))
        return f.compare("le" if right else "lt", element, value, unsigned=dtype.kind in "bu")

    with f.loop(begin, end, hints=[NO_VECTOR, NO_UNROLL]) as group:
        row, first = f.op("sdiv", group.index, groups), f.op("srem", group.index, groups) * SIDE
        start, own = row * stride, row * count
        with f.loop(0, SIDE, hints=[NO_VECTOR]) as side:
            here = f.minimum(first + side.index, count - 1)
            f.store(_load(f, values, own + here, dtype), wanted.at(kind, side.index))
            f.store(f.index(0), places.at("i64", side.index))
        with f.when(length > 0):
            with f.loop(0, halvings, carried=[length], hints=[NO_VECTOR, NO_UNROLL]) as level:
                half = f.op("lshr", level.carried[0], 1)
                with f.loop(0, SIDE) as side:
                    at = places.at("i64", side.index)
                    place = f.load("i64", at)
                    behind = goes_on(start, place + half - 1, side.index)
                    f.store(f.select(behind, place + half, place), at)
                level.next(level.carried[0] - half)
            with f.loop(0, SIDE) as side:
                at = places.at("i64", side.index)
                place = f.load("i64", at)
                f.store(place + goes_on(start, place, side.index).to("zext", "i64"), at)
        with f.loop(0, f.minimum(count - first, SIDE)) as side:
            f.store(f.load("i64", places.at("i64", side.index)), target.at("i64", own + first + side.index))


def _load(f: Function, source: Value, index: Value, dtype: DType) -> Value:
    lane = lanes.load(f, lanes.address(f, source, index, dtype), dtype)
    assert isinstance(lane, Value)
    return lane.to("zext", "i8") if dtype is dt.bool_ else lane
