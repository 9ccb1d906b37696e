"""Attributes of objects outside the graph that the program assigns: their values are state, and are set on the objects after the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from mindspore.infer.guards import ABSENT
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.objects import lookup
from mindspore.infer.structure import describe
from mindspore.infer.values import Abstract, Attribute, Known, Unread, Unusable
from mindspore.ir.effects import Made


def assign_outside(machine: Machine, owner: Any, name: str, value: Abstract) -> None:
    """``owner.name = value`` for an object from outside. TypeError when its class does not let it have such an attribute."""
    found = lookup(type(owner), name)
    if isinstance(found, property):
        if not isinstance(found.fset, FunctionType):
            raise AttributeError(f"property {name!r} of {type(owner).__name__!r} object has no setter")
        machine.call(Known(found.fset), (Known(owner), value))
        return
    fixed = isinstance(owner, type | ModuleType | FunctionType) or tensor_type(Known(owner)) is not None
    if fixed or not isinstance(getattr(owner, "__dict__", None), dict):
        raise unassignable(Known(owner), name)
    machine.heap.set(_attribute(machine, owner, name), value)


def unassignable(owner: Abstract, name: str) -> TypeError:
    """Why ``owner.name = value`` is not possible."""
    return TypeError(
        f"cannot assign to attribute {name!r} of {describe(owner)}: in a graph attributes of Cells and of objects of your own classes "
        f"can be assigned. Return the value instead."
    )


def current(machine: Machine, owner: Any, name: str) -> Abstract | None:
    """The value of an attribute that the program has assigned; None for all others."""
    key = machine.attributes.get((id(owner), name))
    if key is None or key not in machine.heap:
        return None
    value: Abstract = machine.heap.get(key)
    if isinstance(value, Unusable):
        raise value.error(value.why)
    return value


def _attribute(machine: Machine, owner: Any, name: str) -> Attribute:
    found = machine.attributes.get((id(owner), name))
    if found is None:
        found = machine.attributes[id(owner), name] = Attribute(owner, name)
        machine.heap.layers[0][found] = Unread(lambda: _before(machine, owner, name))
    return found


def _before(machine: Machine, owner: Any, name: str) -> Abstract:
    """What the attribute was when the call began: a thing that the graph depends on."""
    value = getattr(owner, name, ABSENT)
    if value is ABSENT:
        machine.guards.item(vars(owner), name, ABSENT)
        return Unusable(f"{type(owner).__name__!r} object has no attribute {name!r}", AttributeError)
    machine.guards.attribute(owner, name, value)
    return Known(value)


def assignments(machine: Machine, described: Callable[[Abstract], Any]) -> Iterator[tuple[Any, str, Any]]:
    """The objects, names and described values to set after the run.

    Raises:
        TypeError: a value cannot leave the graph.
    """
    for key in machine.attributes.values():
        value = machine.heap.layers[0][key]
        if isinstance(value, Unread):
            continue
        if isinstance(value, Unusable):
            if value.error is AttributeError:
                continue
            raise TypeError(f"the attribute {key.name!r} of {type(key.object).__name__} is assigned: {value.why}")
        yield key.object, key.name, described(value)


def result_with(result: Any, made: list[tuple[Any, str, Any]]) -> Any:
    """`result` as a tree that also sets attributes when it is completed."""
    if not made:
        return result
    targets = [(owner, name) for owner, name, _ in made]
    return Made(partial(_set, targets), (result, *(value for _, _, value in made)))


def _set(targets: Sequence[tuple[Any, str]], result: Any, *values: Any) -> Any:
    for (owner, name), value in zip(targets, values, strict=True):
        setattr(owner, name, value)
    return result
