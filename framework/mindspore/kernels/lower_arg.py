"""Position of the extreme along one dimension; NaN counts as more extreme than any number."""

from __future__ import annotations

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import lanes
from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.nest import Item
from mindspore.kernels.program import ArgFold

BLOCK = 256
"""Columns whose extremes are found side by side where the dimension is not innermost."""
NOWHERE = (1 << 31) - 1


def key(step: ArgFold) -> str:
    """Equal for steps that compile to the same code."""
    return f"{step.kind} {step.space} {_dtype(step)} {step.outputs[0].dtype}"


def units(step: ArgFold) -> int:
    """Results, or blocks of them, that may be found in any order."""
    outer, _, inner = step.space
    return outer * -(-inner // BLOCK)


def _dtype(step: ArgFold) -> DType:
    value = step.reads[0].value
    assert value is not None
    return value.dtype


def emit(module: Module, name: str, step: ArgFold) -> None:
    """``void name(input, output, begin, end)`` over a range of units."""
    parameters = [("ptr noalias", "x"), ("ptr noalias", "out"), ("i64", "begin"), ("i64", "end")]
    f = module.function(name, "void", parameters, internal=True, inline="noinline")
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as unit:
        if step.space[2] == 1:
            _put(f, step, unit.index, _along(f, step, unit.index * step.space[1]))
        else:
            _Block(f, step).run(unit.index)
    f.ret()


def _load(f: Function, step: ArgFold, index: Value) -> Value:
    dtype = _dtype(step)
    lane = lanes.load(f, lanes.address(f, f["x"], index, dtype), dtype)
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
            loop.next(items.extreme(f, Item("fold", dtype, fold=step.kind), best, lane))
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
