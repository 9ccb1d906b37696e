"""Position of the first largest or smallest element along one axis; NaN counts as the extreme, as it does for numpy.

Buffers: input ``[outer, count, inner]``, Int32 output ``[outer, inner]``. Parameters: outer, count, inner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, size
from mindspore.kernels import cost, floats, integers, lanes, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.lanes import memory_type

FAMILY = "argreduce"
BLOCK = 256


@dataclass(frozen=True, slots=True)
class Arg:
    """``max`` or ``min`` of elements of one type."""

    kind: str
    dtype: DType

    def extreme(self, f: Function, a: Value, b: Value) -> Value:
        """The more extreme of two; NaN wins."""
        if self.dtype.is_floating:
            return floats.extreme(f, self.kind, a, b)
        if self.dtype is dt.bool_:
            return f.op("or" if self.kind == "max" else "and", a, b)
        return (integers.maximum if self.kind == "max" else integers.minimum)(f, self.dtype, a, b)

    def better(self, f: Function, new: Value, old: Value) -> Value:
        """`new` replaces `old`: strictly more extreme, or the first NaN."""
        if self.dtype.is_floating:
            beyond = new > old if self.kind == "max" else new < old
            return (beyond | new.ne(new)) & old.eq(old)
        relation = "gt" if self.kind == "max" else "lt"
        return f.compare(relation, new, old, unsigned=self.dtype.kind in "bu")

    def same(self, f: Function, a: Value, b: Value) -> Value:
        equal = f.compare("eq", a, b)
        return equal | (a.ne(a) & b.ne(b)) if self.dtype.is_floating else equal

    def load(self, f: Function, source: Value, index: Value) -> Value:
        value = lanes.load(f, lanes.address(f, source, index, self.dtype), self.dtype)
        assert isinstance(value, Value)
        return value


def spec(kind: str, dtype: DType) -> KernelSpec:
    """The kernel for ``max`` or ``min`` of `dtype`; ValueError for complex types and unknown kinds."""
    if kind not in ("max", "min") or dtype.is_complex:
        raise ValueError(f"no arg-reduction {kind!r} of {dtype}: expected max or min of a real type or Bool")
    name = f"msk_{FAMILY}_{kind}_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(emit, name=name, arg=Arg(kind, dtype)))


def params(shape: Shape, axis: int) -> tuple[int, ...]:
    """Parameters for `axis` (not negative) of a contiguous tensor of `shape`."""
    if not shape:
        return (1, 1, 1)
    return (size(shape[:axis]), shape[axis], size(shape[axis + 1 :]))


def emit(module: Module, name: str, arg: Arg) -> None:
    """Add kernel `name` to `module`."""
    f = runtime.kernel(module, symbol(name, module.isa))
    outer, count, inner = (runtime.param(f, i) for i in range(3))
    source, target = runtime.buffer(f, 0), runtime.buffer(f, 1)
    some = (outer * inner > 0) & (count > 0)
    with f.when(some):
        tiles = f.op("sdiv", inner + (BLOCK - 1), BLOCK)
        work = count * f.minimum(inner, f.index(BLOCK))
        grain = f.maximum(f.op("sdiv", f.index(cost.FOLD_CHUNK), work), f.index(1))
        captured = [source, target, count, inner]

        def by_rows() -> list[Value]:
            runtime.parallel(f, f"{name}_rows", outer, grain, captured, partial(_rows, arg))
            return []

        def by_columns() -> list[Value]:
            runtime.parallel(f, f"{name}_columns", outer * tiles, grain, captured, partial(_columns, arg))
            return []

        f.choose(inner.eq(1), by_rows, by_columns)
    runtime.done(f)


def _rows(arg: Arg, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    """Two passes over each row: the extreme value as vectors, then a search for where it first stands."""
    source, target, count, _ = captured
    kind = memory_type(arg.dtype)
    with f.loop(begin, end, hints=[NO_VECTOR]) as row:
        start = source.at(kind, row.index * count)
        first = arg.load(f, start, f.index(0))
        with f.loop(0, count, carried=[first]) as each:
            each.next(arg.extreme(f, each.carried[0], arg.load(f, start, each.index)))
        f.store(_search(arg, f, start, each.results[0], count).to("trunc", "i32"), target.at("i32", row.index))


def _search(arg: Arg, f: Function, start: Value, wanted: Value, count: Value) -> Value:
    """Index of the first element that is `wanted`; one is. Whole blocks are looked through as vectors first."""

    def missing(first: Value) -> Value:
        """The block that starts here holds no such element."""
        stop = f.minimum(first + BLOCK, count)
        with f.loop(first, stop, carried=[f.value(False, "i1")]) as each:
            each.next(each.carried[0] | arg.same(f, arg.load(f, start, each.index), wanted))
        return ~each.results[0]

    block = _advance_while(f, f.index(0), BLOCK, missing)
    return _advance_while(f, block, 1, lambda i: ~arg.same(f, arg.load(f, start, i), wanted))


def _advance_while(f: Function, first: Value, step: int, condition: Callable[[Value], Value]) -> Value:
    """The first of ``first, first + step, ...`` for which `condition` is false; there is one."""
    before, head, after = (f.fresh(n) for n in ("before", "search", "found"))
    latch = f.fresh("next")
    f.label(before)
    f.label(head)
    index, following = (Value(f, "i64", f"%{f.fresh('i')}") for _ in range(2))
    f.line(f"{index.name} = phi i64 [ {first.name}, %{before} ], [ {following.name}, %{latch} ]")
    f.branch(condition(index), latch, after)
    f.line(f"{latch}:")
    f.line(f"{following.name} = add nsw i64 {index.name}, {step}")
    f.line(f"br label %{head}")
    f.line(f"{after}:")
    return index


def _columns(arg: Arg, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    """Tiles of neighbouring outputs, all rows for each tile."""
    source, target, count, inner = captured
    kind = memory_type(arg.dtype)
    tiles = f.op("sdiv", inner + (BLOCK - 1), BLOCK)
    best, places = f.alloca(kind, BLOCK), f.alloca("i32", BLOCK)
    step = _step(arg, f.module)
    with f.loop(begin, end, hints=[NO_VECTOR]) as item:
        outer, tile = f.op("sdiv", item.index, tiles), f.op("srem", item.index, tiles) * BLOCK
        width = f.minimum(inner - tile, f.index(BLOCK))
        base = source.at(kind, outer * count * inner + tile)
        with f.loop(0, width) as each:
            f.store(f.load(kind, base.at(kind, each.index)), best.at(kind, each.index))
            f.store(f.value(0, "i32"), places.at("i32", each.index))
        with f.loop(1, count, hints=[NO_VECTOR]) as row:
            f.call("void", step, best, places, base.at(kind, row.index * inner), row.index, width)
        with f.loop(0, width) as each:
            place = f.load("i32", places.at("i32", each.index))
            f.store(place, target.at("i32", outer * inner + tile + each.index))


def _step(arg: Arg, module: Module) -> str:
    """``void step(best, places, row, position, width)``: elements of the row that are better take their place."""
    name = f"arg_step_{arg.kind}_{arg.dtype.short}"
    if module.has(name):
        return name
    pointers = [("ptr noalias", "best"), ("ptr noalias", "places"), ("ptr noalias readonly", "row")]
    f = module.function(
        name, "void", [*pointers, ("i64", "position"), ("i64", "width")], internal=True, inline="noinline"
    )
    best, places, row, position, width = f.arguments
    place = position.to("trunc", "i32")
    with f.loop(0, width) as each:
        old, new = arg.load(f, best, each.index), arg.load(f, row, each.index)
        wins = arg.better(f, new, old)
        slot = places.at("i32", each.index)
        f.store(f.select(wins, place, f.load("i32", slot)), slot)
        lanes.store(f, f.select(wins, new, old), lanes.address(f, best, each.index, arg.dtype), arg.dtype)
    f.ret()
    return name
