"""Nests without their large sizes, so that those that differ in nothing else share their code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mindspore.kernels.nest import Nest
from mindspore.kernels.sizes import Dim, Facts, is_symbolic

SMALLEST = 32
"""Numbers below stay in the code: short loops unroll."""
SHORTEST = 64
"""Innermost loops below keep their length."""
LONG = 128
"""Innermost loops from this length are worth the divisions that find where a unit lies in several outer dimensions."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A nest without its large sizes: ``key`` is equal for nests that are equal but for ``sizes``."""

    nest: Nest
    key: str
    sizes: tuple[int, ...]

    def opened(self) -> tuple[Nest, Facts]:
        """The nest with Dims in the place of its sizes, and where the facts that it is asked for gather."""
        facts: Facts = {}
        made = {n: Dim(("size", k, None), n, facts) for k, n in enumerate(self.sizes)}
        return mapped(self.nest, lambda n: made.get(n, n)), facts


def shape_of(nest: Nest, shared: bool = True) -> Shape:
    """`nest` with its sizes taken out, the symbolic ones always, the others where that costs no speed: equal numbers are one size."""
    sizes: dict[int, str] = {}
    all_large = shared and _worth(nest)

    def taken(number: int) -> Any:
        large = is_symbolic(number) or (all_large and number >= SMALLEST)
        return sizes.setdefault(number, f"s{len(sizes)}") if large else number

    return Shape(nest, repr(mapped(nest, taken)), tuple(sizes))


def _worth(nest: Nest) -> bool:
    inner = (nest.inner or nest.length or (0,))[-1]
    if is_symbolic(inner):
        return True
    if inner < SHORTEST or any(i.strides and i.strides[-1] not in (0, 1) for i in nest.items):
        return False
    return inner >= LONG or sum(n > 1 for n in nest.outer) < 2


def mapped(nest: Nest, change: Callable[[int], Any]) -> Nest:
    """`nest` with `change` applied to all lengths, strides and offsets."""

    def each(numbers: Sequence[int]) -> tuple[Any, ...]:
        return tuple(change(n) for n in numbers)

    items = tuple(
        replace(i, strides=each(i.strides), offset=change(i.offset), picks=tuple(map(each, i.picks)))
        for i in nest.items
    )
    return replace(nest, outer=each(nest.outer), length=each(nest.length), inner=each(nest.inner), items=items)
