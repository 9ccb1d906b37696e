"""Taking values apart into tensors and the structure around them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import Any

from mindspore.infer.functions import is_function, opened
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.state import read
from mindspore.infer.structure import describe, make_dict, make_list, make_tuple, remade
from mindspore.infer.values import (
    Abstract,
    Choice,
    Deferred,
    Dict,
    Instance,
    Iterator,
    Known,
    List,
    Sequence,
    Set,
    Value,
)
from mindspore.ir.effects import Made, Output
from mindspore.ir.graph import Node

Rebuild = Callable[[Items[Node]], Abstract]


def taken_apart(machine: Machine, value: Abstract, found: list[Node]) -> Rebuild:
    """Appends the tensors of `value` to `found`; makes the value again from nodes in their places.

    Raises:
        TypeError: it holds a variable that it shares with other functions.
    """
    if isinstance(value, Node) or tensor_type(value) is not None:
        position = len(found)
        found.append(value if isinstance(value, Node) else read(machine, value.value))  # type: ignore[attr-defined]
        return lambda nodes: nodes[position]
    if isinstance(value, Known):
        if isinstance(value.value, tuple) and any(tensor_type(Known(v)) is not None for v in value.value):
            value = Sequence(tuple(Known(v) for v in value.value), type(value.value))
        else:
            return lambda nodes: value
    if isinstance(value, Sequence):
        parts = [taken_apart(machine, e, found) for e in value.elements]
        cls = value.cls
        return lambda nodes: make_tuple([p(nodes) for p in parts], cls)
    if isinstance(value, List):
        parts = [taken_apart(machine, e, found) for e in machine.heap.get(value)]
        return lambda nodes: make_list(machine, [p(nodes) for p in parts])
    if isinstance(value, Instance):
        fields = {k: taken_apart(machine, v, found) for k, v in machine.heap.get(value).items()}
        return lambda nodes: _made_again(machine, value, {k: p(nodes) for k, p in fields.items()})
    if isinstance(value, Dict):
        named = {k: taken_apart(machine, v, found) for k, v in machine.heap.get(value).items()}
        return lambda nodes: make_dict(machine, {k: p(nodes) for k, p in named.items()}, value)
    if (how := opened(value)) is not None:
        parts = [taken_apart(machine, p, found) for p in how.parts]
        return lambda nodes: how.close([p(nodes) for p in parts])
    raise TypeError(f"a {describe(value)} cannot be a result of a function that is differentiated.")


def _made_again(machine: Machine, like: Instance, held: dict[str, Abstract]) -> Abstract:
    made = Instance(like.cls, like.fixed)
    machine.heap.set(made, held)
    return made


def _cannot_leave(value: Abstract) -> str:
    return (
        f"a {describe(value)} cannot leave a compiled function. Return, print or raise tensors, numbers, texts, "
        f"dataclasses or containers of them."
    )


def described(machine: Machine, value: Abstract, place: Callable[[Node], int]) -> Any:
    """The tree of a result: `Output` for tensors, Python objects for the rest."""
    if isinstance(value, Node):
        return Output(place(value))
    if tensor_type(value) is not None:
        assert isinstance(value, Known)
        return Output(place(read(machine, value.value)))
    if isinstance(value, Sequence):
        parts = [described(machine, e, place) for e in value.elements]
        return value.cls(*parts) if hasattr(value.cls, "_fields") else value.cls(parts)
    if isinstance(value, List):
        parts = [described(machine, e, place) for e in machine.heap.get(value)]
        return tuple(parts) if isinstance(value, Iterator) else parts
    if isinstance(value, Set):
        return Made(set, ((*machine.heap.get(value),),))
    if isinstance(value, Dict):
        return {k: described(machine, v, place) for k, v in machine.heap.get(value).items()}
    if isinstance(value, Instance) and dataclasses.is_dataclass(value.cls):
        held = {k: described(machine, v, place) for k, v in machine.heap.get(value).items()}
        return Made(remade, (value.cls, held))
    if isinstance(value, Known):
        return _outside(machine, value.value, place)
    if isinstance(value, Deferred):
        args = tuple(described(machine, a, place) for a in value.args)
        return Made(value.function, args, {k: described(machine, v, place) for k, v in value.kwargs.items()})
    if isinstance(value, Choice) and not is_function(value.then) and not is_function(value.other):
        return Made(_chosen, tuple(described(machine, v, place) for v in (value.flag, value.then, value.other)))
    raise TypeError(_cannot_leave(value))


def _chosen(flag: Any, then: Any, other: Any) -> Any:
    return then if flag else other


def _outside(machine: Machine, value: Any, place: Callable[[Node], int]) -> Any:
    """An object from outside the graph; tensors in its containers are outputs too."""
    if type(value) in (tuple, list):
        return type(value)(described(machine, Known(v), place) for v in value)
    if type(value) is dict:
        return {k: described(machine, Known(v), place) for k, v in value.items()}
    return value


def wrapped(value: Any) -> Abstract:
    """Nested Python tuples of abstract values as one abstract value."""
    if isinstance(value, Value | Node):
        return value
    if isinstance(value, tuple | list):
        return make_tuple(wrapped(v) for v in value)
    return Known(value)
