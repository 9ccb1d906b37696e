"""Parameters and tensors outside the graph: reads give the current version, writes make a new one."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.promotion import fits_kind, scalar_dtype
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.structure import NotConstantError, describe, is_sequence, to_python
from mindspore.infer.values import Abstract, Known, Slot
from mindspore.ir.builder import PYTHON_NUMBERS
from mindspore.ir.graph import Constant, Node, Parameter
from mindspore.ir.types import TensorType


def slot_of(machine: Machine, obj: Any) -> Slot:
    """The slot of a Parameter or tensor object; a new one becomes an input of the outermost graph, unless the program made the object."""
    slot = _slot(machine, obj)
    machine.guards.log.append(("slot", obj, slot, machine.heap.get(slot)))
    return slot


def _slot(machine: Machine, obj: Any) -> Slot:
    made = machine.constants.get(id(obj))
    if isinstance(made, Slot):
        return made
    found = machine.slots.get(id(obj))
    if made is not None and (constant := _content(machine, made)) is not None:
        found = machine.constants[id(obj)] = Slot(obj, constant)
        machine.heap.layers[0][found] = constant
    elif found is None:
        name = str(getattr(obj, "name", None) or f"captured{len(machine.slots)}")
        found = machine.slots[id(obj)] = Slot(obj, Parameter(name, obj.__tensor_type__, machine.emitter.location))
        machine.heap.layers[0][found] = found.node
    return found


def _content(machine: Machine, tensor: Any) -> Node | None:
    """What a tensor holds as a constant. None for Parameters, and types that numpy does not have."""
    content = getattr(tensor, "asnumpy", None)
    if content is None or getattr(type(tensor), "__is_parameter__", False):
        return None
    node = array_node(machine, np.array(content()))
    return node if node.type == tensor.__tensor_type__ else None


def read(machine: Machine, obj: Any) -> Node:
    """The current version of a Parameter or tensor object."""
    version: Node = machine.heap.get(slot_of(machine, obj))
    return version


def is_parameter(value: Abstract) -> bool:
    return isinstance(value, Known) and bool(getattr(type(value.value), "__is_parameter__", False))


def write(machine: Machine, target: Abstract, value: Abstract) -> Node:
    """Makes `value`, brought to the Parameter's element type, its new version."""
    if not (isinstance(target, Known) and is_parameter(target)):
        raise TypeError(f"only a Parameter can be assigned, got {describe(target)}. Make it a Parameter of the Cell.")
    slot = slot_of(machine, target.value)
    wanted = slot.node.type
    assert isinstance(wanted, TensorType)
    given = operand(machine, value)
    shaped = given if isinstance(given, Node) else machine.emitter.const(given, scalar_dtype(given, wanted.dtype))
    name = getattr(slot.object, "name", "")
    if isinstance(shaped.type, TensorType) and not fits_kind(shaped.type.dtype, wanted.dtype):
        raise TypeError(f"Parameter {name} is {wanted}, but {shaped.type} is assigned to it: convert it with astype.")
    if not isinstance(shaped.type, TensorType) or shaped.type.shape != wanted.shape:
        raise ValueError(
            f"Parameter {name} is {wanted}, but {shaped.type} is assigned to it: the shapes must be equal."
        )
    node: Node = machine.emitter.converted(shaped, wanted.dtype)
    machine.heap.set(slot, node)
    return node


def operand(machine: Machine, value: Abstract) -> Any:
    """`value` as a builder takes it: a node, or a Python number.

    Raises:
        TypeError: it is neither a tensor nor made of numbers.
    """
    if isinstance(value, Node):
        return value
    if isinstance(value, Known):
        if isinstance(value.value, PYTHON_NUMBERS):
            return value.value
        if tensor_type(value) is not None:
            return _computed(machine, read(machine, value.value))
        if isinstance(value.value, np.ndarray | np.generic):
            return array_node(machine, np.asarray(value.value))
    if is_sequence(value):
        return _from_numbers(machine, value)
    raise TypeError(f"expected a tensor or a number, got {describe(value)}.")


def _computed(machine: Machine, version: Node) -> Node:
    """`version` as the type in which the called Cell computes."""
    kind = machine.compute_type
    if kind is None or not isinstance(version.type, TensorType) or not version.type.dtype.is_floating:
        return version
    node: Node = machine.emitter.converted(version, kind)
    return node


def array_node(machine: Machine, array: np.ndarray[Any, Any]) -> Node:
    """A constant with the content of `array`."""
    return Constant(array, TensorType(dt.from_numpy(array.dtype), array.shape), machine.emitter.location)


def _from_numbers(machine: Machine, value: Abstract) -> Node:
    try:
        array = np.asarray(to_python(machine, value))
    except (NotConstantError, ValueError):
        raise TypeError(
            "expected a tensor, got a tuple or list with tensors in it; join them with stack or concat."
        ) from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"expected a tensor or numbers, got {describe(value)}.")
    return machine.emitter.const(array, scalar_dtype(array.dtype.type(0).item(), None))


def tensor(machine: Machine, value: Abstract) -> Node:
    """`value` as a node; Python numbers become 0-d tensors."""
    given = operand(machine, value)
    return given if isinstance(given, Node) else machine.emitter.const(given, scalar_dtype(given, None))
