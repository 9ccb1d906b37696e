"""Patterns of values: what is left without the tensors. All calls of one recursive graph share the pattern of their arguments."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mindspore.base.dtypes import DType
from mindspore.base.promotion import promote, scalar_dtype
from mindspore.infer.join import DisagreementError, holds
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.state import read
from mindspore.infer.structure import make_dict, make_list, make_tuple
from mindspore.infer.values import Abstract, Closure, Dict, Known, List, Method, Partial, Sequence, Slice
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
    """A structure of patterns. ``length``: of the parts, so that most trees that differ are told apart at once."""

    cls: type
    keys: tuple[Hashable, ...]
    length: int
    parts: tuple[Pattern, ...]

    def __str__(self) -> str:
        return f"{self.cls.__name__.lower()} of length {self.length}"


Pattern = Hole | Fixed | Tree


def pattern(machine: Machine, value: Abstract, outside: bool = False) -> Pattern:
    """The pattern of `value`. ``outside``: whether tensors from outside the graph are holes too; else each is a value of its own."""
    if isinstance(value, Node):
        assert value.type is not None
        return Hole(value.type)
    if outside and (kind := tensor_type(value)) is not None:
        return Hole(kind)
    taken = _taken(machine, value)
    if taken is None:
        return Fixed(_key(value), value)
    cls, keys, parts = taken
    return Tree(cls, keys, len(parts), tuple(pattern(machine, p, outside) for p in parts))


def _taken(machine: Machine, value: Abstract) -> tuple[type, tuple[Hashable, ...], tuple[Abstract, ...]] | None:
    """Class, keys and parts of a structure."""
    if isinstance(value, Sequence):
        return value.cls, (), value.elements
    if isinstance(value, Known):
        held = value.value
        return (type(held), (), tuple(Known(v) for v in held)) if isinstance(held, tuple) else None
    if isinstance(value, List):
        return List, (), tuple(machine.heap.get(value))
    if isinstance(value, Dict):
        items = machine.heap.get(value)
        return Dict, tuple(items), tuple(items.values())
    if isinstance(value, Method):
        return Method, (), (value.function, value.self)
    if isinstance(value, Partial):
        return Partial, tuple(value.kwargs), (value.function, *value.args, *value.kwargs.values())
    return (Slice, (), (value.start, value.stop, value.step)) if isinstance(value, Slice) else None


def _made(machine: Machine, tree: Tree, parts: tuple[Abstract, ...]) -> Abstract:
    if tree.cls is List:
        return make_list(machine, parts)
    if tree.cls is Dict:
        return make_dict(machine, dict(zip(tree.keys, parts, strict=True)))
    if tree.cls is Method:
        return Method(*parts)
    if tree.cls is Slice:
        return Slice(*parts)
    if tree.cls is Partial:
        split = len(parts) - len(tree.keys)
        named = {str(k): v for k, v in zip(tree.keys, parts[split:], strict=True)}
        return Partial(parts[0], parts[1:split], named)
    return make_tuple(parts, tree.cls)


def _key(value: Abstract) -> Hashable:
    if isinstance(value, Closure) and not value.defaults:
        return Closure, id(value.graph), id(value.frame)
    if not isinstance(value, Known):
        return id(value)
    held = value.value
    if isinstance(held, bool | int | float | complex | str | bytes | slice | range | type(None)):
        return type(held), repr(held)
    return id(held)


def holes(given: Pattern) -> Iterator[Type]:
    """The types of the tensors, in order."""
    if isinstance(given, Hole):
        yield given.kind
    elif isinstance(given, Tree):
        for part in given.parts:
            yield from holes(part)


def joined(a: Pattern, b: Pattern) -> Pattern:
    """The least pattern that values of both patterns fit: numbers that differ become 0-d tensors. DisagreementError without one."""
    if a == b:
        return a
    if isinstance(a, Tree) and isinstance(b, Tree):
        if (a.cls, a.keys, a.length) == (b.cls, b.keys, b.length):
            return Tree(a.cls, a.keys, a.length, tuple(joined(x, y) for x, y in zip(a.parts, b.parts, strict=True)))
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


def fits(wanted: Pattern, given: Pattern) -> bool:
    """Whether `joined` gives `wanted`."""
    try:
        return joined(wanted, given) == wanted
    except DisagreementError:
        return False


def fillings(machine: Machine, wanted: Pattern, value: Abstract) -> Iterator[Node]:
    """The tensors of a value that fits `wanted`, in the order of its holes."""
    if isinstance(wanted, Hole):
        yield _node(machine, wanted, value)
    elif isinstance(wanted, Tree):
        taken = _taken(machine, value)
        assert taken is not None, "the value fits the pattern"
        for part, held in zip(wanted.parts, taken[2], strict=True):
            yield from fillings(machine, part, held)


def _node(machine: Machine, wanted: Hole, value: Abstract) -> Node:
    if isinstance(value, Node):
        return value
    assert isinstance(value, Known)
    if tensor_type(value) is not None:
        return read(machine, value.value)
    assert isinstance(wanted.kind, TensorType)
    return machine.emitter.const(value.value, wanted.kind.dtype)


def filled(machine: Machine, wanted: Pattern, nodes: Iterator[Node]) -> Abstract:
    """A value of this pattern around the next of `nodes`."""
    if isinstance(wanted, Hole):
        return next(nodes)
    if isinstance(wanted, Fixed):
        return wanted.value
    return _made(machine, wanted, tuple(filled(machine, p, nodes) for p in wanted.parts))


def containers(machine: Machine, value: Abstract) -> Iterator[List | Dict]:
    """Lists and dicts in `value`, outer ones first."""
    if isinstance(value, List | Dict):
        yield value
    taken = _taken(machine, value)
    for part in taken[2] if taken is not None else ():
        yield from containers(machine, part)
