"""Nests that fold rows whose elements are far apart while neighbouring rows lie side by side: each lane of a vector has a row of its own.

Batch normalisation of ``[N, C]`` is one. A unit is a block of rows, and all phases run over it while the caches hold it. What there is once
per row lies in short arrays, one element for each row of the block.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, prod

from mindspore.base.dtypes import DType
from mindspore.kernels import lanes
from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_items import Index, Place
from mindspore.kernels.lower_rows import Rows
from mindspore.kernels.nest import Nest
from mindspore.kernels.sizes import is_symbolic

LEAST, MOST = 16, 128
"""Rows of a block: from a cache line's up to as many as leave enough blocks."""
BLOCKS = 8
"""Blocks that keep every thread busy."""
RUN = 32
"""Positions that a lane at least adds up one after the other; as many runs as each has positions keep float32 exact enough."""
KINDS = frozenset(("load", "store"))


def suits(nest: Nest) -> bool:
    """Whether all that varies along the rows is contiguous across them."""
    if nest.chunk or nest.inner or not nest.outer or not any(i.kind == "fold" for i in nest.items):
        return False
    if any(map(is_symbolic, nest.dims)) or nest.outer[-1] < LEAST:
        return False
    across = len(nest.outer) - 1
    along = [i for i in nest.items if any(i.strides[across + 1 :])]
    fit = all(i.kind in KINDS and i.strides[across] in (0, 1) for i in along)
    return fit and any(i.strides[across] == 1 and i.strides[-1] > 1 for i in along)


class Beside(Rows):
    """Emits the units of one nest into a function."""

    def __init__(self, nest: Nest, f: Function, pointers: Sequence[Value], keep: bool = False) -> None:
        self.width = self.block(nest)
        super().__init__(nest, f, pointers, keep)
        self.sums = self.accumulators()
        self.runs = self.accumulators() if prod(nest.length) > RUN else self.sums
        self.anywhere = self.computed_anywhere()
        self.held = {k: self.array(nest.items[k].dtype) for k in self.read_later()}
        self.phase = 0
        self.leading: list[Index] = []
        self.first: Index = 0
        self.count: Index = 0

    @staticmethod
    def block(nest: Nest) -> int:
        """Rows of a block. Depends on the shape alone."""
        wanted = prod(nest.outer) // (BLOCKS * LEAST) * LEAST
        return min(max(wanted, LEAST), MOST, nest.outer[-1])

    @classmethod
    def units(cls, nest: Nest) -> int:
        return prod(nest.outer[:-1]) * -(-nest.outer[-1] // cls.block(nest))

    def array(self, dtype: DType) -> Value:
        """An element for each row of the block."""
        return self.f.alloca(lanes.memory_type(dtype), self.width * (2 if dtype.is_complex else 1))

    def accumulators(self) -> dict[int, Value]:
        return {k: self.array(accumulator(i.dtype)) for k, i in enumerate(self.nest.items) if i.kind == "fold"}

    def computed_anywhere(self) -> list[bool]:
        """Which items are loaded or computed where they are needed: those in memory, unless a result takes their place there, and those
        that are the same for all rows."""
        overwritten = {i.buffer for k, i in enumerate(self.nest.items) if i.kind == "store" and not self.varies[k]}
        found: list[bool] = []
        same: list[bool] = []
        for item in self.nest.items:
            still = item.kind == "position" and not any(item.strides)
            same.append(still or (item.kind == "body" and all(same[a] for a in item.args)))
            kept = item.kind == "load" and item.buffer not in overwritten
            found.append(kept or item.kind == "position" or same[-1])
        return found

    def read_later(self) -> list[int]:
        """What is computed once per row and read by the loops along the rows, or in a later phase."""
        users: dict[int, list[int]] = {}
        for user, item in enumerate(self.nest.items):
            for used in item.args:
                users.setdefault(used, []).append(user)
        return [
            k
            for k, item in enumerate(self.nest.items)
            if item.kind not in ("fold", "store") and not self.varies[k] and not self.anywhere[k]
            if any(self.varies[u] or self.nest.items[u].phase > item.phase for u in users.get(k, ()))
        ]

    def unit(self, unit: Index) -> None:
        """One block of rows: all phases."""
        nest, blocks = self.nest, -(-self.nest.outer[-1] // self.width)
        *self.leading, block = items.digits(unit, (*nest.outer[:-1], blocks))
        self.first, self.count = block * self.width, self.width
        if nest.outer[-1] % self.width:
            self.count = self.f.minimum(nest.outer[-1] - self.f.index(self.first), self.width)
        for phase, loop in enumerate([*self.loops, []]):
            self.phase = phase
            self.settle(phase)
            folds = [k for k in loop if nest.items[k].kind == "fold"]
            self.clear(self.sums, folds)
            self.along(loop, folds, [])

    def settle(self, phase: int) -> None:
        """What there is once per row and comes with this phase."""
        wanted = [
            k
            for k, item in enumerate(self.nest.items)
            if item.phase == phase and item.kind != "fold" and not self.varies[k] and not self.anywhere[k]
        ]
        if not wanted:
            return
        with self.f.loop(0, self.count, hints=items.hints(self.width, True)) as loop:
            place, values = self.place(loop.index, [0] * len(self.nest.length)), dict[int, Lane]()
            for index in wanted:
                item = self.nest.items[index]
                args = [self.known(a, place, loop.index, values) for a in item.args]
                if item.kind == "store":
                    items.store(place, item, args[0])
                    continue
                values[index] = items.compute(place, item, args)
                if index in self.held:
                    self.put(self.held, index, loop.index, values[index], item.dtype)

    def place(self, column: Value, along: Sequence[Index]) -> Place:
        return Place(self.f, self.pointers, [*self.leading, column + self.first, *along])

    def known(self, index: int, place: Place, column: Value, values: dict[int, Lane]) -> Lane:
        """What there is once per row, at one row."""
        item = self.nest.items[index]
        if index not in values:
            if item.kind == "fold":
                lane = self.get(self.sums, index, column, accumulator(item.dtype))
                values[index] = items.folded(self.f, item, lane)
            elif index in self.held:
                values[index] = self.get(self.held, index, column, item.dtype)
            else:
                args = [self.known(a, place, column, values) for a in item.args]
                values[index] = items.compute(place, item, args)
        return values[index]

    def put(self, arrays: dict[int, Value], index: int, column: Value, lane: Lane, dtype: DType) -> None:
        lanes.store(self.f, lane, lanes.address(self.f, arrays[index], column, dtype), dtype)

    def get(self, arrays: dict[int, Value], index: int, column: Value, dtype: DType) -> Lane:
        return lanes.load(self.f, lanes.address(self.f, arrays[index], column, dtype), dtype)

    def clear(self, arrays: dict[int, Value], folds: Sequence[int]) -> None:
        if not folds:
            return
        with self.f.loop(0, self.count, hints=items.hints(self.width, True)) as loop:
            for index in folds:
                item = self.nest.items[index]
                self.put(arrays, index, loop.index, items.start(self.f, item), accumulator(item.dtype))

    def along(self, loop: Sequence[int], folds: Sequence[int], indices: list[Index]) -> None:
        """The loops over the folded dimensions, the innermost one in runs."""
        if not loop:
            return
        length = self.nest.length[len(indices)]
        hints = (NO_VECTOR, NO_UNROLL)
        if len(indices) < len(self.nest.length) - 1:
            with self.f.loop(0, length, hints=hints) as outer:
                self.along(loop, folds, [*indices, outer.index])
        elif self.runs is self.sums or not folds:
            with self.f.loop(0, length, hints=hints) as inner:
                self.across(loop, folds, [*indices, inner.index])
        else:
            many = max(RUN, isqrt(int(length)))
            with self.f.loop(0, length, many, hints=hints) as run:
                self.clear(self.runs, folds)
                with self.f.loop(run.index, self.f.minimum(run.index + many, length), hints=hints) as inner:
                    self.across(loop, folds, [*indices, inner.index])
                self.join(folds)

    def join(self, folds: Sequence[int]) -> None:
        """The results of a run, added to those of the runs before it."""
        with self.f.loop(0, self.count, hints=items.hints(self.width, True)) as loop:
            for index in folds:
                item = self.nest.items[index]
                dtype = accumulator(item.dtype)
                total, run = (self.get(arrays, index, loop.index, dtype) for arrays in (self.sums, self.runs))
                self.put(self.sums, index, loop.index, items.combine(self.f, item, total, run, dtype), dtype)

    def across(self, loop: Sequence[int], folds: Sequence[int], indices: Sequence[Index]) -> None:
        """One position of all rows of the block."""
        types = {k: accumulator(self.nest.items[k].dtype) for k in folds}
        with self.f.loop(0, self.count, hints=items.hints(self.width, True)) as column:
            ends = {k: self.get(self.runs, k, column.index, t) for k, t in types.items()}
            self.position(loop, indices, column.index, ends)
            for index, lane in ends.items():
                self.put(self.runs, index, column.index, lane, types[index])

    def position(self, loop: Sequence[int], indices: Sequence[Index], column: Value, ends: dict[int, Lane]) -> None:
        """One position of one row; `ends` are the folds so far, and afterwards those with this position."""
        place, values = self.place(column, indices), dict[int, Lane]()
        for index in loop:
            item = self.nest.items[index]
            if self.there(index, place, column, values):
                continue
            args = [values[a] if self.varies[a] else self.known(a, place, column, values) for a in item.args]
            if item.kind == "store":
                self.written(index, place, column, args[0])
            elif item.kind == "fold":
                ends[index] = items.combine(self.f, item, ends[index], args[0], self.nest.items[item.args[0]].dtype)
            else:
                values[index] = items.compute(place, item, args)
                self.noted(index, place, column, values[index])

    def there(self, index: int, place: Place, column: Value, values: dict[int, Lane]) -> bool:
        """Whether `values` has the item now, because it lies in an array of the block."""
        return False

    def written(self, index: int, place: Place, column: Value, lane: Lane) -> None:
        items.store(place, self.nest.items[index], lane)

    def noted(self, index: int, place: Place, column: Value, lane: Lane) -> None:
        """An item that varies along the rows was computed."""
