"""Elements at run-time places, one kernel for each element size: what `primitives.compute.Gather` asks for.

Buffers: input, output, then the Int64 indices of each pick, which are checked. Parameters

    [0] rows, [1] rank R >= 1 of the rows, [2] elements of a row, [3] input stride along a row, [4] picks, [5] first input element,
    [6] whether all elements of a row have the same indices, then R sizes and R input strides, then for each pick its
    bound, its step, its index stride along a row and R index strides

of the walk with as few dimensions as possible, the last one being the row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mindspore.base.shapes import size
from mindspore.kernels import bounds, cost, odometer, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.elementwise import collapse
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.primitives.compute import Walk

HEAD = 7
PICK = 3
"""Numbers of a pick in front of its strides."""
MOST = 32
"""Picks that a kernel takes."""


def spec(itemsize: int) -> KernelSpec:
    name = f"msk_{bounds.FAMILY}_gather_{itemsize}"
    return KernelSpec(name, bounds.FAMILY, partial(_emit, name=name, itemsize=itemsize))


def params(walk: Walk) -> tuple[int, ...]:
    """Parameters for a walk that is not empty."""
    sizes, (own, *chosen) = collapse(walk.sizes, [walk.strides, *(p.strides for p in walk.picks)])
    *outer, inner = sizes
    result = [size(outer), max(1, len(outer)), inner, own[-1], len(chosen), walk.offset, not any(c[-1] for c in chosen)]
    result += (outer or [1]) + (own[:-1] or [0])
    for pick, strides in zip(walk.picks, chosen, strict=True):
        result += [pick.bound, pick.step, strides[-1], *(strides[:-1] or [0])]
    return tuple(map(int, result))


def _emit(module: Module, name: str, itemsize: int) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    rows, inner = runtime.param(f, 0), runtime.param(f, 2)
    grain = f.maximum(f.op("sdiv", f.index(cost.MOVE_BYTES // itemsize), f.maximum(inner, 1)), 1)
    captured = [f["buffers"], f["params"]]
    with f.when(rows * inner > 0):
        runtime.parallel(f, f"{name}_chunk", rows, grain, captured, partial(_chunk, itemsize))
    runtime.done(f)


class Picks:
    """The picks of a walk as a worker sees them: pick k in the parameters from `numbers` on, its indices in buffer k + 2."""

    def __init__(self, f: Function, buffers: Value, numbers: Value, count: Value, rank: Value) -> None:
        self.f, self.buffers, self.numbers, self.count, self.rank = f, buffers, numbers, count, rank
        self.starts = f.alloca("i64", MOST)

    def block(self, pick: Value) -> Value:
        return self.numbers.at("i64", pick * (self.rank + PICK))

    def start_row(self, digits: Value, skipped: Value | int = 0) -> None:
        """From now on `place` is about the row at these digits, from element `skipped` on."""
        f = self.f
        with f.loop(0, self.count, hints=[NO_VECTOR, NO_UNROLL]) as loop:
            block = self.block(loop.index)
            start = odometer.dot(f, digits, block.at("i64", PICK), self.rank)
            along = f.load("i64", block.at("i64", PICK - 1)) * skipped
            f.store(start + along, self.starts.at("i64", loop.index))

    def place(self, along: Value | int) -> Value:
        """What all picks add, `along` elements into the row."""
        with self.f.loop(0, self.count, carried=[self.f.index(0)], hints=[NO_VECTOR, NO_UNROLL]) as loop:
            loop.next(loop.carried[0] + self.one(loop.index)(along))
        return loop.results[0]

    def one(self, pick: Value) -> Callable[[Value | int], Value]:
        """What `pick` adds at a place of the row; its numbers are read here, once."""
        f, block = self.f, self.block(pick)
        bound, step, stride = (f.load("i64", block.at("i64", i)) for i in range(PICK))
        indices = f.load("ptr", self.buffers.at("ptr", pick + 2))
        start = f.load("i64", self.starts.at("i64", pick))

        def at(along: Value | int) -> Value:
            index = f.load("i64", indices.at("i64", stride * along + start))
            return bounds.wrapped(f, index, bound) * step

        return at

    def along_row(self, inner: Value, visit: Callable[[Value, Value], None]) -> None:
        """``visit(position in the row, what the picks add there)``; a single pick makes a loop without calls and loops inside."""
        f = self.f

        def single() -> list[Value]:
            at = self.one(f.index(0))
            with f.loop(0, inner) as item:
                visit(item.index, at(item.index))
            return []

        def several() -> list[Value]:
            with f.loop(0, inner, hints=[NO_VECTOR]) as item:
                visit(item.index, self.place(item.index))
            return []

        f.choose(self.count.eq(1), single, several)


def _chunk(itemsize: int, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    buffers, numbers = captured
    rank, inner, stride, count, offset, same = (f.load("i64", numbers.at("i64", i)) for i in range(1, HEAD))
    sizes = numbers.at("i64", HEAD)
    strides = sizes.at("i64", rank)
    picks = Picks(f, buffers, strides.at("i64", rank), count, rank)
    source, target = f.load("ptr", buffers), f.load("ptr", buffers.at("ptr", 1))
    digits = f.alloca("i64", odometer.MAX_RANK)
    odometer.start_digits(f, sizes, rank, begin, digits)
    first = offset + odometer.dot(f, digits, strides, rank)
    kind, run, advance = odometer.item_type(itemsize), odometer.copy_run(f.module, itemsize), odometer.advance(f.module)

    def copy(base: Value, to: Value) -> None:
        def whole() -> list[Value]:
            f.call("void", run, to, 1, source.at(kind, base + picks.place(0)), stride, inner)
            return []

        def visit(along: Value, picked: Value) -> None:
            value = odometer.load_item(f, source.at(kind, along * stride + base + picked), itemsize)
            odometer.store_item(f, value, to.at(kind, along))

        def each() -> list[Value]:
            picks.along_row(inner, visit)
            return []

        f.choose(same.ne(0), whole, each)

    with f.loop(begin, end, carried=[first], hints=[NO_VECTOR, NO_UNROLL]) as row:
        picks.start_row(digits)
        copy(row.carried[0], target.at(kind, row.index * inner))
        row.next(row.carried[0] + f.call("i64", advance, sizes, rank, strides, digits))
