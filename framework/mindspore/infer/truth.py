"""Whether a value is true: known while compiling, or a Bool[] node."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base import shapes
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.objects import special
from mindspore.infer.state import tensor
from mindspore.infer.structure import NotConstantError, describe
from mindspore.infer.values import Abstract, Choice, Deferred, Dict, Known, List, Position, Sequence
from mindspore.ir.graph import Apply, Constant, Node


def known_truth(machine: Machine, value: Abstract) -> bool | None:
    """Python's truth of `value`; None for a tensor, whose content is known only at run time."""
    if isinstance(value, Constant):
        return bool(value.value.item()) if value.value.size == 1 else None
    if tensor_type(value) is not None:
        return None
    if isinstance(value, Known):
        if isinstance(value.value, list | dict | set):
            machine.guards.length(value.value)
        return bool(value.value)
    if isinstance(value, Sequence):
        return bool(value.elements)
    if isinstance(value, List | Dict):
        return bool(machine.heap.get(value))
    if isinstance(value, Deferred) and value.cls is str:
        raise TypeError(f"whether {describe(value)} is empty is known only at run time.")
    if isinstance(value, Position):
        raise NotConstantError("whether the counter of a loop is zero needs its value.")
    return True


def decisive(machine: Machine, value: Abstract) -> Abstract:
    """What decides whether `value` is true: what its ``__bool__`` or ``__len__`` gives, or the value itself."""
    for name in ("__bool__", "__len__"):
        if (method := special(value, name)) is not None:
            return machine.call(method, ())
    if isinstance(value, Choice):
        then, other = (known_truth(machine, decisive(machine, each)) for each in (value.then, value.other))
        if then is None or other is None:
            raise TypeError(
                f"the truth of {describe(value)}, which run time chooses, is known only then: choose the truth instead."
            )
        return chosen_truth(machine, value, then, other)
    return value


def decided_before(machine: Machine, condition: Abstract) -> bool | None:
    """How a condition known only at run time was decided on the way here; None when it was not."""
    negated = False
    while isinstance(condition, Apply) and _logical(condition) == "LogicalNot":
        condition, negated = condition.inputs[0], not negated
    known = machine.assumed.get(condition) if isinstance(condition, Node) else None
    return None if known is None else known is not negated


def _logical(node: Node) -> str:
    return getattr(node.op, "name", "") if isinstance(node, Apply) else ""


def implications(condition: Node, truth: bool) -> dict[Node, bool]:
    """What holds where `condition` is `truth`: of it, and of the conditions that it is made of."""
    found = {condition: truth}
    pending = [condition]
    for node in pending:
        name = _logical(node)
        if name == "LogicalNot":
            inner = {node.inputs[0]: not found[node]}
        elif name == ("LogicalAnd" if found[node] else "LogicalOr"):
            inner = dict.fromkeys(node.inputs, found[node])
        else:
            continue
        pending += [n for n in inner if n not in found]
        found |= inner
    return found


def chosen_truth(machine: Machine, choice: Choice, then: bool, other: bool) -> Abstract:
    """A truth that is `then` for the first of a choice and `other` for the second."""
    known = decided_before(machine, choice.flag)
    if then == other or known is not None:
        return Known(then if known is None or known else other)
    negated: Node = choice.flag if then else machine.emitter.logical_not(choice.flag)
    return negated


def truth_node(machine: Machine, value: Abstract) -> Node:
    """The Bool[] node that says whether the tensor `value` is true. ValueError unless it has exactly one element."""
    node = tensor(machine, value)
    kind = tensor_type(node)
    assert kind is not None
    if shapes.size(kind.shape) != 1:
        raise ValueError(
            f"the truth of {describe(value)} is ambiguous: a condition needs exactly one element. Use .any() or .all()."
        )
    b: Any = machine.emitter
    if kind.dtype is not dt.bool_:
        node = b.not_equal(node, 0)
    return node if kind.shape == () else b.reshape(node, shape=())
