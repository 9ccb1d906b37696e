"""Positions of the elements of each row in ascending or descending order: a stable merge sort; NaN counts as larger than any number.

Buffers: input ``[rows, count]``, Int64 output of the same shape. Parameters: rows, count, doublings (the least k with ``2**k >= count``).
"""

from __future__ import annotations

from functools import partial

from mindspore.base.dtypes import DType
from mindspore.kernels import cost, lanes, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value

FAMILY = "sort"


def spec(dtype: DType, descending: bool) -> KernelSpec:
    name = f"msk_{FAMILY}_{'descending' if descending else 'ascending'}_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, dtype=dtype, descending=descending))


def params(rows: int, count: int) -> tuple[int, ...]:
    return (rows, count, max(0, (count - 1).bit_length()))


def _emit(module: Module, name: str, dtype: DType, descending: bool) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    rows, count, doublings = (runtime.param(f, i) for i in range(3))
    work = count * 4 * (doublings + 1)
    grain = f.maximum(f.op("sdiv", f.index(cost.FOLD_CHUNK), f.maximum(work, 1)), 1)
    with f.when(rows * count > 0):
        captured = [runtime.buffer(f, 0), runtime.buffer(f, 1), count, doublings]
        runtime.parallel(f, f"{name}_chunk", rows, grain, captured, partial(_chunk, dtype, descending))
    runtime.done(f)


def _chunk(dtype: DType, descending: bool, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    source, target, count, doublings = captured
    memory = runtime.scratch(f, f["runtime"], count * 16)
    with f.when(runtime.exists(f, memory)), f.loop(begin, end, hints=[NO_VECTOR]) as row:
        start = row.index * count
        keys = source.at(lanes.memory_type(dtype), start)
        with f.loop(0, count) as each:
            f.store(each.index, memory.at("i64", each.index))
        with f.loop(0, doublings, carried=[memory, memory.at("i64", count)], hints=[NO_VECTOR]) as level:
            given, merged = level.carried
            width = f.op("shl", f.index(1), level.index)
            with f.loop(0, f.op("sdiv", count + (width * 2 - 1), width * 2), hints=[NO_VECTOR]) as pair:
                low = pair.index * width * 2
                _merge(dtype, descending, f, keys, (given, merged), (low, low + width, low + width * 2), count)
            level.next(merged, given)
        with f.loop(0, count) as each:
            f.store(f.load("i64", level.results[0].at("i64", each.index)), target.at("i64", start + each.index))


def _merge(
    dtype: DType, descending: bool, f: Function, keys: Value, memory: tuple[Value, Value], bounds: tuple[Value, Value, Value],
    count: Value,
) -> None:  # fmt: skip
    """Two sorted neighbours ``[low, middle)`` and ``[middle, high)`` of positions become one; equal ones keep their order."""
    given, merged = memory
    low, middle, high = bounds[0], f.minimum(bounds[1], count), f.minimum(bounds[2], count)
    with f.loop(low, high, carried=[low, middle], hints=[NO_VECTOR]) as place:
        left, right = place.carried
        first, second = (f.load("i64", given.at("i64", f.minimum(i, count - 1))) for i in (left, right))
        a, b = (lanes.load(f, lanes.address(f, keys, i, dtype), dtype) for i in (first, second))
        assert isinstance(a, Value)
        assert isinstance(b, Value)
        better = _before(dtype, f, a, b) if descending else _before(dtype, f, b, a)
        take_left = (left < middle) & ((right >= high) | ~better)
        f.store(f.select(take_left, first, second), merged.at("i64", place.index))
        moved = take_left.to("zext", "i64")
        place.next(left + moved, right + (1 - moved))


def _before(dtype: DType, f: Function, small: Value, large: Value) -> Value:
    """Whether `small` is less than `large`."""
    less = f.compare("lt", small, large, unsigned=dtype.kind in "bu")
    if dtype.is_floating:
        less = less | (f.compare("ne", large, large) & f.compare("eq", small, small))
    return less
