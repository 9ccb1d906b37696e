"""Skeletons of values: what is left without the tensors. All calls of one recursive graph share the skeleton of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mindspore.base.dtypes import DType
from mindspore.base.promotion import promote, scalar_dtype
from mindspore.infer.functions import opened
from mindspore.infer.join import DisagreementError, holds
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.state import read
from mindspore.infer.structure import make_tuple
from mindspore.infer.values import Abstract, Closure, Dict, Instance, Known, List, Sequence
from mindspore.ir.builder import PYTHON_NUMBERS
from mindspore.ir.graph import Node
from mindspore.ir.types import TensorType, Type


@dataclass(frozen=True, slots=True)
class Hole:
    """The place of a tensor."""

    kind: Type

    def __str__(self) -> str:
        return f"Tensor {self.kind}"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value without tensors."""

    key: Hashable
    value: Abstract = field(compare=False)

    @property
    def number(self) -> Any:
        """The Python number that it is, or None."""
        held = self.value.value if isinstance(self.value, Known) else None
        return held if isinstance(held, PYTHON_NUMBERS) else None

    def __str__(self) -> str:
        held = self.value
        return (
            f"{type(held.value).__name__} {held.value!r:.60}"
            if isinstance(held, Known)
            else type(held).__name__.lower()
        )


@dataclass(frozen=True, slots=True)
class Tree:
    """A structure of skeletons. ``length``: of the parts, so that most trees that differ are told apart at once."""

    key: tuple[Hashable, ...]
    length: int
    parts: tuple[Skeleton, ...]
    close: Close = field(compare=False)

    def __str__(self) -> str:
        return f"{getattr(self.key[0], '__name__', self.key[0])!s:.60} of length {self.length}".lower()


Skeleton = Hole | Fixed | Tree
Close = Callable[[Machine, tuple[Abstract, ...]], Abstract]
Held = List | Dict | Instance
"""What keeps its parts on the heap."""


@dataclass(frozen=True, slots=True)
class _Taken:
    key: tuple[Hashable, ...]
    parts: tuple[Abstract, ...]
    close: Close


def skeleton(machine: Machine, value: Abstract, outside: bool = False, around: tuple[Held, ...] = ()) -> Skeleton:
    """The skeleton of `value`.

    ``outside``: whether tensors from outside the graph are holes too; else each is a value of its own. ``around``: what holds the value;
    what holds itself is not taken apart again.
    """
    if isinstance(value, Node):
        assert value.type is not None
        return Hole(value.type)
    if outside and (kind := tensor_type(value)) is not None:
        return Hole(kind)
    taken = None if value in around else _taken(machine, value)
    if taken is None:
        return Fixed(_key(value), value)
    inside = (*around, value) if isinstance(value, Held) else around
    parts = tuple(skeleton(machine, p, outside, inside) for p in taken.parts)
    return Tree(taken.key, len(parts), parts, taken.close)


def _taken(machine: Machine, value: Abstract) -> _Taken | None:
    """A structure taken apart; None for what has no parts of its own."""
    if isinstance(value, Sequence):
        return _tuple(value.cls, value.elements)
    if isinstance(value, Known):
        return _tuple(type(value.value), tuple(map(Known, value.value))) if isinstance(value.value, tuple) else None
    if isinstance(value, Held):
        return _taken_held(machine, value)
    found = None if isinstance(value, Closure) else opened(value)
    if found is None:
        return None
    return _Taken(found.key, found.parts, lambda machine, parts: found.close(parts))


def _tuple(cls: type, parts: tuple[Abstract, ...]) -> _Taken:
    return _Taken((cls,), parts, lambda machine, parts: make_tuple(parts, cls))


def _taken_held(machine: Machine, value: Held) -> _Taken:
    held = machine.heap.get(value)
    names = tuple(held) if isinstance(held, dict) else ()
    parts = tuple(held.values()) if isinstance(held, dict) else tuple(held)
    cls: type = value.cls if isinstance(value, Instance) else type(value)

    def close(machine: Machine, parts: tuple[Abstract, ...]) -> Abstract:
        made = Instance(value.cls, value.fixed) if isinstance(value, Instance) else type(value)()
        machine.heap.set(made, dict(zip(names, parts, strict=True)) if isinstance(held, dict) else parts)
        return made

    return _Taken((cls, *names), parts, close)


def _key(value: Abstract) -> Hashable:
    if isinstance(value, Closure) and not value.defaults:
        return Closure, id(value.graph), id(value.frame)
    if not isinstance(value, Known):
        return id(value)
    held = value.value
    if isinstance(held, bool | int | float | complex | str | bytes | slice | range | type(None)):
        return type(held), repr(held)
    return id(held)


def holes(given: Skeleton) -> Iterator[Type]:
    """The types of the tensors, in order."""
    if isinstance(given, Hole):
        yield given.kind
    elif isinstance(given, Tree):
        for part in given.parts:
            yield from holes(part)


def joined(a: Skeleton, b: Skeleton) -> Skeleton:
    """The least skeleton that values of both fit: numbers that differ become 0-d tensors. DisagreementError without one."""
    if a == b:
        return a
    if isinstance(a, Tree) and isinstance(b, Tree):
        if (a.key, a.length) == (b.key, b.length):
            return Tree(a.key, a.length, tuple(joined(x, y) for x, y in zip(a.parts, b.parts, strict=True)), a.close)
    elif not isinstance(a, Tree) and not isinstance(b, Tree):
        kind = _common(a, b)
        if kind is not None:
            return Hole(kind)
    raise DisagreementError(f"{a} and {b}")


def _common(a: Hole | Fixed, b: Hole | Fixed) -> TensorType | None:
    numbers = [p.number for p in (a, b) if isinstance(p, Fixed) and p.number is not None]
    if len(numbers) == 2:
        return TensorType(_number_type(*numbers), ())
    kind = next((p.kind for p in (a, b) if isinstance(p, Hole)), None)
    if not numbers or not isinstance(kind, TensorType) or kind.shape:
        return None
    return kind if holds(kind.dtype, numbers[0]) else None


def _number_type(a: Any, b: Any) -> DType:
    return promote(scalar_dtype(a, None), scalar_dtype(b, None))


def fits(wanted: Skeleton, given: Skeleton) -> bool:
    """Whether `joined` gives `wanted`."""
    try:
        return joined(wanted, given) == wanted
    except DisagreementError:
        return False


def fillings(machine: Machine, wanted: Skeleton, value: Abstract) -> Iterator[Node]:
    """The tensors of a value that fits `wanted`, in the order of its holes."""
    if isinstance(wanted, Hole):
        yield _node(machine, wanted, value)
    elif isinstance(wanted, Tree):
        taken = _taken(machine, value)
        assert taken is not None, "the value fits the skeleton"
        for part, held in zip(wanted.parts, taken.parts, strict=True):
            yield from fillings(machine, part, held)


def _node(machine: Machine, wanted: Hole, value: Abstract) -> Node:
    if isinstance(value, Node):
        return value
    assert isinstance(value, Known)
    if tensor_type(value) is not None:
        return read(machine, value.value)
    assert isinstance(wanted.kind, TensorType)
    return machine.emitter.const(value.value, wanted.kind.dtype)


def filled(machine: Machine, wanted: Skeleton, nodes: Iterator[Node]) -> Abstract:
    """A value of this skeleton around the next of `nodes`."""
    if isinstance(wanted, Hole):
        return next(nodes)
    if isinstance(wanted, Fixed):
        return wanted.value
    return wanted.close(machine, tuple(filled(machine, p, nodes) for p in wanted.parts))


def containers(machine: Machine, value: Abstract, around: tuple[Held, ...] = ()) -> Iterator[Held]:
    """Lists, dicts and objects in `value`, outer ones first."""
    if value in around:
        return
    if isinstance(value, Held):
        yield value
        around = (*around, value)
    taken = _taken(machine, value)
    for part in taken.parts if taken is not None else ():
        yield from containers(machine, part, around)
