"""The state of a run-time loop: its tensors, and how values that change from one iteration to the next become tensors."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import Any

from mindspore.base.promotion import promote, scalar_dtype
from mindspore.infer.functions import is_function, opened
from mindspore.infer.join import DisagreementError, common_type, holds, same_constant
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.objects import JOINED
from mindspore.infer.state import read
from mindspore.infer.structure import describe, is_number, is_sequence, make_dict, make_list, make_tuple, python_class
from mindspore.infer.values import MISSING, Abstract, Dict, Instance, Known, List, Missing, Sequence, Unusable
from mindspore.ir.builder import PYTHON_NUMBERS
from mindspore.ir.graph import Node, Parameter
from mindspore.ir.types import TensorType, TokenType

Held = List | Dict | Instance
FUNCTIONS = "; a loop keeps one function or object: choose inside it by a variable that changes"
LATE = Unusable("it is assigned only in a loop that may not run at all. Assign it before the loop.")


class Widening:
    """One value through the iterations: `start` is what the loop begins with. ``changed`` is set by `widen`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.changed = False
        self.strict = False
        """Whether numbers must not become tensors, and what has no value before the loop must not get one."""
        self._weak: dict[Node, Any] = {}
        self._structural: set[Held] = set()

    def is_state(self, value: Held) -> bool:
        """Whether a list, dict or object is made anew in each iteration, so that its elements belong to the state."""
        return value in self._structural

    def leaves(self, value: Abstract) -> list[Node]:
        """The tensors in `value`, in order."""
        if isinstance(value, Node):
            return [value]
        return [leaf for part in self._parts(value) or () for leaf in self.leaves(part)]

    def _parts(self, value: Abstract) -> tuple[Abstract, ...] | None:
        """What `value` is made of when its parts are state of their own; lists are, once a loop makes new ones."""
        if isinstance(value, Sequence):
            return value.elements
        if isinstance(value, Held):
            return tuple(self._elements(value)) if value in self._structural else None
        function = opened(value)
        return None if function is None else function.parts

    def rebuild(self, value: Abstract, nodes: list[Node]) -> Abstract:
        """`value` with its tensors replaced by the first of `nodes`, which are removed."""
        if isinstance(value, Node):
            node = nodes.pop(0)
            if value in self.machine.numbers:
                self.machine.numbers.add(node)
            return node
        parts = self._parts(value)
        if parts is None:
            return value
        return self._like(value, [self.rebuild(p, nodes) for p in parts])

    def _like(self, value: Abstract, parts: Items[Abstract]) -> Abstract:
        if isinstance(value, Held):
            made = self._held_like(value, parts)
            self._structural.add(made)
            return made
        if (function := opened(value)) is not None:
            return function.close(parts)
        return make_tuple(parts, python_class(value))

    def _held_like(self, value: Held, parts: Items[Abstract]) -> Held:
        if isinstance(value, List):
            return make_list(self.machine, parts)
        items = dict(zip(self.machine.heap.get(value), parts, strict=True))
        if isinstance(value, Dict):
            return make_dict(self.machine, items, value)
        made = Instance(value.cls, JOINED)
        self.machine.heap.set(made, items)
        return made

    def parameters(self, value: Abstract, name: str) -> list[Parameter]:
        return [Parameter(f"{name}{i}", n.type, n.location) for i, n in enumerate(self.leaves(value))]

    def results(self, state: Abstract, after: Abstract) -> list[Node]:
        """The tensors of `after` in the order of those of `state`; the types agree because nothing was widened."""
        if isinstance(state, Node):
            return [self._as(state, after)]
        parts = self._parts(state)
        if parts is None:
            return []
        given = [MISSING] * len(parts) if isinstance(after, Missing) else self._elements(after)
        return [n for part, value in zip(parts, given, strict=True) for n in self.results(part, value)]

    def _as(self, state: Node, after: Abstract) -> Node:
        if isinstance(after, Missing | Unusable):
            return state
        if isinstance(after, Node):
            return after
        assert isinstance(after, Known)
        if tensor_type(after) is not None:
            return read(self.machine, after.value)
        assert isinstance(state.type, TensorType)
        return self.machine.emitter.const(after.value, state.type.dtype)

    def _elements(self, value: Abstract) -> list[Abstract]:
        if isinstance(value, Sequence):
            return list(value.elements)
        if isinstance(value, List):
            return list(self.machine.heap.get(value))
        if isinstance(value, Dict | Instance):
            return list(self.machine.heap.get(value).values())
        if (function := opened(value)) is not None:
            return list(function.parts)
        assert isinstance(value, Known)
        return [Known(v) for v in value.value]

    def widen(self, start: Abstract, state: Abstract, after: Abstract) -> Abstract:
        """What the loop must begin with so that one iteration, which turned `state` to `after`, keeps its type.

        Raises:
            DisagreementError: no type holds both.
        """
        if after is state or isinstance(after, Missing) or (isinstance(state, Node) and state.type == TokenType()):
            return start
        if self.strict and (isinstance(state, Unusable) or isinstance(after, Unusable)):
            raise DisagreementError("a variable that only some turns assign")
        if isinstance(state, Unusable):
            return LATE if start is not LATE else start
        if isinstance(after, Unusable):
            return self._change(after)
        if isinstance(state, Missing):
            return self._change(self._zeros(after))
        if isinstance(state, Known) and isinstance(after, Known) and same_constant(state.value, after.value):
            return start
        if tensor_type(state) is not None or tensor_type(after) is not None or _number(state):
            return self._tensor(start, state, after)
        return self._structure(start, state, after)

    def _change(self, value: Abstract) -> Abstract:
        self.changed = True
        return value

    def _zeros(self, value: Abstract) -> Abstract:
        """A stand-in of the same structure for a value that exists only later."""
        if isinstance(value, Node):
            assert isinstance(value.type, TensorType)
            zeros: Node = self.machine.emitter.full(shape=value.type.shape, value=0, dtype=value.type.dtype)
            return zeros
        if isinstance(value, Sequence | Held):
            if isinstance(value, Held):
                self._structural.add(value)
            return self._like(value, [self._zeros(v) for v in self._elements(value)])
        if isinstance(value, Known):
            return value
        if opened(value) is not None:
            return self._like(value, [self._zeros(v) for v in self._elements(value)])
        raise DisagreementError(f"a {describe(value)} that is made in the loop")

    def _tensor(self, start: Abstract, state: Abstract, after: Abstract) -> Abstract:
        """Both are tensors or numbers: a number takes the type of the tensor it turns into."""
        if self.strict and (_number(state) or _number(after)):
            raise DisagreementError(f"{describe(start)} before the loop and {describe(after)} after one iteration")
        if isinstance(start, Node) and start in self.machine.numbers and not is_number(self.machine, after):
            self.machine.numbers.discard(start)
            return self._change(start)
        if isinstance(state, Node) and common_type(state, after) == state.type:
            return start
        number = self._weak.get(start) if isinstance(start, Node) else state.value if _number(state) else None  # type: ignore[union-attr]
        kind = common_type(state, after)
        if number is not None:
            target = self._target(number, after)
            if target is not None and target.shape == ():
                made = self.machine.emitter.const(number, target.dtype)
                self._weak[made] = number
                if is_number(self.machine, after):
                    self.machine.numbers.add(made)
                return self._change(made)
        elif kind is not None and isinstance(state, Known):
            return self._change(read(self.machine, state.value))
        raise DisagreementError(f"{describe(start)} before the loop and {describe(after)} after one iteration")

    @staticmethod
    def _target(number: Any, after: Abstract) -> TensorType | None:
        kind = tensor_type(after)
        if kind is not None:
            return kind if holds(kind.dtype, number) else None
        if not (isinstance(after, Known) and _number(after)):
            return None
        return TensorType(promote(scalar_dtype(number, None), scalar_dtype(after.value, None)), ())

    def _structure(self, start: Abstract, state: Abstract, after: Abstract) -> Abstract:
        fits = is_sequence(state) and is_sequence(after) and python_class(state) is python_class(after)
        first, second = opened(state), opened(after)
        fits = (
            fits or self._alike(state, after) or (first is not None and second is not None and first.key == second.key)
        )
        if not fits and is_function(state) and is_function(after):
            raise DisagreementError(
                f"{describe(start)} before the loop and {describe(after)} after one iteration{FUNCTIONS}"
            )
        if not fits or len(self._elements(state)) != len(self._elements(after)):
            raise DisagreementError(f"{describe(start)} before the loop and {describe(after)} after one iteration")
        if isinstance(state, Held) and state not in self._structural:
            self.changed = True
        rows = zip(self._elements(start), self._elements(state), self._elements(after), strict=True)
        parts = [self.widen(*row) for row in rows]
        if isinstance(start, Held):
            self._structural.add(start)
        if isinstance(start, Instance):
            start.fixed = start.fixed or JOINED
        return self._like(start, parts) if self.changed else start

    def _alike(self, state: Abstract, after: Abstract) -> bool:
        """Dicts with equal keys, or objects of one class with the same attributes."""
        if not (
            isinstance(state, Dict | Instance)
            and type(state) is type(after)
            and python_class(state) is python_class(after)
        ):
            return False
        return list(self.machine.heap.get(state)) == list(self.machine.heap.get(after))


def _number(value: Abstract) -> bool:
    return isinstance(value, Known) and isinstance(value.value, PYTHON_NUMBERS)
