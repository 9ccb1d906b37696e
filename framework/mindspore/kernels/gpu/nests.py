"""Loop nests as kernels: positions of maps, rows and columns of folds are spread over the threads.

Sums are added in an order that depends on the nest alone, so results do not depend on the number of blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from mindspore.kernels import lanes
from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import Module, Value
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.gpu.threads import BLOCK, Threads, blocks_for
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_items import Index, Place
from mindspore.kernels.lower_rows import Body, Rows
from mindspore.kernels.nest import Item, Nest

LONG_ROW = 512
"""Elements from which a row is folded by a whole block instead of a warp."""
COLUMNS = 32
"""Neighbouring columns of one block: their elements lie in one piece of memory. The other threads share the rows of these columns."""


def emit(module: Module, name: str, nest: Nest) -> None:
    """Kernel `name` over the nest's pointers."""
    threads = Threads(module, name, len(nest.pointers))
    if nest.inner:
        _Columns(nest, threads).emit()
    elif any(item.kind == "fold" for item in nest.items):
        _rows(nest, threads)
    else:
        _map(nest, threads)
    threads.end()


def blocks(nest: Nest, warp: int) -> int:
    """Blocks that the kernel of this nest is started with."""
    if nest.inner:
        return blocks_for(_Columns.units(nest), 1)
    if any(item.kind == "fold" for item in nest.items):
        return blocks_for(Rows.units(nest), BLOCK // team_of(nest, warp))
    return blocks_for(prod(nest.dims))


def team_of(nest: Nest, warp: int) -> int:
    """Threads that fold one row together."""
    length = nest.chunk or prod(nest.length)
    return BLOCK if length >= LONG_ROW else warp


def _map(nest: Nest, threads: Threads) -> None:
    """One position after the other, neighbouring ones in neighbouring threads."""
    f = threads.f
    first, step = threads.block * BLOCK + threads.thread, threads.blocks * BLOCK
    with f.loop(first, prod(nest.dims), step) as loop:
        place = Place(f, threads.pointers, items.digits(loop.index, nest.dims))
        values: list[Lane] = []
        stores = []
        for item in nest.items:
            if item.kind == "store":
                stores.append((item, values[item.args[0]]))
                values.append(values[item.args[0]])
            else:
                values.append(items.compute(place, item, [values[a] for a in item.args]))
        for item, lane in stores:
            items.store(place, item, lane)


def _rows(nest: Nest, threads: Threads) -> None:
    """One row after the other for each team."""
    f, team = threads.f, team_of(nest, threads.gpu.warp)
    together = BLOCK // team
    body = _TeamRows(nest, threads, team)
    first = threads.block * together + threads.thread // team
    with f.loop(first, Rows.units(nest), threads.blocks * together) as loop:
        body.unit(loop.index)


class _TeamRows(Rows):
    """Rows, each by a team of threads: they take turns along the row and put their folds together after each phase."""

    def __init__(self, nest: Nest, threads: Threads, team: int) -> None:
        self.threads, self.team = threads, team
        self.place = threads.thread % team
        super().__init__(nest, threads.f, threads.pointers, keep=False)

    def run(
        self, loop: Sequence[int], phase: int, folds: Sequence[int], outer: Sequence[Index],
        bounds: tuple[Index, Index], values: dict[int, Lane],
    ) -> list[Lane]:  # fmt: skip
        ends = super().run(loop, phase, folds, outer, bounds, values)
        return [self.together(index, lane) for index, lane in zip(folds, ends, strict=True)]

    def nested(
        self, indices: list[Index], level: int, bounds: tuple[Index, Index], so_far: list[Lane], body: Body
    ) -> list[Lane]:
        """All dimensions of the row as one loop. Only a cut row has bounds of its own, and it has one dimension."""
        f, length = self.f, self.nest.length
        low, high = bounds if self.nest.chunk else (0, prod(length))
        with f.loop(
            f.index(low) + self.place, high, self.team, [v for lane in so_far for v in items.flat(lane)]
        ) as loop:
            here = items.digits(loop.index, length)
            ends = body([*indices, *here], items.regrouped(loop.carried, so_far))
            loop.next(*[v for lane in ends for v in items.flat(lane)])
        return items.regrouped(loop.results, so_far)

    def together(self, index: int, lane: Lane) -> Lane:
        """The fold of the whole row, for each thread of the team."""
        item = self.nest.items[index]
        dtype = accumulator(item.dtype)
        distance = self.threads.gpu.warp // 2
        while distance:
            other = self.threads.shuffle(lane, distance)
            lane = items.combine(self.f, item, lane, other, dtype)
            distance //= 2
        if self.team <= self.threads.gpu.warp:
            return lane
        return self.of_warps(index, lane)

    def of_warps(self, index: int, lane: Lane) -> Lane:
        """The folds of the block's warps, put together in their order."""
        f, item, warp = self.f, self.nest.items[index], self.threads.gpu.warp
        dtype = accumulator(item.dtype)
        memory = self.threads.shared(f"fold{index}", dtype, BLOCK // warp)
        with f.when((self.threads.thread % warp).eq(0)):
            lanes.store(f, lane, lanes.address(f, memory, self.threads.thread // warp, dtype), dtype)
        self.threads.barrier()
        total = lanes.load(f, memory, dtype)
        for number in range(1, BLOCK // warp):
            total = items.combine(f, item, total, lanes.load(f, lanes.address(f, memory, number, dtype), dtype), dtype)
        # the memory is written again for the next row
        self.threads.barrier()
        return total

    def store_row(self, place: Place, index: int, lane: Lane, offset: Index | None) -> None:
        with self.f.when(self.place.eq(0)):
            super().store_row(place, index, lane, offset)


class _Columns:
    """Folds of a dimension that is not innermost: a block has `COLUMNS` neighbouring columns, whose rows its warps share."""

    def __init__(self, nest: Nest, threads: Threads) -> None:
        self.nest, self.threads, self.f = nest, threads, threads.f
        self.slices = BLOCK // COLUMNS
        self.column, self.slice = threads.thread % COLUMNS, threads.thread // COLUMNS
        self.folds = [k for k, item in enumerate(nest.items) if item.kind == "fold"]

    @staticmethod
    def units(nest: Nest) -> int:
        return prod(nest.outer) * nest.pieces * -(-prod(nest.inner) // COLUMNS)

    def emit(self) -> None:
        with self.f.loop(self.threads.block, self.units(self.nest), self.threads.blocks) as loop:
            self.unit(loop.index)

    def unit(self, unit: Value) -> None:
        f, nest = self.f, self.nest
        width = prod(nest.inner)
        row, piece, first = items.digits(unit, (prod(nest.outer), nest.pieces, -(-width // COLUMNS)))
        column = first * COLUMNS + self.column
        inside = column < width
        outer, inner = items.digits(row, nest.outer), items.digits(column, nest.inner)
        length = prod(nest.length)
        low, high = f.index(piece) * nest.chunk, f.index(length)
        if nest.chunk:
            high = f.minimum(low + nest.chunk, length)
        # threads beside the last column have no rows, but go along to the barriers
        sums = self.folded(outer, inner, low, f.select(inside, high, low))
        sums = [self.together(k, lane) for k, lane in zip(self.folds, sums, strict=True)]
        with f.when(inside & self.slice.eq(0)):
            offset = f.index(row * nest.pieces + piece) * width + column if nest.chunk else None
            self.finish([*outer, *[0] * len(nest.length), *inner], dict(zip(self.folds, sums, strict=True)), offset)
        self.threads.barrier()

    def folded(self, outer: Sequence[Index], inner: Sequence[Index], low: Value, high: Value) -> list[Lane]:
        """What this thread folds of its column."""
        f, nest = self.f, self.nest
        starts = [items.start(f, nest.items[k]) for k in self.folds]
        with f.loop(low + self.slice, high, self.slices, [v for s in starts for v in items.flat(s)]) as loop:
            place = Place(f, self.threads.pointers, [*outer, *items.digits(loop.index, nest.length), *inner])
            ends = self.position(place, items.regrouped(loop.carried, starts))
            loop.next(*[v for lane in ends for v in items.flat(lane)])
        return items.regrouped(loop.results, starts)

    def position(self, place: Place, so_far: list[Lane]) -> list[Lane]:
        """One element of the column."""
        values: dict[int, Lane] = {}
        ends: list[Lane] = []
        stores: list[tuple[Item, Lane]] = []
        for index, item in enumerate(self.nest.items):
            args = [values[a] for a in item.args if a in values]
            if item.kind == "fold":
                source = self.nest.items[item.args[0]].dtype
                ends.append(items.combine(self.f, item, so_far[len(ends)], args[0], source))
            elif not item.row and item.kind == "store":
                stores.append((item, args[0]))
            elif not item.row:
                values[index] = items.compute(place, item, args)
        for item, lane in stores:
            items.store(place, item, lane)
        return ends

    def together(self, index: int, lane: Lane) -> Lane:
        """The folds of one column's slices, put together in their order; only slice 0 uses them."""
        f, item = self.f, self.nest.items[index]
        dtype = accumulator(item.dtype)
        memory = self.threads.shared(f"fold{index}", dtype, BLOCK)
        lanes.store(f, lane, lanes.address(f, memory, self.threads.thread, dtype), dtype)
        self.threads.barrier()
        total = lane
        for number in range(1, self.slices):
            where = lanes.address(f, memory, self.column + number * COLUMNS, dtype)
            total = items.combine(f, item, total, lanes.load(f, where, dtype), dtype)
        return total

    def finish(self, indices: Sequence[Index], values: dict[int, Lane], offset: Index | None) -> None:
        """What is computed from folds, and the stores."""
        place = Place(self.f, self.threads.pointers, indices)
        for index, item in enumerate(self.nest.items):
            if item.kind == "fold":
                values[index] = items.folded(self.f, item, values[index])
            elif item.row and item.kind == "store":
                items.store(place, item, values[item.args[0]], offset)
            elif item.row:
                values[index] = items.compute(place, item, [values[a] for a in item.args])
