"""Position of the extreme along one dimension; NaN counts as more extreme than any number."""

from __future__ import annotations

from collections.abc import Callable

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import floats, lanes
from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.program import ArgFold
from mindspore.kernels.sizes import is_symbolic
from mindspore.kernels.turned import turn

BLOCK = 256
"""Columns whose extremes are found side by side where the dimension is not innermost."""
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
    return f"{step.kind} {step.space} {_dtype(step)} {step.outputs[0].dtype}"


def units(step: ArgFold) -> int:
    """Results, or blocks of them, that may be found in any order."""
    outer, _, inner = step.space
    return -(-outer // UNIT) if short(step) else outer * -(-inner // BLOCK)


def short(step: ArgFold) -> bool:
    """Whether neighbouring rows are shorter than what a vector is worth to each of them."""
    outer, length, inner = step.space
    if is_symbolic(outer) or is_symbolic(length) or is_symbolic(inner):
        return False
    return inner == 1 and length <= SHORT and outer >= ROWS


def _dtype(step: ArgFold) -> DType:
    value = step.reads[0].value
    assert value is not None
    return value.dtype


def emit(module: Module, name: str, step: ArgFold) -> None:
    """``void name(input, output, begin, end)`` over a range of units."""
    parameters = [("ptr noalias", "x"), ("ptr noalias", "out"), ("i64", "begin"), ("i64", "end")]
    f = module.function(name, "void", parameters, internal=True, inline="noinline")
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as unit:
        if short(step):
            _beside(f, step, unit.index * UNIT)
        elif step.space[2] == 1:
            _put(f, step, unit.index, _along(f, step, unit.index * step.space[1]))
        else:
            _Block(f, step).run(unit.index)
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
    with f.loop(0, step.space[1], carried=[_load(f, step, start)]) as loop:
        lane, (best,) = _load(f, step, start + loop.index), loop.carried
        if dtype.is_floating:
            loop.next(floats.extreme(f, step.kind, best, lane))
        else:
            loop.next(f.select(_better(f, step, lane, best), lane, best))
    (best,) = loop.results
    with f.loop(0, step.space[1], carried=[f.value(NOWHERE, "i32")]) as loop:
        lane, (where,) = _load(f, step, start + loop.index), loop.carried
        found = f.compare("eq", lane, best)
        if dtype.is_floating:
            found = found | f.compare("ne", lane, lane)
        here = f.select(found, loop.index.to("trunc", "i32"), f.value(NOWHERE, "i32"))
        loop.next(f.select(here < where, here, where))
    return loop.results[0]


def _beside(f: Function, step: ArgFold, first: Value) -> None:
    """A unit of short rows."""
    outer, length, _ = step.space
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
    for position in range(1, step.space[1]):
        lane = load(position)
        better = _better(f, step, lane, best)
        best, where = f.select(better, lane, best), f.select(better, f.value(position, "i32"), where)
    return where


class _Block:
    """A block of columns: extremes and positions are kept in two rows on the stack."""

    def __init__(self, f: Function, step: ArgFold) -> None:
        self.f, self.step = f, step
        self.type = "i8" if _dtype(step) is dt.bool_ else lanes.register_type(_dtype(step))
        self.width = min(BLOCK, step.space[2])
        self.best, self.where = f.alloca(self.type, self.width), f.alloca("i32", self.width)

    def run(self, unit: Value) -> None:
        f, (_, length, inner) = self.f, self.step.space
        outer, block = items.digits(unit, (self.step.space[0], -(-inner // BLOCK)))
        first = f.index(block * BLOCK)
        width: items.Index = f.minimum(inner - first, self.width) if inner % self.width else self.width
        start = outer * (length * inner) + first
        with f.loop(0, width) as column:
            f.store(_load(f, self.step, column.index + start), self.best.at(self.type, column.index))
            f.store(f.value(0, "i32"), self.where.at("i32", column.index))
        with f.loop(1, length, hints=[NO_VECTOR]) as row:
            here = row.index.to("trunc", "i32")
            with f.loop(0, width) as column:
                self.take(column.index, row.index * inner + start, here)
        with f.loop(0, width) as column:
            position = f.load("i32", self.where.at("i32", column.index))
            _put(f, self.step, column.index + first + outer * inner, position)

    def take(self, column: Value, start: Value, here: Value) -> None:
        f = self.f
        best_at, where_at = self.best.at(self.type, column), self.where.at("i32", column)
        lane, best = _load(f, self.step, column + start), f.load(self.type, best_at)
        better = _better(f, self.step, lane, best)
        f.store(f.select(better, lane, best), best_at)
        f.store(f.select(better, here, f.load("i32", where_at)), where_at)
