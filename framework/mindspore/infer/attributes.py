"""``owner.name`` and ``owner.name = value``."""

from __future__ import annotations

import operator
from types import FunctionType
from typing import Any

from mindspore.base import shapes
from mindspore.base.protocols import tensor_methods, tensor_properties
from mindspore.infer import language as lang
from mindspore.infer import namedtuples
from mindspore.infer.control import decided
from mindspore.infer.fields import assign_outside, current, unassignable
from mindspore.infer.guards import ABSENT
from mindspore.infer.machine import Machine, builtin_calls, dispatchers, evaluates, tensor_type
from mindspore.infer.objects import bound, lookup, of_object, store
from mindspore.infer.state import is_parameter, write
from mindspore.infer.structure import describe, fresh, is_constant, python_class, to_python
from mindspore.infer.values import (
    NONE,
    Abstract,
    Choice,
    Closure,
    Deferred,
    Dict,
    Frame,
    Instance,
    Known,
    List,
    Method,
    Sequence,
    Slice,
    Super,
)
from mindspore.ir.graph import Apply, Node
from mindspore.ir.types import TensorType


@evaluates(lang.ATTRIBUTE)
def attribute_node(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    return attribute(machine, machine.value(frame, node.inputs[0]), node.attrs["name"])


def attribute(machine: Machine, owner: Abstract, name: str) -> Abstract:
    """``owner.name``. AttributeError when there is none."""
    if name == "__class__":
        return machine.call(Known(type), (owner,))
    if (kind := tensor_type(owner)) is not None:
        return _of_tensor(machine, owner, kind, name)
    if isinstance(owner, Known):
        return _of_object(machine, owner.value, name)
    if isinstance(owner, Super):
        return _of_super(machine, owner, name)
    if isinstance(owner, Sequence) and name in getattr(owner.cls, "_fields", ()):
        return owner.elements[owner.cls._fields.index(name)]  # type: ignore[attr-defined]
    if isinstance(owner, Instance) or (isinstance(owner, Sequence) and owner.cls is not tuple):
        return namedtuples.method(owner, name) or of_object(machine, owner, name)
    if isinstance(owner, Choice):
        return decided(machine, owner, lambda each: attribute(machine, each, name))
    if isinstance(owner, Slice) and name in ("start", "stop", "step"):
        part: Abstract = getattr(owner, name)
        return part
    if isinstance(owner, Closure) and name == "__name__":
        return Known(owner.graph.name)
    if isinstance(owner, Deferred) and is_constant(machine, owner):
        return attribute(machine, Known(to_python(machine, owner)), name)
    if name == "has_key" and python_class(owner) is dict:
        return Method(Known(operator.contains), owner)
    if isinstance(owner, Sequence | List | Dict | Deferred) and callable(
        found := getattr(python_class(owner), name, None)
    ):
        return Method(Known(found), owner)
    raise AttributeError(f"{describe(owner)} has no attribute {name!r}")


dispatchers["attribute"] = attribute


def content(machine: Machine, args: tuple[Abstract, ...], kwargs: Any) -> Abstract:
    """``x.asnumpy()`` of a tensor that the program makes of constants."""
    (value,) = args
    if not isinstance(value, Known) or id(value.value) not in machine.constants:
        raise TypeError(
            "asnumpy needs the values of a tensor, which only run time knows. Use operators of tensors in its place, or call it outside "
            "of the compiled function."
        )
    return fresh(machine, value.value.asnumpy().copy())


builtin_calls[content] = content


def _of_tensor(machine: Machine, owner: Abstract, kind: TensorType, name: str) -> Abstract:
    """Attributes of tensors; those of outside tensor objects (a Parameter's name) are read from the object."""
    fixed: dict[str, Any] = {
        "shape": kind.shape,
        "dtype": kind.dtype,
        "ndim": kind.rank,
        "itemsize": kind.dtype.itemsize,
    }
    if name in fixed:
        return Known(fixed[name])
    if name in ("size", "nbytes"):
        return Known(shapes.size(kind.shape) * (1 if name == "size" else kind.dtype.itemsize))
    if name == "strides":
        return Known(tuple(shapes.size(kind.shape[i + 1 :]) * kind.dtype.itemsize for i in range(kind.rank)))
    if name == "asnumpy":
        return Method(Known(content), owner)
    if name in tensor_properties:
        return machine.call(Known(tensor_properties[name]), (owner,))
    if name in tensor_methods:
        return Method(Known(tensor_methods[name]), owner)
    if isinstance(owner, Known) and hasattr(owner.value, name):
        machine.guards.leak(owner.value)
        return Known(getattr(owner.value, name))
    raise AttributeError(f"Tensor {kind} has no attribute {name!r} in a graph")


def _of_object(machine: Machine, owner: Any, name: str) -> Abstract:
    if (assigned := current(machine, owner, name)) is not None:
        machine.guards.log.append(("assigned", owner, name, None))
        return assigned
    found = lookup(type(owner), name)
    if isinstance(found, property) and isinstance(found.fget, FunctionType):
        return machine.call(Known(found.fget), (Known(owner),))
    changeable = next((c for c in (list, dict, set) if isinstance(owner, c) and name in vars(c)), None)
    if changeable is not None:
        return Method(Known(vars(changeable)[name]), Known(owner))
    if (generated := namedtuples.method(Known(owner), name)) is not None:
        return generated
    value = getattr(owner, name, ABSENT)
    machine.guards.attribute(owner, name, value)
    return Known(getattr(owner, name) if value is ABSENT else value)


def _of_super(machine: Machine, owner: Super, name: str) -> Abstract:
    own = owner.self.value if isinstance(owner.self, Known) else None
    subject = own if isinstance(own, type) and issubclass(own, owner.cls) else python_class(owner.self)
    order = subject.__mro__
    for cls in order[order.index(owner.cls) + 1 :]:
        if name in vars(cls):
            found = vars(cls)[name]
            if isinstance(found, FunctionType) or not isinstance(owner.self, Known):
                return bound(machine, found, owner.self, subject, name)
            target = owner.self.value if isinstance(owner.self, Known) else None
            return Known(found.__get__(target, subject) if hasattr(found, "__get__") else found)
    raise AttributeError(f"'super' object has no attribute {name!r}")


@evaluates(lang.SET_ATTRIBUTE)
def set_attribute_node(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    owner, value, *previous = machine.values(frame, node.inputs)
    name: str = node.attrs["name"]
    if not (previous and value is previous[0]):
        assign(machine, owner, name, value)
    return NONE


def assign(machine: Machine, owner: Abstract, name: str, value: Abstract) -> None:
    """``owner.name = value``. TypeError where graphs do not have it."""
    if isinstance(owner, Instance):
        store(machine, owner, name, value)
        return
    if isinstance(owner, Known) and not isinstance(owner.value, Node):
        held = None if (id(owner.value), name) in machine.attributes else getattr(owner.value, name, None)
        if not is_parameter(Known(held)):
            assign_outside(machine, owner.value, name, value)
            return
        machine.guards.attribute(owner.value, name, held)
        if not (isinstance(value, Known) and value.value is held):
            write(machine, Known(held), value)
        return
    raise unassignable(owner, name)
