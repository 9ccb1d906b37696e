"""Joining what two arms of a run-time branch leave: the structure stays, tensors that differ become results of the branch."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from types import MethodType
from typing import Any

from mindspore.base.dtypes import DType, bool_
from mindspore.base.errors import Location
from mindspore.base.promotion import promote, scalar_dtype
from mindspore.base.symbolic import Size
from mindspore.infer.functions import may_be_chosen, opened
from mindspore.infer.heap import Layer
from mindspore.infer.language import RETURN
from mindspore.infer.leaving import Leaving, Rebuild
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.objects import JOINED
from mindspore.infer.state import slot_of
from mindspore.infer.structure import describe, is_number, make_dict, make_list, make_tuple, python_class
from mindspore.infer.values import (
    Abstract,
    Box,
    Case,
    Choice,
    Completion,
    Dict,
    Instance,
    Known,
    List,
    Missing,
    Sequence,
    Slot,
    Unusable,
)
from mindspore.ir.builder import PYTHON_NUMBERS
from mindspore.ir.graph import Node
from mindspore.ir.types import TensorType, TokenType

Leaf = Node | bool | int | float | complex | Size | None
"""What an arm gives for a result of the branch; None: anything of the right type, because the arm does not take that way."""
_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


class DisagreementError(TypeError):
    """The arms of a branch leave values that no single type describes."""


@dataclass(slots=True)
class Join:
    """Leaves of both arms with their common types, collected while structures are matched."""

    machine: Machine
    condition: Node
    layers: tuple[Layer, Layer]
    owned: tuple[set[Node], set[Node]]
    left: list[Leaf] = field(default_factory=list)
    right: list[Leaf] = field(default_factory=list)
    types: list[TensorType | TokenType] = field(default_factory=list)
    arms: tuple[Leaving, Leaving] = field(init=False)
    _objects: dict[tuple[Instance, Instance], Rebuild] = field(default_factory=dict)

    def __post_init__(self) -> None:
        leaves = (
            (lambda node: self._leaf(node, None, _tensor(node))),
            (lambda node: self._leaf(None, node, _tensor(node))),
        )
        sides = zip(self.layers, self.owned, leaves, strict=True)
        left, right = [Leaving(self.machine, layer, own, leaf) for layer, own, leaf in sides]
        self.arms = (left, right)

    def match(self, a: Abstract, b: Abstract) -> Rebuild:
        """How to make the joined value from the branch's results. DisagreementError when there is none."""
        if a is b:
            return lambda nodes: a
        if isinstance(a, Unusable) or isinstance(b, Unusable):
            given = a if isinstance(a, Unusable) else b
            assert isinstance(given, Unusable)
            half = _HALF if given.error is UnboundLocalError and _HALF not in given.why else ""
            unusable = Unusable(f"{given.why}{half}", given.error)
            return lambda nodes: unusable
        if isinstance(a, Missing) or isinstance(b, Missing):
            return self._one_sided(a, b)
        if isinstance(a, Completion) and isinstance(b, Completion):
            return self._completions(a, b)
        if isinstance(a, Known) and isinstance(b, Known) and same_constant(a.value, b.value):
            return lambda nodes: a
        if isinstance(a, Node) and isinstance(a.type, TokenType):
            return self._leaf(a, b, a.type)  # type: ignore[arg-type]
        if (kind := common_type(a, b)) is not None:
            leaf = self._leaf(self._given(a, 0), self._given(b, 1), kind)
            both = is_number(self.machine, a) and is_number(self.machine, b)
            return self._number(leaf) if both else leaf
        return self._structures(a, b)

    def _number(self, leaf: Rebuild) -> Rebuild:
        """Of two Python numbers one is chosen."""

        def rebuild(nodes: Items[Node]) -> Abstract:
            made = leaf(nodes)
            assert isinstance(made, Node)
            self.machine.numbers.add(made)
            return made

        return rebuild

    def _given(self, value: Abstract, arm: int) -> Leaf:
        if isinstance(value, Known):
            if isinstance(value.value, PYTHON_NUMBERS):
                return value.value
            slot = slot_of(self.machine, value.value)
            version: Node = self.layers[arm].get(slot) or self.machine.heap.get(slot)
            return version
        assert isinstance(value, Node)
        return value

    def _leaf(self, left: Leaf, right: Leaf, kind: TensorType | TokenType) -> Rebuild:
        position = len(self.types)
        self.left.append(left)
        self.right.append(right)
        self.types.append(kind)
        return lambda nodes: nodes[position]

    def _one_sided(self, a: Abstract, b: Abstract) -> Rebuild:
        """One arm does not take this way: its part of every tensor is filled with zeros, the rest stays."""
        return self.arms[1].take(b) if isinstance(a, Missing) else self.arms[0].take(a)

    def _structures(self, a: Abstract, b: Abstract) -> Rebuild:
        if isinstance(a, Instance) and isinstance(b, Instance) and a.cls is b.cls:
            return self._objects.get((a, b)) or self._object(a, b)
        if may_be_chosen(a, b):
            return self._chosen(a, b)
        held = self._contents(a, 0), self._contents(b, 1)
        if python_class(a) is not python_class(b) or held[0] is _NOTHING or held[1] is _NOTHING:
            raise DisagreementError(f"{describe(a)} and {describe(b)}")
        if list(held[0]) != list(held[1]):
            raise DisagreementError(f"{_shape(a, held[0])} and {_shape(b, held[1])}")
        parts = []
        for key, value in held[0].items():
            try:
                parts.append(self.match(value, held[1][key]))
            except DisagreementError as error:
                raise DisagreementError(f"at [{key!r}]: {error}") from None
        return self._rebuilt(a, list(held[0]), parts)

    def _object(self, a: Instance, b: Instance) -> Rebuild:
        """One object with the attributes of both; where they disagree, run time chooses between the two."""
        made: list[Instance] = []

        def rebuild(nodes: Items[Node]) -> Abstract:
            if not made:
                made.append(Instance(a.cls, self._fixed(a, b)))
                self.machine.heap.set(made[0], {k: p(nodes) for k, p in parts.items()})
            return made[0]

        self._objects[a, b] = rebuild
        left, right = self._contents(a, 0), self._contents(b, 1)
        try:
            if list(left) != list(right):
                raise DisagreementError(f"{_shape(a, left)} and {_shape(b, right)}")
            parts = {k: self.match(v, right[k]) for k, v in left.items()}
        except DisagreementError:
            self._objects[a, b] = self._chosen(a, b)
        return self._objects[a, b]

    def _fixed(self, a: Instance, b: Instance) -> str:
        """Why the object in the place of both must not change, nor they: other names may mean one of them afterwards."""
        places = [sum(pair[side] is each for pair in self._objects) for side, each in enumerate((a, b))]
        moved = any(arm.moves(each) for arm, each in zip(self.arms, (a, b), strict=True))
        if max(places) > 1 or moved or a in self.machine.heap or b in self.machine.heap:
            a.fixed = b.fixed = a.fixed or b.fixed or JOINED
        return a.fixed or b.fixed

    def _chosen(self, a: Abstract, b: Abstract) -> Rebuild:
        """Functions of different code or captures, or objects: both leave, and each use decides between them."""
        if same_function(a, b):
            return lambda nodes: a
        then, other, flag = self.arms[0].take(a), self.arms[1].take(b), self.condition
        return lambda nodes: Choice(flag, then(nodes), other(nodes))

    def _contents(self, value: Abstract, arm: int) -> dict[Any, Abstract]:
        """Elements by index or key; `_NOTHING` when `value` has none."""
        if isinstance(value, Sequence):
            return dict(enumerate(value.elements))
        if isinstance(value, List | Dict | Instance):
            layer = self.layers[arm]
            content = layer[value] if value in layer else self.machine.heap.get(value)
            return dict(enumerate(content)) if isinstance(value, List) else dict(content)
        if isinstance(value, Known) and isinstance(value.value, tuple):
            return {i: Known(v) for i, v in enumerate(value.value)}
        return _NOTHING

    def _rebuilt(self, like: Abstract, keys: list[Any], parts: list[Rebuild]) -> Rebuild:
        def rebuild(nodes: Items[Node]) -> Abstract:
            values = [p(nodes) for p in parts]
            if isinstance(like, List):
                return make_list(self.machine, values)
            if isinstance(like, Dict):
                return make_dict(self.machine, dict(zip(keys, values, strict=True)), like)
            return make_tuple(values, python_class(like))

        return rebuild

    def content(self, key: Any, a: Any, b: Any) -> Callable[[Items[Node]], Any]:
        """Like `match` for what is on the heap under `key`."""
        if isinstance(key, Box) and isinstance(a, Unusable) is not isinstance(b, Unusable):
            arm, value = (self.arms[1], b) if isinstance(a, Unusable) else (self.arms[0], a)
            if key in arm.shared:  # by a function that only this arm leaves, so that no other reads the variable
                return arm.take(value)
        if isinstance(key, Slot | Box):
            return self.match(a, b)
        named = isinstance(key, Dict | Instance)
        held = (dict(a), dict(b)) if named else (dict(enumerate(a)), dict(enumerate(b)))
        if list(held[0]) != list(held[1]):
            raise DisagreementError(f"{_shape(key, held[0])} and {_shape(key, held[1])}")
        parts = {k: self.match(v, held[1][k]) for k, v in held[0].items()}
        if named:
            return lambda nodes: {k: p(nodes) for k, p in parts.items()}
        return lambda nodes: tuple(p(nodes) for p in parts.values())

    def _completions(self, a: Completion, b: Completion) -> Rebuild:
        names = list(dict.fromkeys([*a.cases, *b.cases]))
        flags = [self._flag(a, b, name) if len(names) > 1 else None for name in names]
        values = [self._case(name, a.cases.get(name), b.cases.get(name)) for name in names]
        places = [(a.cases.get(n) or b.cases[n]).location for n in names]

        def rebuild(nodes: Items[Node]) -> Abstract:
            cases = {}
            for name, flag, parts, place in zip(names, flags, values, places, strict=True):
                node = None if flag is None else flag(nodes)
                assert node is None or isinstance(node, Node)
                cases[name] = Case(node, tuple(p(nodes) for p in parts), place)
            return Completion(cases)

        return rebuild

    def _flag(self, a: Completion, b: Completion, name: str) -> Rebuild:
        leaves: list[Leaf] = []
        for completion in (a, b):
            case = completion.cases.get(name)
            leaves.append(case is not None if case is None or case.flag is None else case.flag)
        return self._leaf(leaves[0], leaves[1], BOOL)

    def _case(self, name: str, a: Case | None, b: Case | None) -> list[Rebuild]:
        if a is None or b is None:
            arm = self.arms[0 if b is None else 1]
            return [arm.take(v) for v in (a or b).values]  # type: ignore[union-attr]
        parts = []
        for left, right in zip(a.values, b.values, strict=True):
            try:
                parts.append(self.match(left, right))
            except DisagreementError as error:
                parts.append(self._disagreement(name, error, _place(left, a), _place(right, b)))
        return parts

    def _disagreement(self, name: str, error: DisagreementError, *places: Location | None) -> Rebuild:
        """A variable that nothing reads afterwards may differ; a returned value may not."""
        lines = [f"\n    line {p.line}: {p.source.strip()}" for p in places if p is not None]
        what = "return" if name == RETURN else "variable"
        why = (
            f"the branches of a condition that is known only at run time leave different types: the {what} value is {error}."
            f"{''.join(dict.fromkeys(lines))}\nBoth must have the same structure, element type and shape."
        )
        if name == RETURN:
            raise GraphJoinError(why)
        unusable = Unusable(why, TypeError)
        return lambda nodes: unusable


def _place(value: Abstract, case: Case) -> Location | None:
    """Where the arm made `value`, or at least where it ended."""
    made = value.location if isinstance(value, Node) else None
    ended = case.location
    if made is None or ended is None or (made.file, made.function) != (ended.file, ended.function):
        return ended
    return made


class GraphJoinError(TypeError):
    """A value that both branches must give has two types."""


_HALF = " where a condition that is known only at run time goes the other way. Assign it before the condition, or on both ways."
_NOTHING: dict[Any, Abstract] = {}
BOOL = TensorType(bool_, ())


def _tensor(node: Node) -> TensorType:
    assert isinstance(node.type, TensorType)
    return node.type


def _shape(value: Any, held: dict[Any, Abstract]) -> str:
    name = python_class(value).__name__
    return (
        f"{name} with {', '.join(held) or 'no attributes'}"
        if isinstance(value, Instance)
        else f"{name} of length {len(held)}"
    )


def same_constant(a: Any, b: Any) -> bool:
    """Whether two Python objects may stand for each other: the same object, or equal values of one immutable type."""
    if a is b:
        return True
    if isinstance(a, MethodType) and isinstance(b, MethodType):
        return a.__func__ is b.__func__ and a.__self__ is b.__self__
    if type(a) is not type(b) or not isinstance(
        a, bool | int | float | complex | str | bytes | tuple | slice | range | type(None)
    ):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same_constant(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def same_function(a: Abstract, b: Abstract) -> bool:
    """Whether two values are one object, equal constants, or functions of one code over such values."""
    if a is b:
        return True
    if isinstance(a, Known) and isinstance(b, Known):
        return same_constant(a.value, b.value)
    first, second = opened(a), opened(b)
    if first is None or second is None or first.key != second.key:
        return False
    return all(same_function(x, y) for x, y in zip(first.parts, second.parts, strict=True))


def common_type(a: Abstract, b: Abstract) -> TensorType | None:
    """The type of a tensor that can hold either: equal tensors, or a 0-d tensor and a number that fits it."""
    kinds = [tensor_type(a), tensor_type(b)]
    numbers = [v.value for v in (a, b) if isinstance(v, Known) and isinstance(v.value, PYTHON_NUMBERS)]
    if kinds[0] is not None and kinds[1] is not None:
        return kinds[0] if kinds[0] == kinds[1] else None
    if len(numbers) == 2:
        return TensorType(_number_type(*numbers), ())
    known = kinds[0] or kinds[1]
    if known is None or not numbers or known.shape != ():
        return None
    return known if holds(known.dtype, numbers[0]) else None


def _number_type(a: Any, b: Any) -> DType:
    return promote(scalar_dtype(a, None), scalar_dtype(b, None))


def holds(dtype: DType, number: Any) -> bool:
    """Whether a number's kind fits an element type: a float does not fit an integer tensor."""
    return _KINDS[scalar_dtype(number, None).kind] <= _KINDS[dtype.kind]


def leaf_node(machine: Machine, leaf: Leaf, kind: TensorType | TokenType) -> Node:
    """The node of an arm's result: numbers become constants, ways not taken zeros."""
    if isinstance(leaf, Node):
        return leaf
    assert isinstance(kind, TensorType), "both arms have an effect token"
    if leaf is None:
        if kind.shape == ():
            return machine.emitter.const(0, kind.dtype)
        zeros: Node = machine.emitter.full(shape=kind.shape, value=0, dtype=kind.dtype)
        return zeros
    return machine.emitter.const(leaf, kind.dtype)
