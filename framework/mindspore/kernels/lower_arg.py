"""Position of the extreme along one dimension; NaN counts as more extreme than any number."""

from __future__ import annotations

from collections.abc import Callable

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, normalize_axis, size
from mindspore.kernels import floats, lanes
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.program import ArgFold
from mindspore.kernels.sizes import is_symbolic
from mindspore.kernels.turned import turn

SHORTEST = 32
"""Bytes of the rows that are loaded one in each lane of a vector;"""
SHORT = 48
"""up to this length they are brought side by side first,"""
ROWS = 64
"""so many at a time."""
UNIT = 16 * ROWS
NOWHERE = (1 << 31) - 1


def key(step: ArgFold) -> str:
    """Equal for steps that compile to the same code."""
    return f"{step.kind} {step.rows} {_dtype(step)} {step.outputs[0].dtype}"


def units(step: ArgFold) -> int:
    """Blocks of rows that may be looked through in any order."""
    return -(-step.rows[0] // UNIT)


def short_rows(shape: Shape, axis: int) -> tuple[int, int] | None:
    """How many rows and how long, if they are neighbours, many, and shorter than what a vector is worth to each of them."""
    if not shape or normalize_axis(axis, len(shape)) != len(shape) - 1:
        return None
    count, length = size(shape[:-1]), shape[-1]
    if is_symbolic(count) or is_symbolic(length) or length > SHORT or count < ROWS:
        return None
    return count, length


def _dtype(step: ArgFold) -> DType:
    value = step.reads[0].value
    assert value is not None
    return value.dtype


def emit(module: Module, name: str, step: ArgFold) -> None:
    """``void name(input, output, begin, end)`` over a range of units."""
    parameters = [("ptr noalias", "x"), ("ptr noalias", "out"), ("i64", "begin"), ("i64", "end")]
    f = module.function(name, "void", parameters, internal=True, inline="noinline")
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as unit:
        _beside(f, step, unit.index * UNIT)
    f.ret()


def _load(f: Function, step: ArgFold, index: Value, source: Value | None = None) -> Value:
    dtype = _dtype(step)
    lane = lanes.load(f, lanes.address(f, source or f["x"], index, dtype), dtype)
    assert isinstance(lane, Value)
    return lane.to("zext", "i8") if dtype is dt.bool_ else lane


def _put(f: Function, step: ArgFold, result: Value, position: Value) -> None:
    """Store an i32 position as the output's type."""
    dtype = step.outputs[0].dtype
    wide = position.to("zext", "i64") if dtype.itemsize == 8 else position
    lanes.store(f, wide, lanes.address(f, f["out"], result, dtype), dtype)


def _better(f: Function, step: ArgFold, lane: Value, best: Value) -> Value:
    dtype = _dtype(step)
    better = f.compare("gt" if step.kind == "max" else "lt", lane, best, unsigned=dtype.kind in "bu")
    if dtype.is_floating:
        better = better | (f.compare("ne", lane, lane) & f.compare("eq", best, best))
    return better


def _along(f: Function, step: ArgFold, start: Value) -> Value:
    """Neighbouring elements: the extreme first, then the first place where it stands; both loops vectorise."""
    dtype = _dtype(step)
    with f.loop(0, step.rows[1], carried=[_load(f, step, start)]) as loop:
        lane, (best,) = _load(f, step, start + loop.index), loop.carried
        if dtype.is_floating:
            loop.next(floats.extreme(f, step.kind, best, lane))
        else:
            loop.next(f.select(_better(f, step, lane, best), lane, best))
    (best,) = loop.results
    with f.loop(0, step.rows[1], carried=[f.value(NOWHERE, "i32")]) as loop:
        lane, (where,) = _load(f, step, start + loop.index), loop.carried
        found = f.compare("eq", lane, best)
        if dtype.is_floating:
            found = found | f.compare("ne", lane, lane)
        here = f.select(found, loop.index.to("trunc", "i32"), f.value(NOWHERE, "i32"))
        loop.next(f.select(here < where, here, where))
    return loop.results[0]


def _beside(f: Function, step: ArgFold, first: Value) -> None:
    """A unit of short rows."""
    outer, length = step.rows
    end = f.minimum(first + UNIT, outer)
    if length * max(_dtype(step).itemsize, 4) <= SHORTEST:
        with f.loop(first, end) as row:
            _put(f, step, row.index, _of_row(f, step, lambda k: _load(f, step, row.index * length + k)))
        return
    kind = lanes.memory_type(_dtype(step))
    turned, source = f.alloca(kind, length * ROWS), f["x"]
    whole = end - (end - first) % ROWS
    with f.loop(first, whole, ROWS, hints=[NO_VECTOR]) as block:
        turn(
            f,
            kind,
            (lanes.address(f, source, block.index * length, _dtype(step)), length),
            (turned, ROWS),
            (ROWS, length),
        )
        with f.loop(0, ROWS) as row:
            _put(
                f,
                step,
                block.index + row.index,
                _of_row(f, step, lambda k: _load(f, step, row.index + k * ROWS, turned)),
            )
    with f.loop(whole, end, hints=[NO_VECTOR]) as row:
        _put(f, step, row.index, _along(f, step, row.index * length))


def _of_row(f: Function, step: ArgFold, load: Callable[[int], Value]) -> Value:
    """Where the extreme of a row stands, whose elements `load` gives."""
    best, where = load(0), f.value(0, "i32")
    for position in range(1, step.rows[1]):
        lane = load(position)
        better = _better(f, step, lane, best)
        best, where = f.select(better, lane, best), f.select(better, f.value(position, "i32"), where)
    return where
