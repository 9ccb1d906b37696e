"""Writes at run-time places: a unit is everything that goes to one position of the dimensions along which no place is met twice.

Units share no elements and write in the order of the walk, so that the result does not depend on threads. The code is for sizes that are
known: symbolic ones are fixed to their example.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore.base.shapes import size
from mindspore.kernels import bounds, lanes, lower_nest, scatter
from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.lower_items import Index
from mindspore.kernels.program import Put
from mindspore.kernels.scope import Scope
from mindspore.kernels.tasks import copy_nest
from mindspore.primitives.compute import Pick, Walk


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk over the fewest dimensions. ``outer`` and ``walked``: which of them tell units apart and which a unit goes through, without
    the last one; ``block``: elements of the last one that a unit takes."""

    sizes: Sequence[int]
    own: Sequence[int]
    given: Sequence[int]
    chosen: Sequence[Sequence[int]]
    outer: Sequence[int]
    walked: Sequence[int]
    block: int

    @property
    def blocks(self) -> int:
        return -(-self.sizes[-1] // self.block)

    @property
    def units(self) -> int:
        return size([self.sizes[i] for i in self.outer]) * self.blocks


def _fixed(step: Put) -> Put:
    """`step` with numbers in the place of symbolic sizes."""
    walk = step.walk

    def numbers(sizes: Sequence[int]) -> tuple[int, ...]:
        return tuple(map(int, sizes))

    picks = tuple(Pick(numbers(p.strides), int(p.bound), int(p.step)) for p in walk.picks)
    fixed = Walk(numbers(walk.sizes), int(walk.offset), numbers(walk.strides), picks)
    return Put(step.reads, step.outputs, walk=fixed, given=numbers(step.given), kind=step.kind)


def _walk(step: Put) -> _Walk:
    walk, given = scatter.shortest(step.walk, step.given)
    sizes, apart, last = walk.sizes, walk.apart, len(walk.sizes) - 1
    outer = [i for i in range(last) if apart[i]]
    walked = [i for i in range(last) if not apart[i]]
    block = scatter.block(size([sizes[i] for i in outer]), sizes[-1]) if apart[-1] else sizes[-1]
    return _Walk(sizes, walk.strides, given, [p.strides for p in walk.picks], outer, walked, block)


def emit(scope: Scope, step: Put) -> None:
    """Copies the tensor that is changed, unless its memory is the output's, and writes into the copy."""
    step = _fixed(step)
    values = [r.value for r in step.reads]
    base, output = values[0], scope.pointer(step.outputs[0])
    assert base is not None
    known = base.uniform and base.constant is not None
    if known or scope.pointer(base) is not output:
        start = copy_nest(base)
        assert start is not None, "an empty tensor has no places to write to"
        scope.run_nest(start, [output] if known else [scope.pointer(base), output])
    made = _walk(step)
    work = 4 * size(made.sizes)
    grain = made.units if work < lower_nest.PARALLEL_FROM else max(1, made.units * lower_nest.GRAIN // work)
    dtype = step.outputs[0].dtype
    key = f"{step.kind} {dtype} {step.walk} {step.given}"

    def write(module: Module, name: str) -> None:
        _units(module, name, step, made)

    pointers = [output, *(scope.pointer(v) for v in values[1:] if v is not None)]
    scope.run_units("put", key, pointers, (made.units, grain), write)


def _units(module: Module, name: str, step: Put, made: _Walk) -> None:
    parameters = [("ptr noalias", f"p{k}") for k in range(2 + len(made.chosen))]
    f = module.function(name, "void", [*parameters, ("i64", "begin"), ("i64", "end")], internal=True, inline="noinline")
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as loop:
        _Unit(f, step, made).run(loop.index)
    f.ret()


class _Unit:
    def __init__(self, f: Function, step: Put, made: _Walk) -> None:
        self.f, self.step, self.made = f, step, made

    def run(self, unit: Value) -> None:
        made = self.made
        *position, block = items.digits(unit, (*(made.sizes[i] for i in made.outer), made.blocks))
        digits: dict[int, Index] = dict(zip(made.outer, position, strict=True))
        self.rows(digits, list(made.walked), block)

    def rows(self, digits: dict[int, Index], left: list[int], block: Index) -> None:
        """The loops over the dimensions that are walked."""
        if not left:
            self.row(digits, block)
            return
        with self.f.loop(0, self.made.sizes[left[0]], hints=[NO_VECTOR]) as loop:
            self.rows({**digits, left[0]: loop.index}, left[1:], block)

    def row(self, digits: dict[int, Index], block: Index) -> None:
        f, made = self.f, self.made
        first = block * made.block
        length: Index = made.block
        if made.blocks > 1:
            length = f.minimum(f.index(made.sizes[-1]) - f.index(first), made.block)
        with f.loop(0, length, hints=items.hints(made.block, True)) as loop:
            self.element([*(digits[i] for i in range(len(made.sizes) - 1)), f.index(first) + loop.index])

    def element(self, position: Sequence[Index]) -> None:
        f, dtype = self.f, self.step.outputs[0].dtype
        target, source, *indices = f.arguments[:-2]
        place = f.index(self.dot(position, self.made.own)) + self.step.walk.offset
        for pointer, strides, pick in zip(indices, self.made.chosen, self.step.walk.picks, strict=True):
            index = f.load("i64", pointer.at("i64", self.dot(position, strides)))
            place = bounds.wrapped(f, index, pick.bound) * pick.step + place
        where = lanes.address(f, target, place, dtype)
        lane = lanes.load(f, lanes.address(f, source, self.dot(position, self.made.given), dtype), dtype)
        if self.step.kind != "set":
            lane = scatter.combined(f, self.step.kind, dtype, lanes.load(f, where, dtype), lane)
        lanes.store(f, lane, where, dtype)

    @staticmethod
    def dot(position: Sequence[Index], strides: Sequence[int]) -> Index:
        total: Index = 0
        for index, stride in zip(position, strides, strict=True):
            if stride:
                total = index * stride + total
        return total
