"""Nests that read or write across the innermost dimension (transposes): both dimensions in tiles that stay in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import NO_VECTOR, Function, Value
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_items import Index, Place
from mindspore.kernels.nest import Nest

TILE = 32


def crossing(nest: Nest) -> int | None:
    """The outer dimension along which some buffer is contiguous while it is not along the innermost one."""
    if any(i.kind == "fold" for i in nest.items) or len(nest.length) != 1 or nest.length[0] < TILE // 2:
        return None
    for item in nest.items:
        if item.kind not in ("load", "store") or abs(item.strides[-1]) <= 1:
            continue
        for dimension, (count, stride) in enumerate(zip(nest.outer, item.strides, strict=False)):
            if abs(stride) == 1 and count >= TILE // 2:
                return dimension
    return None


class Tiles:
    """Emits the units of one nest into a function; a unit is one tile."""

    def __init__(self, nest: Nest, f: Function, pointers: Sequence[Value]) -> None:
        self.nest, self.f, self.pointers = nest, f, pointers
        crossed = crossing(nest)
        assert crossed is not None, "the caller asked"
        self.crossed = crossed

    @staticmethod
    def units(nest: Nest) -> int:
        crossed = crossing(nest) or 0
        others = prod(nest.outer) // nest.outer[crossed]
        return others * -(-nest.outer[crossed] // TILE) * -(-nest.length[0] // TILE)

    def unit(self, unit: Index) -> None:
        """One tile."""
        nest, crossed = self.nest, self.crossed
        blocks = list(nest.outer)
        blocks[crossed] = -(-blocks[crossed] // TILE)
        digits = items.digits(unit, (*blocks, -(-nest.length[0] // TILE)))
        rows, columns = self.bounds(digits[crossed], nest.outer[crossed]), self.bounds(digits[-1], nest.length[0])
        with self.f.loop(*rows) as row, self.f.loop(*columns, hints=[NO_VECTOR]) as column:
            self.body([*digits[:crossed], row.index, *digits[crossed + 1 : -1], column.index])

    def bounds(self, block: Index, count: int) -> tuple[Index, Index]:
        low = block * TILE
        return (low, self.f.minimum(self.f.index(low) + TILE, count)) if count > TILE else (0, count)

    def body(self, indices: Sequence[Index]) -> None:
        place = Place(self.f, self.pointers, indices)
        values: list[Lane] = []
        for item in self.nest.items:
            args = [values[a] for a in item.args]
            values.append(args[0] if item.kind == "store" else items.compute(place, item, args))
        for item, lane in zip(self.nest.items, values, strict=True):
            if item.kind == "store":
                items.store(place, item, lane)
