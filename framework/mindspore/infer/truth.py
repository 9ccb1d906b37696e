"""Whether a value is true: known while compiling, or a Bool[] node."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base import shapes
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.objects import special
from mindspore.infer.state import tensor
from mindspore.infer.structure import NotConstantError, describe
from mindspore.infer.values import Abstract, Deferred, Dict, Known, List, Position, Sequence
from mindspore.ir.graph import Constant, Node


def known_truth(machine: Machine, value: Abstract) -> bool | None:
    """Python's truth of `value`; None for a tensor, whose content is known only at run time."""
    if isinstance(value, Constant):
        return bool(value.value.item()) if value.value.size == 1 else None
    if tensor_type(value) is not None:
        return None
    if isinstance(value, Known):
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
    return value


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
