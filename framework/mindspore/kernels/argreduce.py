"""Position of the first largest or smallest element along one axis; NaN counts as the extreme, as it does for numpy.

Buffers: input ``[outer, count, inner]``, Int32 output ``[outer, inner]``. Parameters: outer, count, inner.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, size
from mindspore.kernels import cost, floats, integers, lanes, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_VECTOR, SIZES, Function, Module, Value, element, mangled, vector
from mindspore.kernels.emit import lanes as lanes_of
from mindspore.kernels.lanes import memory_type, register_type
from mindspore.kernels.scans import splat

FAMILY = "argreduce"
BLOCK = 256
SHORT = 128
"""Rows below this are too short for the two passes of longer ones."""
BESIDE = 4
"""Vectors that are compared independently of each other."""
LONG_BLOCK = 1 << 8
"""Elements of a long row whose extreme is found before it is compared; of the best block the elements are looked at again."""


@dataclass(frozen=True, slots=True)
class Arg:
    """``max`` or ``min`` of elements of one type."""

    kind: str
    dtype: DType

    def extreme(self, f: Function, a: Value, b: Value) -> Value:
        """The more extreme of two; NaN wins."""
        if self.dtype.is_floating:
            return floats.extreme(f, self.kind, a, b)
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

    def load_lanes(self, f: Function, source: Value, index: Value, width: int) -> Value:
        """`width` neighbouring elements."""
        kind = memory_type(self.dtype)
        found = f.load(vector(width, kind), source.at(kind, index), SIZES[kind])
        return lanes.from_memory(f, found, self.dtype)

    def load(self, f: Function, source: Value, index: Value) -> Value:
        value = lanes.load(f, lanes.address(f, source, index, self.dtype), self.dtype)
        assert isinstance(value, Value)
        return value


def spec(kind: str, dtype: DType) -> KernelSpec:
    """The kernel for ``max`` or ``min`` of `dtype`; ValueError for complex types and unknown kinds."""
    if kind not in ("max", "min") or dtype.is_complex:
        raise ValueError(f"no arg-reduction {kind!r} of {dtype}: expected max or min of a real type or Bool")
    name = f"msk_{FAMILY}_{kind}_{dtype.short}"
    # Bool is compared as the byte that it is in memory
    arg = Arg(kind, dt.uint8 if dtype is dt.bool_ else dtype)
    return KernelSpec(name, FAMILY, partial(emit, name=name, arg=arg))


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
        f.choose(
            inner.eq(1),
            lambda: _spread_rows(arg, name, f, source, target, outer, count),
            lambda: _spread_columns(arg, name, f, [source, target, count, inner], outer),
        )
    runtime.done(f)


def _spread_columns(arg: Arg, name: str, f: Function, captured: list[Value], outer: Value) -> list[Value]:
    _, _, count, inner = captured
    tiles = f.op("sdiv", inner + (BLOCK - 1), BLOCK)
    work = count * f.minimum(inner, f.index(BLOCK))
    grain = f.maximum(f.op("sdiv", f.index(cost.FOLD_CHUNK), work), f.index(1))
    runtime.parallel(f, f"{name}_columns", outer * tiles, grain, captured, partial(_columns, arg))
    return []


def _spread_rows(
    arg: Arg, name: str, f: Function, source: Value, target: Value, outer: Value, count: Value
) -> list[Value]:  # fmt: skip
    """Pieces of rows on all threads; then the best of the pieces of each row, in order."""
    pieces = f.op("sdiv", count + (cost.FOLD_CHUNK - 1), cost.FOLD_CHUNK)
    grain = f.maximum(f.op("sdiv", f.index(cost.FOLD_CHUNK), count), f.index(1))
    split = pieces > 1
    places = f.choose(
        split, lambda: [runtime.allocate(f, f["runtime"], outer * pieces * 4)], lambda: [target]
    )[0]  # fmt: skip
    with f.when(runtime.exists(f, places)):
        runtime.parallel(
            f, f"{name}_rows", outer * pieces, grain, [source, places, count, pieces], partial(_rows, arg)
        )  # fmt: skip
        with f.when(split):
            _join(arg, f, (source, target, places), (outer, count, pieces))
            runtime.release(f, f["runtime"], places)
    return []


def _join(arg: Arg, f: Function, memory: tuple[Value, Value, Value], sizes: tuple[Value, Value, Value]) -> None:
    (source, target, places), (outer, count, pieces) = memory, sizes
    with f.loop(0, outer, hints=[NO_VECTOR]) as row:
        start = source.at(memory_type(arg.dtype), row.index * count)
        found = places.at("i32", row.index * pieces)
        first = f.load("i32", found)
        best = arg.load(f, start, first.to("sext", "i64"))
        with f.loop(1, pieces, carried=[best, first], hints=[NO_VECTOR]) as each:
            place = f.load("i32", found.at("i32", each.index))
            value = arg.load(f, start, place.to("sext", "i64"))
            wins = arg.better(f, value, each.carried[0])
            each.next(f.select(wins, value, each.carried[0]), f.select(wins, place, each.carried[1]))
        f.store(each.results[1], target.at("i32", row.index))


def _rows(arg: Arg, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    source, places, count, pieces = captured
    few, many = _few(arg, f.module), _blocks(arg, f.module)
    with f.loop(begin, end, hints=[NO_VECTOR]) as item:
        row, piece = f.op("sdiv", item.index, pieces), f.op("srem", item.index, pieces)
        first = piece * cost.FOLD_CHUNK
        length = f.minimum(count - first, cost.FOLD_CHUNK)
        start = source.at(memory_type(arg.dtype), row * count + first)
        place = f.choose(
            length < SHORT,
            lambda: [f.call("i64", few, start, length)],
            lambda: [f.call("i64", many, start, length)],
        )[0]
        f.store((place + first).to("trunc", "i32"), places.at("i32", item.index))


def _blocks(arg: Arg, module: Module) -> str:
    """``i64 name(row, count)``: the extreme of each block as vectors; then where it is in the first block that has the best."""
    name = f"arg_blocks_{arg.kind}_{arg.dtype.short}"
    f = module.function(
        name, "i64", [("ptr noalias readonly", "row"), ("i64", "count")], internal=True, inline="noinline"
    )
    row, count = f.arguments
    first = arg.load(f, row, f.index(0))
    with f.loop(0, count, LONG_BLOCK, carried=[first, f.index(0)], hints=[NO_VECTOR]) as block:
        found, old = _block_extreme(arg, f, row, block.index, count), block.carried
        wins = arg.better(f, found, splat(f, old[0], lanes_of(found.type)))
        some = f.intrinsic("vector.reduce.or", "i1", wins, suffix=mangled(wins.type))
        block.next(*f.choose(some, partial(_with_place, arg, f, found, block.index), partial(list, old), rare=True))
    wanted, begin = block.results
    stop, nowhere = f.minimum(begin + LONG_BLOCK, count), f.value((1 << 31) - 1, "i32")
    with f.loop(begin, stop, carried=[nowhere]) as each:
        found = arg.same(f, arg.load(f, row, each.index), wanted)
        here = f.select(found, each.index.to("trunc", "i32"), nowhere)
        each.next(f.minimum(here, each.carried[0]))
    f.ret(each.results[0].to("zext", "i64"))
    return name


def _block_extreme(arg: Arg, f: Function, row: Value, begin: Value, count: Value) -> Value:
    """A vector with the extreme of a block among its lanes, from independent vectors side by side.

    The last vectors of a row are read again from before its end: what lies before the block is no better than what was found.
    """
    width = f.module.isa.lanes(SIZES[register_type(arg.dtype)])
    beside = min(BESIDE, SHORT // width)
    step = beside * width

    def group(index: Value) -> list[Value]:
        place = f.minimum(index, count - step)
        return [arg.load_lanes(f, row, place + k * width, width) for k in range(beside)]

    stop = f.minimum(begin + LONG_BLOCK, count)
    with f.loop(begin + step, stop, step, carried=group(begin), hints=[NO_VECTOR]) as each:
        each.next(*[arg.extreme(f, a, b) for a, b in zip(each.carried, group(each.index), strict=True)])
    return reduce(partial(arg.extreme, f), each.results)


def _with_place(arg: Arg, f: Function, found: Value, place: Value) -> list[Value]:
    """The extreme of the lanes, and `place`."""
    name = f"f{arg.kind}imum" if arg.dtype.is_floating else ("s" if arg.dtype.kind == "i" else "u") + arg.kind
    return [f.intrinsic(f"vector.reduce.{name}", element(found.type), found, suffix=mangled(found.type)), place]


def _few(arg: Arg, module: Module) -> str:
    """``i64 name(row, count)``: each lane keeps the first best of the elements that it meets; of the lanes' the first best counts."""
    name = f"arg_few_{arg.kind}_{arg.dtype.short}"
    if module.has(name):
        return name
    f = module.function(
        name, "i64", [("ptr noalias readonly", "row"), ("i64", "count")], internal=True, inline="noinline"
    )
    row, count = f.arguments
    width = module.isa.lanes(SIZES[register_type(arg.dtype)])

    def by_lanes() -> list[Value]:
        places = f.value(0, vector(width, "i32"))
        for lane in range(1, width):
            places = f.emit(places.type, f"insertelement {places}, i32 {lane}, i32 {lane}")
        best = arg.load_lanes(f, row, f.index(0), width)
        with f.loop(width, count, width, carried=[best, places], hints=[NO_VECTOR]) as each:
            # the last lanes of the row may have been seen before: they are no better then
            first = f.minimum(each.index, count - width)
            new = arg.load_lanes(f, row, first, width)
            here = f.op("add", places, splat(f, first.to("trunc", "i32"), width))
            wins = arg.better(f, new, each.carried[0])
            each.next(f.select(wins, new, each.carried[0]), f.select(wins, here, each.carried[1]))
        return [_best_lane(arg, f, *each.results)]

    def one_by_one() -> list[Value]:
        with f.loop(1, count, carried=[arg.load(f, row, f.index(0)), f.index(0)], hints=[NO_VECTOR]) as each:
            new = arg.load(f, row, each.index)
            wins = arg.better(f, new, each.carried[0])
            each.next(f.select(wins, new, each.carried[0]), f.select(wins, each.index, each.carried[1]))
        return [each.results[1]]

    f.ret(f.choose(count >= width, by_lanes, one_by_one)[0])
    return name


def _best_lane(arg: Arg, f: Function, best: Value, places: Value) -> Value:
    """The least of the places of lanes with the best value; NaN is best of all."""
    width, kind = lanes_of(best.type), element(best.type)
    if arg.dtype.is_floating:
        broken = best.ne(best)
        clean = f.select(broken, float("-inf") if arg.kind == "max" else float("inf"), best)
        flags, f.flags = f.flags, "nnan nsz"
        top = f.intrinsic(f"vector.reduce.f{arg.kind}", kind, clean, suffix=mangled(best.type))
        f.flags = flags
        some = f.intrinsic("vector.reduce.or", "i1", broken, suffix=f"v{width}i1")
        wanted = f.select(some, broken, best.eq(splat(f, top, width)))
    else:
        sign = "s" if arg.dtype.kind == "i" else "u"
        top = f.intrinsic(f"vector.reduce.{sign}{arg.kind}", kind, best, suffix=mangled(best.type))
        wanted = best.eq(splat(f, top, width))
    left = f.select(wanted, places, f.value((1 << 31) - 1, places.type))
    return f.intrinsic("vector.reduce.umin", "i32", left, suffix=f"v{width}i32").to("zext", "i64")


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
