"""Positions of the first elements of each row in ascending or descending order; stable, NaN counts as larger than any number.

Short rows: each element's place is the number of items before it. Long ones: the digits of the keys, of 8 bits, are sorted one after the
other, the least significant first (H. Hollerith's way); a digit that all keys share is passed over. Where few elements are wanted, those
whose upper digits show that they are none of them are dropped before.

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
FEW = 4
"""Elements are dropped first where so many times as many as wanted are there."""
BUCKETS = 256
COPIES = 4
"""Of the table that digits are counted in: neighbours with one digit do not wait for each other."""
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
    half = (count + 1) * keys.words
    memory = runtime.scratch(f, f["runtime"], half * 16)
    tables = f.alloca("i32", BUCKETS * max(keys.digits, COPIES))
    with f.when(runtime.exists(f, memory)), f.loop(begin, end, hints=[NO_VECTOR]) as row:
        elements = source.at(f"i{keys.bits}", row.index * count)
        out = target.at("i32", row.index * kept)

        def filled() -> list[Value]:
            with f.loop(0, count) as each:
                keys.store(f, keys.item(f, elements, each.index), memory, each.index)
            return [count]

        def selected() -> list[Value]:
            return [_select(keys, f, elements, memory, tables, count, kept)]

        def counted() -> list[Value]:
            _rank(keys, f, memory, out, left, kept)
            return []

        def by_digits() -> list[Value]:
            ordered = _sort(keys, f, memory, memory.at("i64", half), tables, left)
            with f.loop(0, kept) as each:
                f.store(keys.position(keys.load(f, ordered, each.index)), out.at("i32", each.index))
            return []

        few = (kept * FEW < count) & (count > SHORT)
        (left,) = f.choose(few, selected, filled)
        f.choose(left <= SHORT, counted, by_digits)


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


def _select(keys: Keys, f: Function, source: Value, items: Value, tables: Value, count: Value, kept: Value) -> Value:
    """Writes the items that may be among the first `kept`, in the order of their positions; gives their number."""
    top = f.index((keys.digits - 1) * 8)

    def digit(item: tuple[Value, ...]) -> Value:
        return keys.above(f, item, top)

    _clear(f, tables, BUCKETS * COPIES)
    with f.loop(0, count, hints=[NO_VECTOR]) as each:
        copy = tables.at("i32", (each.index & (COPIES - 1)) * BUCKETS)
        _increase(f, copy, digit(keys.item(f, source, each.index)))
    limit = _limit(f, tables, COPIES, kept)
    left = _compact(f, keys, lambda i: keys.item(f, source, i), items, count, lambda item: digit(item) <= limit)
    if keys.digits == 1:
        return left
    with f.loop(1, keys.digits, carried=[limit, left], hints=[NO_VECTOR, NO_UNROLL]) as level:
        highest, number = level.carried
        shift = f.index((keys.digits - 1) * 8) - level.index * 8

        def narrowed(highest: Value = highest, number: Value = number, shift: Value = shift) -> list[Value]:
            """Items below the limit stay and count as digit 0 of the next."""
            _clear(f, tables, 2 * BUCKETS)
            base = f.op("shl", highest, 8)
            with f.loop(0, number, hints=[NO_VECTOR]) as each:
                above = keys.above(f, keys.load(f, items, each.index), shift)
                below = f.compare("lt", above, base, unsigned=True)
                _increase(f, tables, f.select(below, f.index(0), f.op("add", f.op("sub", above, base), 1)))
            limit = f.op("add", base, _limit(f, tables, 1, kept, BUCKETS + 1) - 1)
            here = _compact(
                f, keys, lambda i: keys.load(f, items, i), items, number,
                lambda item: f.compare("le", keys.above(f, item, shift), limit, unsigned=True),
            )  # fmt: skip
            return [limit, here]

        level.next(*f.choose(number > f.maximum(kept * 2, f.index(SHORT)), narrowed, lambda: [highest, number]))
    return level.results[1]


def _limit(f: Function, tables: Value, copies: int, kept: Value, buckets: int = BUCKETS) -> Value:
    """The least digit up to which at least `kept` items are counted."""
    with f.loop(0, buckets, carried=[f.index(0), f.index(0)], hints=[NO_VECTOR]) as bucket:
        total, found = bucket.carried
        for copy in range(copies):
            total = total + f.load("i32", tables.at("i32", bucket.index + copy * buckets)).to("zext", "i64")
        bucket.next(total, found + (total < kept).to("zext", "i64"))
    return bucket.results[1]


def _compact(
    f: Function, keys: Keys, item: Callable[[Value], tuple[Value, ...]], items: Value, count: Value,
    stays: Callable[[tuple[Value, ...]], Value],
) -> Value:  # fmt: skip
    """Writes those items that stay one after the other; gives their number."""
    with f.loop(0, count, carried=[f.index(0)], hints=[NO_VECTOR]) as each:
        here, place = item(each.index), each.carried[0]
        keys.store(f, here, items, place)
        each.next(place + stays(here).to("zext", "i64"))
    return each.results[0]
