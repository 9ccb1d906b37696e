"""Positions of the first elements of each row in ascending or descending order; stable, NaN counts as larger than any number.

Short rows: each element's place is the number of items before it. Long ones: the digits of the keys, of 8 bits, are sorted one after the
other, the least significant first (H. Hollerith's way); a digit that all keys share is passed over. Where few elements are wanted, a
store keeps the first ones so far, and whole blocks are passed over that have none before the last of these.

Buffers: input ``[rows, count]``, Int32 output ``[rows, kept]``. Parameters: rows, count, kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mindspore.base.dtypes import DType
from mindspore.kernels import cost, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.sort_keys import Keys

FAMILY = "order"
SHORT = 96
"""Rows up to here are sorted by counting."""
FEW = 8
"""Elements are dropped first where so many times as many as wanted are there."""
MANY = 512
"""Elements of a row from which this pays."""
BLOCK, PART = 128, 16
"""Elements that are passed over together, and parts of them where that is not all of them."""
BUCKETS = 256
STEP = 10
"""Cost of one digit of one element in element-wise additions."""


def spec(dtype: DType, descending: bool) -> KernelSpec:
    name = f"msk_{FAMILY}_{'descending' if descending else 'ascending'}_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, keys=Keys(dtype, descending)))


def params(rows: int, count: int, kept: int) -> tuple[int, ...]:
    return (rows, count, kept)


def _emit(module: Module, name: str, keys: Keys) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    rows, count, kept = (runtime.param(f, i) for i in range(3))
    grain = f.maximum(f.op("sdiv", f.index(cost.FOLD_CHUNK), f.maximum(count * (STEP * keys.digits), 1)), 1)
    with f.when(rows * kept > 0):
        captured = [runtime.buffer(f, 0), runtime.buffer(f, 1), count, kept]
        runtime.parallel(f, f"{name}_chunk", rows, grain, captured, partial(_chunk, keys))
    runtime.done(f)


def _chunk(keys: Keys, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    source, target, count, kept = captured
    few = (kept * FEW < count) & (count > MANY)
    room = f.select(few, kept * 2 + 2 * BLOCK, count)
    half = (room + 1) * keys.words
    memory = runtime.scratch(f, f["runtime"], half * 16)
    tables = f.alloca("i32", BUCKETS * keys.digits)
    spare = memory.at("i64", half)
    with f.when(runtime.exists(f, memory)), f.loop(begin, end, hints=[NO_VECTOR]) as row:
        elements = source.at(f"i{keys.bits}", row.index * count)
        out = target.at("i32", row.index * kept)

        def some() -> list[Value]:
            left = _first(keys, f, elements, memory, spare, tables, (count, kept, room))
            _ordered(keys, f, memory, spare, tables, out, left, kept)
            return []

        def filled(keys: Keys, base: Value) -> list[Value]:
            _fill(keys, f, elements, memory, count, base)
            _ordered(keys, f, memory, spare, tables, out, count, kept)
            return []

        def every() -> list[Value]:
            base, span = _range(keys, f, elements, count)
            if keys.words == 1:
                return filled(keys, base)
            narrow = Keys(keys.dtype, keys.descending, near=True)
            near = f.compare("lt", span, 1 << 32, unsigned=True)
            return f.choose(near, partial(filled, narrow, base), partial(filled, keys, base))

        f.choose(few, some, every)


def _fill(keys: Keys, f: Function, elements: Value, items: Value, count: Value, base: Value) -> None:
    with f.loop(0, count) as each:
        keys.store(f, keys.item(f, elements, each.index, base), items, each.index)


def _range(keys: Keys, f: Function, elements: Value, count: Value) -> tuple[Value, Value]:
    """The least key of a row, and how far the others reach; not looked for in a short one."""

    def found() -> list[Value]:
        first = keys.key(f, elements, f.index(0))
        with f.loop(0, count, carried=[first, first]) as each:
            here, (least, most) = keys.key(f, elements, each.index), each.carried
            each.next(
                *(f.intrinsic(name, here.type, here, so_far) for name, so_far in (("umin", least), ("umax", most)))
            )
        return [each.results[0], f.op("sub", each.results[1], each.results[0])]

    zero = f.value(0, f"i{keys.bits}")
    least, span = f.choose(count > SHORT, found, lambda: [zero, f.value(-1, zero.type)])
    return least, span


def _ordered(
    keys: Keys, f: Function, items: Value, spare: Value, tables: Value, out: Value, count: Value, kept: Value
) -> None:
    """Writes the positions of the first items."""

    def counted() -> list[Value]:
        _rank(keys, f, items, out, count, kept)
        return []

    def by_digits() -> list[Value]:
        ordered = _sort(keys, f, items, spare, tables, count)
        with f.loop(0, kept) as each:
            f.store(keys.position(keys.load(f, ordered, each.index)), out.at("i32", each.index))
        return []

    f.choose(count <= SHORT, counted, by_digits)


def _rank(keys: Keys, f: Function, items: Value, out: Value, count: Value, kept: Value) -> None:
    with f.loop(0, count, hints=[NO_VECTOR]) as one:
        item = keys.load(f, items, one.index)
        with f.loop(0, count, carried=[f.index(0)]) as other:
            earlier = keys.before(f, keys.load(f, items, other.index), item)
            other.next(other.carried[0] + earlier.to("zext", "i64"))
        with f.when(other.results[0] < kept):
            f.store(keys.position(item), out.at("i32", other.results[0]))


def _clear(f: Function, table: Value, count: int) -> None:
    with f.loop(0, count) as each:
        f.store(f.value(0, "i32"), table.at("i32", each.index))


def _increase(f: Function, table: Value, index: Value) -> Value:
    """Counts one more at `index`; gives the number before."""
    place = table.at("i32", index)
    before = f.load("i32", place)
    f.store(f.op("add", before, 1), place)
    return before


def _sort(keys: Keys, f: Function, items: Value, other: Value, tables: Value, count: Value) -> Value:
    """The items in order, in one of the two memories."""
    _clear(f, tables, BUCKETS * keys.digits)
    with f.loop(0, count, hints=[NO_VECTOR]) as each:
        item = keys.load(f, items, each.index)
        for byte in range(keys.digits):
            _increase(f, tables.at("i32", byte * BUCKETS), keys.above(f, item, f.index(byte * 8)) & (BUCKETS - 1))
    with f.loop(0, keys.digits, carried=[items, other], hints=[NO_VECTOR, NO_UNROLL]) as digit:
        given, spare = digit.carried
        table, shift = tables.at("i32", digit.index * BUCKETS), digit.index * 8
        first = keys.above(f, keys.load(f, given, f.index(0)), shift) & (BUCKETS - 1)
        shared = f.load("i32", table.at("i32", first)).to("zext", "i64").eq(count)

        def moved(
            given: Value = given, spare: Value = spare, table: Value = table, shift: Value = shift
        ) -> list[Value]:
            with f.loop(0, BUCKETS, carried=[f.value(0, "i32")], hints=[NO_VECTOR]) as bucket:
                place = table.at("i32", bucket.index)
                here = f.load("i32", place)
                f.store(bucket.carried[0], place)
                bucket.next(f.op("add", bucket.carried[0], here))
            with f.loop(0, count, hints=[NO_VECTOR]) as each:
                item = keys.load(f, given, each.index)
                place = _increase(f, table, keys.above(f, item, shift) & (BUCKETS - 1))
                keys.store(f, item, spare, place.to("zext", "i64"))
            return [spare, given]

        digit.next(*f.choose(shared, partial(list, (given, spare)), moved))
    return digit.results[0]


def _first(
    keys: Keys, f: Function, source: Value, items: Value, spare: Value, tables: Value, sizes: tuple[Value, Value, Value]
) -> Value:
    """Writes items that hold the first `kept` ones of `count`, equal ones in the order of their positions; gives their number."""
    count, kept, room = sizes
    zero = f.value(0, f"i{keys.bits}")
    _fill(keys, f, source, items, room, zero)

    def shortened(number: Value) -> list[Value]:
        """The first of the items in order; what follows must come before the last one."""
        ordered = _sort(keys, f, items, spare, tables, number)
        with f.loop(0, kept, hints=[NO_VECTOR]) as each:
            keys.store(f, keys.load(f, ordered, each.index), items, each.index)
        return [keys.whole(f, keys.load(f, items, kept - 1)), kept]

    with f.loop(room, count, BLOCK, carried=[zero, room], hints=[NO_VECTOR, NO_UNROLL]) as block:
        limit, number = f.choose(
            block.carried[1] + BLOCK > room,
            partial(shortened, block.carried[1]),
            partial(list, block.carried),
            rare=True,
        )
        end = f.minimum(block.index + BLOCK, count)

        def before(place: Value, limit: Value = limit) -> Value:
            return f.compare("lt", keys.key(f, source, place), limit, unsigned=True)

        def taken(start: Value, end: Value, number: Value) -> list[Value]:
            with f.loop(start, end, carried=[number], hints=[NO_VECTOR]) as each:
                keys.store(f, keys.item(f, source, each.index, zero), items, each.carried[0])
                each.next(each.carried[0] + before(each.index).to("zext", "i64"))
            return [each.results[0]]

        def parts(start: Value = block.index, end: Value = end, number: Value = number) -> list[Value]:
            with f.loop(start, end, PART, carried=[number], hints=[NO_VECTOR, NO_UNROLL]) as part:
                last, so_far = f.minimum(part.index + PART, end), part.carried[0]
                found = _any(f, part.index, last, before)
                part.next(*f.choose(found, partial(taken, part.index, last, so_far), partial(list, [so_far])))
            return [part.results[0]]

        found = _any(f, block.index, end, before)
        block.next(limit, *f.choose(found, parts, partial(list, [number])))
    return block.results[1]


def _any(f: Function, start: Value, end: Value, holds: Callable[[Value], Value]) -> Value:
    """Whether it holds somewhere; all are looked at, without jumps."""
    with f.loop(start, end, carried=[f.value(0, "i32")]) as each:
        each.next(each.carried[0] | holds(each.index).to("zext", "i32"))
    return each.results[0].ne(0)
