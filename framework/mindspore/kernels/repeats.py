"""Groups of steps that differ in their values alone: what one of them became as a loop nest or an epilogue, the others become."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from mindspore.kernels import epilogue, nest
from mindspore.kernels.epilogue import Epilogue
from mindspore.kernels.groups import Layout
from mindspore.kernels.nest import Built, Nest
from mindspore.kernels.program import Fold, Map, Product, Step, Take, Value

Numbers = dict[Value, int]
"""The values of a group, numbered in the order in which they are met."""


class Repeats:
    """What groups became so far. Nothing is remembered of groups with symbolic sizes, which must not be compared."""

    def __init__(self, symbolic: bool) -> None:
        self.symbolic = symbolic
        self.nests: dict[Hashable, tuple[Nest, list[int], dict[int, list[int]], Any]] = {}
        self.epilogues: dict[Hashable, tuple[Epilogue, list[int], Any]] = {}

    def built(self, layout: Layout, steps: Sequence[Step], outputs: Sequence[Value]) -> Built:
        """The nest of a group that writes `outputs`."""
        found = None if self.symbolic else _numbered(steps, outputs)
        if found is None:
            return nest.build(layout, steps, outputs)
        key, numbers = found
        values = list(numbers)
        if key not in self.nests:
            made = nest.build(layout, steps, outputs)
            shares = {numbers[v]: [numbers[i] for i in given] for v, given in made.shares.items()}
            self.nests[key] = made.nest, [numbers[p] for p in made.pointers], shares, _bodies(steps)
            return made
        same, pointers, places, _ = self.nests[key]
        shared = {values[v]: [values[i] for i in given] for v, given in places.items()}
        return Built(same, [values[p] for p in pointers], shared)

    def epilogue(self, product: Product, maps: Sequence[Map], outputs: Sequence[Value]) -> Epilogue:
        """The epilogue of a product that writes `outputs`."""
        found = None if self.symbolic else _numbered([product, *maps], outputs)
        if found is None:
            return epilogue.build(product, maps, outputs)
        key, numbers = found
        if key not in self.epilogues:
            made = epilogue.build(product, maps, outputs)
            self.epilogues[key] = made, [numbers[p] for p in made.pointers], _bodies(maps)
        same, pointers, _ = self.epilogues[key]
        values = list(numbers)
        return Epilogue(same.items, same.dims, same.leading, tuple(values[p] for p in pointers), same.symbolic)


def _numbered(steps: Sequence[Step], outputs: Sequence[Value]) -> tuple[Hashable, Numbers] | None:
    """What a nest is made of, with numbers for values; None for steps of other kinds."""
    numbers: Numbers = {}
    parts: list[Hashable] = []
    for step in steps:
        about = _about(step)
        if about is None:
            return None
        reads = tuple(
            (-1 if r.value is None else numbers.setdefault(r.value, len(numbers)), r.access) for r in step.reads
        )
        parts.append((about, reads, tuple(numbers.setdefault(o, len(numbers)) for o in step.outputs)))
    wanted = set(outputs)
    kinds = tuple((v.dtype, v.size, _number(v), v in wanted) for v in numbers)
    return (tuple(parts), kinds), numbers


def _about(step: Step) -> Hashable | None:
    """A step without its values. Bodies are told apart by identity: those of equal operators are one object."""
    if isinstance(step, Take):
        return "take", step.picks
    if isinstance(step, Map):
        return "map", tuple(map(id, step.bodies))
    if isinstance(step, Fold):
        return "fold", step.kind, step.space, step.chunk
    return ("product", step.size, step.steps, step.batch) if isinstance(step, Product) else None


def _number(value: Value) -> bytes | None:
    """The number that a value is everywhere, which becomes part of the code."""
    known = value.uniform and value.constant is not None
    return value.constant.reshape(-1)[:1].tobytes() if known and value.constant is not None else None


def _bodies(steps: Sequence[Step]) -> list[Any]:
    """What must live on, so that no other body has its identity."""
    return [s.bodies for s in steps if isinstance(s, Map)]
