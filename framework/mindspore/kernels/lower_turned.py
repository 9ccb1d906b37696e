"""Nests that fold short rows: blocks of them are turned on the stack, run side by side there, and what is written is turned back."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.base import dtypes as dt
from mindspore.kernels import lanes
from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_beside import Beside
from mindspore.kernels.lower_items import Index, Place
from mindspore.kernels.nest import Item, Nest
from mindspore.kernels.sizes import is_symbolic
from mindspore.kernels.turned import turn
from mindspore.primitives.scalar import FLOATING

ROWS = 64
"""Rows of a block."""
SHORTEST, LONGEST = 4, 64
"""Elements of a row."""
UNROLLED = 256
"""Instructions up to which the loop along a row is written out."""
LONG, VECTOR = 32, 16
"""Rows from this length on, of whole vectors, are as fast one after the other,"""
AT_ONCE = frozenset(("sqrt", "rsqrt"))
"""unless a function is computed of each row's fold that is not one of these, which are instructions."""


def suits(nest: Nest) -> bool:
    """Whether the rows are short and many, worth to be turned, and each contiguous or the same for all."""
    if nest.chunk or nest.inner or not nest.outer or len(nest.length) != 1 or any(map(is_symbolic, nest.dims)):
        return False
    if nest.outer[-1] < ROWS or not SHORTEST <= nest.length[0] <= LONGEST or not _worth(nest):
        return False
    along = [i for i in nest.items if i.strides and i.strides[-1]]
    return any(_turned(i) for i in along) and all(_turned(i) or _common(i) for i in along)


def _worth(nest: Nest) -> bool:
    """Whether what turning takes is less than what it saves."""
    ragged = nest.length[0] % VECTOR != 0
    if not any(i.phase > 0 and not i.row for i in nest.items):
        extreme = any(i.kind == "fold" and i.fold in ("max", "min") and i.dtype.is_floating for i in nest.items)
        return extreme and ragged and nest.length[0] > VECTOR
    return ragged or nest.length[0] < LONG or any(i.row and i.phase > 0 and _dear(i) for i in nest.items)


def _dear(item: Item) -> bool:
    return item.expr is not None and item.expr.op in FLOATING and item.expr.op not in AT_ONCE


def _turned(item: Item) -> bool:
    """A load or a store of whole rows."""
    return (
        item.kind in ("load", "store") and item.strides[-1] == 1 and item.strides[-2] > 1 and not item.dtype.is_complex
    )


def _common(item: Item) -> bool:
    return item.kind == "position" or (item.kind == "load" and item.strides[-2] == 0)


class Turned(Beside):
    """Emits the units of one nest into a function."""

    def __init__(self, nest: Nest, f: Function, pointers: Sequence[Value]) -> None:
        self.arrays: dict[tuple[object, ...], Value] = {}
        super().__init__(nest, f, pointers, keep=True)
        self.read = {
            k: self.turned(i) for k, i in enumerate(nest.items) if i.kind == "load" and self.varies[k] and _turned(i)
        }
        self.write = {k: self.turned(i) for k, i in enumerate(nest.items) if i.kind == "store" and self.varies[k]}

    @staticmethod
    def block(nest: Nest) -> int:
        return ROWS

    def row_memory(self, index: int) -> tuple[Value, bool]:
        store = next((i for i in self.nest.items if i.kind == "store" and i.args == (index,)), self.nest.items[index])
        return self.turned(store), False

    def turned(self, item: Item) -> Value:
        """The turned rows of a load, a store or a kept item: one array for equal ones."""
        key = (item.kind, item.buffer, item.offset, item.strides, item.args, item.dtype)
        if key not in self.arrays:
            self.arrays[key] = self.f.alloca(lanes.memory_type(item.dtype), self.nest.length[0] * self.width)
        return self.arrays[key]

    def unit(self, unit: Index) -> None:
        blocks = -(-self.nest.outer[-1] // self.width)
        *leading, block = items.digits(unit, (*self.nest.outer[:-1], blocks))
        first = Place(self.f, self.pointers, [*leading, block * self.width, 0])
        count = self.nest.outer[-1] - self.f.index(block * self.width)
        seen = set()
        for index, array in self.read.items():
            if array.name not in seen:
                seen.add(array.name)
                self.move(first, count, self.nest.items[index], array, back=False)
        super().unit(unit)
        for index, array in self.write.items():
            self.move(first, count, self.nest.items[index], array, back=True)

    def along(self, loop: Sequence[int], folds: Sequence[int], indices: list[Index]) -> None:
        """Short code looks at all positions of a row in one turn, so that folds stay in registers."""
        length, nest = self.nest.length[0], self.nest.items
        # LLVM takes float16 extremes of float16 in registers for such, which processors do not have
        narrow = any(nest[k].dtype is dt.float16 and nest[k].fold in ("max", "min") for k in folds)
        if not folds or narrow or length * sum(nest[k].cost for k in loop) > UNROLLED:
            return super().along(loop, folds, indices)
        with self.f.loop(0, self.count, hints=items.hints(self.width, True)) as column:
            ends = {k: items.start(self.f, nest[k]) for k in folds}
            for position in range(length):
                self.position(loop, [position], column.index, ends)
            for index, lane in ends.items():
                self.put(self.sums, index, column.index, lane, accumulator(nest[index].dtype))
        return None

    def move(self, first: Place, left: Value, item: Item, array: Value, back: bool) -> None:
        """The block's rows to or from the stack, of which `left` remain; the last ones, fewer than a block, one by one."""
        f, kind, length, stride = self.f, lanes.memory_type(item.dtype), int(self.nest.length[0]), int(item.strides[-2])
        memory = lanes.address(f, self.pointers[item.buffer], first.offset(item), item.dtype)

        def whole() -> list[Value]:
            outside, inside = (memory, stride), (array, self.width)
            turn(
                f, kind, *((inside, outside, (length, self.width)) if back else (outside, inside, (self.width, length)))
            )
            return []

        def single() -> list[Value]:
            hints = (NO_VECTOR, NO_UNROLL)
            with f.loop(0, left, hints=hints) as row, f.loop(0, length, hints=hints) as column:
                places = [
                    memory.at(kind, row.index * stride + column.index),
                    array.at(kind, column.index * self.width + row.index),
                ]
                source, target = reversed(places) if back else places
                f.store(f.load(kind, source), target)
            return []

        if self.nest.outer[-1] % self.width:
            f.choose(left >= self.width, whole, single)
        else:
            whole()

    def at(self, array: Value, index: int, place: Place, column: Value) -> Value:
        return lanes.address(self.f, array, place.indices[-1] * self.width + column, self.nest.items[index].dtype)

    def there(self, index: int, place: Place, column: Value, values: dict[int, Lane]) -> bool:
        kept = index in self.kept and self.kept[index] != self.phase
        array = self.rows[index][0] if kept else self.read.get(index)
        if array is None:
            return False
        values[index] = lanes.load(self.f, self.at(array, index, place, column), self.nest.items[index].dtype)
        return True

    def written(self, index: int, place: Place, column: Value, lane: Lane) -> None:
        lanes.store(self.f, lane, self.at(self.write[index], index, place, column), self.nest.items[index].dtype)

    def noted(self, index: int, place: Place, column: Value, lane: Lane) -> None:
        if index in self.kept:
            lanes.store(self.f, lane, self.at(self.rows[index][0], index, place, column), self.nest.items[index].dtype)
