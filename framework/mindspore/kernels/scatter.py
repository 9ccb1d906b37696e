"""Elements written, or combined, at run-time places: what `primitives.compute.Scatter` asks for, on an output that holds the first input.

Writes to one element happen in the order of the walk on one thread: a *unit* is everything that goes to one position of the dimensions
along which no place is met twice, or to a block of the last of them, and units share no elements.

Buffers: output, updates, then the Int64 indices of each pick, which are checked. Parameters

    [0] units, [1] rank F >= 1 of the positions of units, [2] rows of a unit, [3] their rank W >= 1, [4] elements of a row, [5] elements of
    a block of it, [6] output stride and [7] update stride along a row, [8] picks, [9] first output element,
    [10] whether all elements of a row have the same indices, then F sizes, output strides and update strides, W of each, and for each pick
    its bound, its step, its index stride along a row, F index strides and W index strides.
"""

from __future__ import annotations

from functools import partial

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, size
from mindspore.kernels import bounds, cost, lanes, odometer, runtime, scalars
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.elementwise import collapse
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.gather import Picks
from mindspore.primitives.compute import Pick, Walk
from mindspore.primitives.scalar import Expr

HEAD = 11
UNITS = 8
"""Rows are cut into blocks until there are about so many units."""
LEAST = 64
"""Elements of a block at least."""


def spec(kind: str, dtype: DType) -> KernelSpec:
    """``set`` copies elements, so one kernel serves all types of one size."""
    what = dtype.itemsize if kind == "set" else dtype.short
    name = f"msk_{bounds.FAMILY}_put_{kind}_{what}"
    return KernelSpec(name, bounds.FAMILY, partial(_emit, name=name, kind=kind, dtype=dtype))


def shortest(walk: Walk, updates: Shape) -> tuple[Walk, Shape]:
    """The same walk over the fewest dimensions, and the strides of its updates."""
    sizes, (own, given, *chosen) = collapse(walk.sizes, [walk.strides, updates, *(p.strides for p in walk.picks)])
    picks = tuple(Pick(tuple(c), p.bound, p.step) for c, p in zip(chosen, walk.picks, strict=True))
    return Walk(tuple(sizes), walk.offset, tuple(own), picks), tuple(given)


def params(walk: Walk, updates: Shape) -> tuple[int, ...]:
    """Parameters for a walk that is not empty; `updates` are the strides with which these are read."""
    walk, given = shortest(walk, updates)
    sizes, own, apart, last = walk.sizes, walk.strides, walk.apart, len(walk.sizes) - 1
    free = [i for i in range(last) if apart[i]]
    rows = [i for i in range(last) if not apart[i]]
    outer, inner = size([sizes[i] for i in free]), sizes[-1]
    share = block(outer, inner) if apart[-1] else inner
    same = not any(p.strides[-1] for p in walk.picks)
    result = [outer * -(-inner // share), max(1, len(free)), size([sizes[i] for i in rows]), max(1, len(rows))]
    result += [inner, share, own[-1], given[-1], len(walk.picks), walk.offset, same]
    for dims in (free, rows):
        result += [sizes[i] for i in dims] or [1]
        for strides in (own, given):
            result += [strides[i] for i in dims] or [0]
    for pick in walk.picks:
        result += [pick.bound, pick.step, pick.strides[-1]]
        for dims in (free, rows):
            result += [pick.strides[i] for i in dims] or [0]
    return tuple(map(int, result))


def block(outer: int, inner: int) -> int:
    """Elements of a row that one unit takes; depends on sizes alone."""
    wanted = max(LEAST, -(-inner * outer // UNITS))
    return min(inner, -(-wanted // LEAST) * LEAST)


def _emit(module: Module, name: str, kind: str, dtype: DType) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    units, rows, inner, block = (runtime.param(f, i) for i in (0, 2, 4, 5))
    grain = f.maximum(f.op("sdiv", f.index(cost.MOVE_BYTES // dtype.itemsize), f.maximum(rows * block, 1)), 1)
    with f.when(units * rows * inner > 0):
        runtime.parallel(f, f"{name}_chunk", units, grain, [f["buffers"], f["params"]], partial(_chunk, kind, dtype))
    runtime.done(f)


class _Part:
    """Sizes, output strides and update strides of one part of the walk's dimensions."""

    def __init__(self, f: Function, numbers: Value, rank: Value, digits: Value) -> None:
        self.f, self.rank, self.digits = f, rank, digits
        self.sizes, self.own, self.given = (numbers.at("i64", rank * i) for i in range(3))
        self.end = numbers.at("i64", rank * 3)

    def start(self, position: Value) -> tuple[Value, Value]:
        """Places of output and updates at `position`."""
        odometer.start_digits(self.f, self.sizes, self.rank, position, self.digits)
        return tuple(odometer.dot(self.f, self.digits, s, self.rank) for s in (self.own, self.given))  # type: ignore[return-value]


def _chunk(kind: str, dtype: DType, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    buffers, numbers = captured
    free_rank, rows, rank, inner, block, to_step, from_step, count, offset, same = (
        f.load("i64", numbers.at("i64", i)) for i in range(1, HEAD)
    )
    digits = f.alloca("i64", 2 * odometer.MAX_RANK)
    free = _Part(f, numbers.at("i64", HEAD), free_rank, digits)
    walked = _Part(f, free.end, rank, digits.at("i64", free_rank))
    picks = Picks(f, buffers, walked.end, count, free_rank + rank)
    target, source = f.load("ptr", buffers), f.load("ptr", buffers.at("ptr", 1))
    item = odometer.item_type(dtype.itemsize) if kind == "set" else lanes.memory_type(dtype)
    wide = 2 if kind != "set" and dtype.is_complex else 1
    run = odometer.copy_run(f.module, dtype.itemsize) if kind == "set" else _combine_run(f.module, kind, dtype)
    blocks = f.op("sdiv", inner + (block - 1), block)

    def row(to: Value, origin: Value, length: Value) -> None:
        def whole() -> list[Value]:
            where = target.at(item, (to + picks.place(0)) * wide)
            f.call("void", run, where, to_step, source.at(item, origin * wide), from_step, length)
            return []

        def visit(along: Value, picked: Value) -> None:
            where = target.at(item, (along * to_step + to + picked) * wide)
            given = source.at(item, (along * from_step + origin) * wide)
            if kind == "set":
                odometer.store_item(f, odometer.load_item(f, given, dtype.itemsize), where)
            else:
                before, after = lanes.load(f, where, dtype), lanes.load(f, given, dtype)
                lanes.store(f, combined(f, kind, dtype, before, after), where, dtype)

        def each() -> list[Value]:
            picks.along_row(length, visit)
            return []

        f.choose(same.ne(0), whole, each)

    with f.loop(begin, end, hints=[NO_VECTOR, NO_UNROLL]) as unit:
        to, origin = free.start(f.op("sdiv", unit.index, blocks))
        skipped = f.op("srem", unit.index, blocks) * block
        length = f.minimum(inner - skipped, block)
        with f.loop(0, rows, hints=[NO_VECTOR, NO_UNROLL]) as line:
            to_row, from_row = walked.start(line.index)
            picks.start_row(digits, skipped)
            row(offset + to + to_row + skipped * to_step, origin + from_row + skipped * from_step, length)


def combined(f: Function, kind: str, dtype: DType, old: lanes.Lane, given: lanes.Lane) -> lanes.Lane:
    """One element after an update."""
    pair = (Expr("operand", (), dtype, 0), Expr("operand", (), dtype, 1))
    name = "truncdiv" if kind == "div" and not dtype.is_floating else kind
    return scalars.lower(f, Expr(name, pair, dtype), [old, given])


def _combine_run(module: Module, kind: str, dtype: DType) -> str:
    """Name of ``void run(to, to_stride, from, from_stride, count)``: each element combined with an update, in order."""
    name = f"combine_run_{kind}_{dtype.short}"
    if module.has(name):
        return name
    pointers = [("ptr noalias", "to"), ("i64", "to_stride"), ("ptr noalias readonly", "from"), ("i64", "from_stride")]
    f = module.function(name, "void", [*pointers, ("i64", "count")], internal=True)
    to, to_stride, source, from_stride, count = f.arguments

    def along(to_step: Value | int, from_step: Value | int, vector: bool) -> list[Value]:
        with f.loop(0, count, hints=[] if vector else [NO_VECTOR]) as item:
            where = lanes.address(f, to, item.index * to_step, dtype)
            given = lanes.load(f, lanes.address(f, source, item.index * from_step, dtype), dtype)
            lanes.store(f, combined(f, kind, dtype, lanes.load(f, where, dtype), given), where, dtype)
        return []

    f.choose(
        to_stride.eq(1) & from_stride.eq(1), lambda: along(1, 1, True), lambda: along(to_stride, from_stride, False)
    )
    f.ret()
    return name
