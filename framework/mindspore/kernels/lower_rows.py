"""Nests whose folded dimension is innermost: per unit one loop for each phase, with what does not vary kept outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from mindspore.kernels import lanes
from mindspore.kernels import lower_items as items
from mindspore.kernels import lower_stream as stream
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_items import Index, Place
from mindspore.kernels.nest import Item, Nest
from mindspore.kernels.sizes import is_symbolic
from mindspore.kernels.target import Isa

CHEAP = 6
"""Instructions up to which a value is computed again in a later phase instead of being kept."""
ANY_COST = 1 << 30
MOST_KEPT = 1 << 18
"""Bytes of the stack that kept rows may take."""


SHORT_SEGMENT = (8, 255)
"""Lengths of segments that are not worth putting together on their own,"""
SEGMENTS = 4
"""from so many of them on."""

Body = Callable[[list[Index], list[Lane]], list[Lane]]


class Rows:
    """Emits the units of one nest into a function."""

    def __init__(self, nest: Nest, f: Function, pointers: Sequence[Value], keep: bool = True) -> None:
        self.nest, self.f, self.pointers = nest, f, pointers
        self.varies = [d > 0 for d in items.depth(nest, nest.items)]
        self.cheap = CHEAP if keep else ANY_COST
        self.loops = self.schedule()
        self.kept = self.plan_kept()
        length = prod(nest.length)
        if is_symbolic(length) or sum(length * nest.items[k].dtype.itemsize for k in self.kept) > MOST_KEPT:
            self.cheap = ANY_COST
            self.loops, self.kept = self.schedule(), {}
        self.rows = {index: self.row_memory(index) for index in self.kept}
        self.stages = {index: stream.stage(f, nest.items[index].dtype) for index in self.streamed()}
        self.writing: list[int] = []
        self.staged: Value | None = None

    @staticmethod
    def units(nest: Nest) -> int:
        return prod(nest.outer) * nest.pieces

    def schedule(self) -> list[list[int]]:
        """For each phase the items that its loop runs: folds and stores of the phase and what they need, in order."""
        nest = self.nest.items
        phases = 1 + max(i.phase for i in nest)
        loops: list[list[int]] = []
        for phase in range(phases):
            wanted = [k for k, i in enumerate(nest) if (self.varies[k] or i.kind == "fold") and _runs_in(i, phase)]
            loops.append(self.closure(wanted, phase, loops))
        return loops

    def closure(self, wanted: Sequence[int], phase: int, earlier: Sequence[Sequence[int]]) -> list[int]:
        """`wanted` and the varying items they need here; kept values of earlier loops are not looked through."""
        found: set[int] = set()
        stack = list(wanted)
        while stack:
            index = stack.pop()
            if index in found:
                continue
            found.add(index)
            if not self.comes_from(index, earlier):
                stack.extend(a for a in self.nest.items[index].args if self.varies[a] and not self.nest.items[a].row)
        return sorted(found)

    def comes_from(self, index: int, earlier: Sequence[Sequence[int]]) -> bool:
        """Whether the item was computed in an earlier loop and is dear enough to be kept from there."""
        item = self.nest.items[index]
        return item.kind == "body" and item.cost > self.cheap and any(index in loop for loop in earlier)

    def plan_kept(self) -> dict[int, int]:
        """Items that a later loop reads again -> the loop that keeps them."""
        kept: dict[int, int] = {}
        for phase, loop in enumerate(self.loops):
            for index in loop:
                if self.comes_from(index, self.loops[:phase]):
                    kept.setdefault(index, next(p for p, other in enumerate(self.loops) if index in other))
        return kept

    def row_memory(self, index: int) -> tuple[Value, bool]:
        """Where a kept row lies (with whether it is an output): its own output, or the stack."""
        for item in self.nest.items:
            if item.kind == "store" and item.args == (index,):
                return self.pointers[item.buffer], True
        count = prod(self.nest.length) * (2 if self.nest.items[index].dtype.is_complex else 1)
        return self.f.alloca(lanes.memory_type(self.nest.items[index].dtype), count), False

    def streamed(self) -> list[int]:
        """Stores that go past the caches of a processor; not those that a later loop reads again."""
        if not isinstance(self.f.module.target, Isa):
            return []
        again = {index for index, (_, is_output) in self.rows.items() if is_output}
        found = [k for k, i in enumerate(self.nest.items) if self.varies[k] and stream.streamed(self.nest, i)]
        return [k for k in found if self.nest.items[k].args[0] not in again]

    def unit(self, unit: Index) -> None:
        """One unit: all phases."""
        f, nest = self.f, self.nest
        outer, low, high = self.bounds(unit)
        values: dict[int, Lane] = {}
        still = [0] * len(nest.length)
        for phase, loop in enumerate(self.loops):
            here = Place(f, self.pointers, [*outer, *still])
            self.unvarying(here, phase, values, unit)
            folds = [k for k in loop if nest.items[k].kind == "fold"]
            if loop:
                ends = self.run(loop, phase, folds, outer, (low, high), values)
                values.update({k: items.folded(f, nest.items[k], lane) for k, lane in zip(folds, ends, strict=True)})
        self.unvarying(Place(f, self.pointers, [*outer, *still]), len(self.loops), values, unit)

    def bounds(self, unit: Index) -> tuple[list[Index], Index, Index]:
        """Indices of the outer dimensions, and the range of the innermost one."""
        f, nest = self.f, self.nest
        piece: Index = 0
        total = prod(nest.outer)
        if nest.pieces > 1:
            piece = unit % nest.pieces if total > 1 else unit
            unit = unit // nest.pieces if total > 1 else 0
        outer = items.digits(unit, nest.outer)
        if not nest.chunk:
            return outer, 0, nest.length[-1] if nest.length else 1
        low = f.index(piece) * nest.chunk
        return outer, low, f.minimum(low + nest.chunk, nest.length[-1])

    def unvarying(self, place: Place, phase: int, values: dict[int, Lane], unit: Index) -> None:
        """Items that are the same all over the unit, once they are there."""
        for index, item in enumerate(self.nest.items):
            if self.varies[index] or index in values or item.phase > phase or item.kind == "fold":
                continue
            if item.kind == "store":
                if item.args[0] in values:
                    values[index] = values[item.args[0]]
                    self.store_row(place, index, values[index], unit if self.nest.chunk and item.row else None)
            elif all(a in values for a in item.args):
                values[index] = items.compute(place, item, [values[a] for a in item.args])

    def store_row(self, place: Place, index: int, lane: Lane, offset: Index | None) -> None:
        """A store of what is the same all over the unit."""
        items.store(place, self.nest.items[index], lane, offset)

    def run(
        self, loop: Sequence[int], phase: int, folds: Sequence[int], outer: Sequence[Index],
        bounds: tuple[Index, Index], values: dict[int, Lane],
    ) -> list[Lane]:  # fmt: skip
        """The loop of one phase over all folded dimensions; gives the folds' accumulators."""
        self.writing = [k for k in loop if k in self.stages]
        if folds and self.segmented():
            return self.over_segments(loop, phase, folds, outer, bounds, values)
        first = [items.start(self.f, self.nest.items[k]) for k in folds]

        def body(indices: list[Index], so_far: list[Lane]) -> list[Lane]:
            return self.body(loop, phase, folds, indices, so_far, values)

        return self.nested(list(outer), 0, bounds, first, body)

    def segmented(self) -> bool:
        """Whether the row lies in many short segments, each too short to be put together on its own."""
        length = self.nest.length
        if not isinstance(self.f.module.target, Isa):
            return False
        if len(length) < 2 or self.writing or any(map(is_symbolic, length)) or self.nest.chunk:
            return False
        return SHORT_SEGMENT[0] <= length[-1] <= SHORT_SEGMENT[1] and prod(length[:-1]) >= SEGMENTS

    def over_segments(
        self, loop: Sequence[int], phase: int, folds: Sequence[int], outer: Sequence[Index],
        bounds: tuple[Index, Index], values: dict[int, Lane],
    ) -> list[Lane]:  # fmt: skip
        """The positions of the segments add up side by side in short arrays, which are put together at the end."""
        f, nest, last = self.f, self.nest.items, self.nest.length[-1]
        types = {k: accumulator(nest[k].dtype) for k in folds}
        arrays = {k: f.alloca(lanes.memory_type(t), last * (2 if t.is_complex else 1)) for k, t in types.items()}
        start = [items.start(f, nest[k]) for k in folds]

        def place(k: int, index: Index) -> Value:
            return lanes.address(f, arrays[k], index, types[k])

        with f.loop(0, last, hints=items.hints(last, True)) as column:
            for k, lane in zip(folds, start, strict=True):
                lanes.store(f, lane, place(k, column.index), types[k])

        def body(indices: list[Index], _: list[Lane]) -> list[Lane]:
            so_far = [lanes.load(f, place(k, indices[-1]), types[k]) for k in folds]
            ends = self.body(loop, phase, folds, indices, so_far, values)
            for k, lane in zip(folds, ends, strict=True):
                lanes.store(f, lane, place(k, indices[-1]), types[k])
            return []

        self.nested(list(outer), 0, bounds, [], body)
        with f.loop(
            0, last, carried=[v for s in start for v in items.flat(s)], hints=items.hints(last, True)
        ) as column:
            so_far = items.regrouped(column.carried, start)
            ends = [
                items.combine(f, nest[k], lane, lanes.load(f, place(k, column.index), types[k]), types[k])
                for k, lane in zip(folds, so_far, strict=True)
            ]
            column.next(*(v for lane in ends for v in items.flat(lane)))
        return items.regrouped(column.results, start)

    def nested(
        self, indices: list[Index], level: int, bounds: tuple[Index, Index], so_far: list[Lane], body: Body
    ) -> list[Lane]:
        length = self.nest.length
        if level == len(length):
            return body(indices, so_far)
        last = level == len(length) - 1
        low, high = bounds if last else (0, length[level])
        if last and self.writing:
            return self.in_blocks(indices, (low, high), so_far, body)
        carried = [v for lane in so_far for v in items.flat(lane)]
        with self.f.loop(
            low, high, carried=carried, hints=items.hints(length[level], last, prod(length[level + 1 :]))
        ) as loop:
            inside = items.regrouped(loop.carried, so_far)
            ends = self.nested([*indices, loop.index], level + 1, bounds, inside, body)
            if carried:
                loop.next(*[v for lane in ends for v in items.flat(lane)])
        return items.regrouped(loop.results, so_far)

    def in_blocks(
        self, indices: list[Index], bounds: tuple[Index, Index], so_far: list[Lane], body: Body
    ) -> list[Lane]:
        """The innermost loop in blocks, at whose ends the stages are written."""
        f, (low, high) = self.f, bounds
        carried = [v for lane in so_far for v in items.flat(lane)]
        with f.loop(low, high, stream.BLOCK, carried, hints=(NO_VECTOR, NO_UNROLL)) as block:
            count = f.minimum(f.index(high) - block.index, stream.BLOCK)
            with f.loop(0, count, carried=block.carried) as loop:
                self.staged = loop.index
                inside = items.regrouped(loop.carried, so_far)
                ends = body([*indices, block.index + loop.index], inside)
                if carried:
                    loop.next(*[v for lane in ends for v in items.flat(lane)])
            place = Place(f, self.pointers, [*indices, block.index])
            for index in self.writing:
                item = self.nest.items[index]
                target = lanes.address(f, self.pointers[item.buffer], place.offset(item), item.dtype)
                stream.flush(f, self.stages[index], target, count, item.dtype)
            if carried:
                block.next(*loop.results)
        return items.regrouped(block.results, so_far)

    def body(
        self, loop: Sequence[int], phase: int, folds: Sequence[int], indices: Sequence[Index],
        so_far: list[Lane], outside: dict[int, Lane],
    ) -> list[Lane]:  # fmt: skip
        """One position of one phase."""
        place = Place(self.f, self.pointers, indices)
        values = dict(outside)
        ends = dict(zip(folds, so_far, strict=True))
        stores = []
        for index in loop:
            item = self.nest.items[index]
            if index in self.kept and self.kept[index] != phase:
                values[index] = self.reload(index, place)
            elif item.kind == "fold":
                source = self.nest.items[item.args[0]].dtype
                ends[index] = items.combine(self.f, item, ends[index], values[item.args[0]], source)
            elif item.kind == "store":
                stores.append(index)
            else:
                values[index] = items.compute(place, item, [values[a] for a in item.args])
                self.keep(index, place, values[index])
        for index in stores:
            item = self.nest.items[index]
            if index in self.stages:
                assert self.staged is not None, "streamed stores run in blocks"
                where = lanes.address(self.f, self.stages[index], self.staged, item.dtype)
                lanes.store(self.f, values[item.args[0]], where, item.dtype)
            else:
                items.store(place, item, values[item.args[0]])
        return list(ends.values())

    def keep(self, index: int, place: Place, lane: Lane) -> None:
        if index in self.kept and not self.rows[index][1]:
            dtype = self.nest.items[index].dtype
            lanes.store(self.f, lane, lanes.address(self.f, self.rows[index][0], self.column(place), dtype), dtype)

    def reload(self, index: int, place: Place) -> Lane:
        memory, is_output = self.rows[index]
        dtype = self.nest.items[index].dtype
        where = place.offset(self.store_of(index)) if is_output else self.column(place)
        return lanes.load(self.f, lanes.address(self.f, memory, where, dtype), dtype)

    def store_of(self, index: int) -> Item:
        return next(i for i in self.nest.items if i.kind == "store" and i.args == (index,))

    def column(self, place: Place) -> Index:
        """Position within the row."""
        total: Index = 0
        for index, dim in zip(place.indices[len(self.nest.outer) :], self.nest.length, strict=True):
            total = total * dim + index
        return total


def _runs_in(item: Item, phase: int) -> bool:
    """Folds run one phase before their result is there."""
    return (item.kind == "fold" and item.phase == phase + 1) or (item.kind == "store" and item.phase == phase)
