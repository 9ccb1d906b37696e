"""Nests that fold a dimension which is not innermost: a block of columns is accumulated side by side, row after row."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from mindspore.kernels import lanes
from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import Function, Value
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_items import Index, Place
from mindspore.kernels.nest import Item, Nest

BLOCK = 256
"""Columns that one unit accumulates."""
FEW = 64
"""Columns below get memory for just as many; from here all numbers of columns share code."""


class Columns:
    """Emits the units of one nest into a function.

    A unit is (outer, piece of the fold, leading inner dimensions, block of the last one).
    """

    def __init__(self, nest: Nest, f: Function, pointers: Sequence[Value]) -> None:
        self.nest, self.f, self.pointers = nest, f, pointers
        self.depth = items.depth(nest, nest.items)
        self.width = min(BLOCK, nest.inner[-1])
        self.folds = [k for k, i in enumerate(nest.items) if i.kind == "fold"]
        self.sums = {k: self.memory(nest.items[k]) for k in self.folds}

    @staticmethod
    def units(nest: Nest) -> int:
        return prod(nest.outer) * nest.pieces * prod(nest.inner[:-1]) * -(-nest.inner[-1] // BLOCK)

    def memory(self, item: Item) -> Value:
        count = (BLOCK if self.nest.inner[-1] >= FEW else self.width) * (2 if item.dtype.is_complex else 1)
        return self.f.alloca(lanes.memory_type(accumulator(item.dtype)), count)

    def unit(self, unit: Index) -> None:
        f, nest = self.f, self.nest
        blocks = -(-nest.inner[-1] // BLOCK)
        digits = items.digits(unit, (prod(nest.outer), nest.pieces, *nest.inner[:-1], blocks))
        outer = items.digits(digits[0], nest.outer)
        leading = digits[2:-1]
        first = digits[-1] * BLOCK
        width: Index = self.width
        if nest.inner[-1] % self.width:
            width = f.minimum(f.index(nest.inner[-1]) - f.index(first), self.width)
        self.clear(width)
        values = self.at_depth(0, Place(f, self.pointers, [*outer, *[0] * len(nest.length), *leading, 0]), {})
        self.accumulate([*outer], self.bounds(digits[1]), (leading, first, width), values)
        self.finish([*outer, *[0] * len(nest.length)], (leading, first, width), values, digits)

    def bounds(self, piece: Index) -> tuple[Index, Index]:
        if not self.nest.chunk:
            return 0, self.nest.length[-1]
        low = self.f.index(piece * self.nest.chunk)
        return low, self.f.minimum(low + self.nest.chunk, self.nest.length[-1])

    def clear(self, width: Index) -> None:
        with self.f.loop(0, width, hints=items.hints(self.width, True)) as loop:
            for index in self.folds:
                self.put(index, loop.index, items.start(self.f, self.nest.items[index]))

    def put(self, index: int, column: Value, lane: Lane) -> None:
        dtype = accumulator(self.nest.items[index].dtype)
        lanes.store(self.f, lane, lanes.address(self.f, self.sums[index], column, dtype), dtype)

    def get(self, index: int, column: Value) -> Lane:
        dtype = accumulator(self.nest.items[index].dtype)
        return lanes.load(self.f, lanes.address(self.f, self.sums[index], column, dtype), dtype)

    def at_depth(self, depth: int, place: Place, known: dict[int, Lane]) -> dict[int, Lane]:
        """`known` with the loads and bodies of this depth added that need no fold."""
        values = dict(known)
        for index, item in enumerate(self.nest.items):
            if self.depth[index] == depth and not item.row and item.kind in ("load", "take", "position", "body"):
                values[index] = items.compute(place, item, [values[a] for a in item.args])
        return values

    def accumulate(
        self, indices: list[Index], bounds: tuple[Index, Index],
        columns: tuple[Sequence[Index], Index, Index], values: dict[int, Lane],
    ) -> None:  # fmt: skip
        """The loops over the folded dimensions."""
        level = len(indices) - len(self.nest.outer)
        if level < len(self.nest.length):
            low, high = bounds if level == len(self.nest.length) - 1 else (0, self.nest.length[level])
            with self.f.loop(low, high, hints=items.hints(0, False, self.width)) as loop:
                self.accumulate([*indices, loop.index], bounds, columns, values)
            return
        leading, first, width = columns
        values = self.at_depth(1, Place(self.f, self.pointers, [*indices, *leading, 0]), values)
        with self.f.loop(0, width, hints=items.hints(self.width, True)) as loop:
            self.column([*indices, *leading, loop.index + first], loop.index, values)

    def column(self, indices: Sequence[Index], column: Value, values: dict[int, Lane]) -> None:
        """One position: folds take it in, full outputs are stored."""
        place = Place(self.f, self.pointers, indices)
        values = self.at_depth(2, place, values)
        for index in self.folds:
            item = self.nest.items[index]
            source = self.nest.items[item.args[0]].dtype
            lane = items.combine(self.f, item, self.get(index, column), values[item.args[0]], source)
            self.put(index, column, lane)
        for item in self.nest.items:
            if item.kind == "store" and not item.row:
                items.store(place, item, values[item.args[0]])

    def finish(
        self, indices: list[Index], columns: tuple[Sequence[Index], Index, Index],
        known: dict[int, Lane], digits: Sequence[Index],
    ) -> None:  # fmt: skip
        """The loop over the results: what is computed from folds, and the stores."""
        leading, first, width = columns
        with self.f.loop(0, width, hints=items.hints(self.width, True)) as loop:
            column = loop.index + first
            place = Place(self.f, self.pointers, [*indices, *leading, column])
            values = dict(known)
            for index, item in enumerate(self.nest.items):
                if not item.row:
                    continue
                if item.kind == "fold":
                    values[index] = items.folded(self.f, item, self.get(index, loop.index))
                elif item.kind == "store":
                    items.store(place, item, values[item.args[0]], self.piece_offset(digits, leading, column))
                else:
                    values[index] = items.compute(place, item, [values[a] for a in item.args])

    def piece_offset(self, digits: Sequence[Index], leading: Sequence[Index], column: Index) -> Index | None:
        """Where a result goes when the fold is cut: one row of results per piece."""
        if not self.nest.chunk:
            return None
        total = digits[0] * self.nest.pieces + digits[1]
        for dim, index in zip(self.nest.inner, [*leading, column], strict=True):
            total = total * dim + index
        return total
