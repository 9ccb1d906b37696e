"""Function values taken apart: the code, which is known while compiling, and the values that it holds or closes over."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any

import numpy as np

from mindspore.infer.machine import tensor_type
from mindspore.infer.values import (
    Abstract,
    Choice,
    Closure,
    Deferred,
    Frame,
    Instance,
    Known,
    Method,
    Partial,
    Range,
    Slice,
    Super,
    Transformed,
    View,
)
from mindspore.ir.graph import Constant, Graph, Node

_PLAIN = (
    bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset, slice, range, type(None), np.ndarray, np.generic,
)  # fmt: skip
"""Values of which both arms must leave equal ones, or tensors that stand for them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A value as `parts` and what makes an equal one from other parts; values with equal keys differ in their parts alone."""

    key: tuple[Any, ...]
    parts: tuple[Abstract, ...]
    close: Callable[[Items[Abstract]], Abstract]


def opened(value: Abstract) -> Opened | None:
    """The parts of a function value, a slice or the like; None for tensors, objects and containers."""
    how = _OPENERS.get(type(value))
    return None if how is None else how(value)


def is_function(value: Abstract) -> bool:
    """Whether `value` may be called in a graph."""
    if isinstance(value, Known):
        return callable(value.value) and tensor_type(value) is None
    if isinstance(value, Instance):
        return any("__call__" in vars(c) for c in value.cls.__mro__)
    return isinstance(value, Closure | Method | Partial | Transformed | Choice)


def may_be_chosen(a: Abstract, b: Abstract) -> bool:
    """Whether run time may choose between two values: functions, texts, objects that are used through their attributes, one of them
    None."""
    return (_is_used(a) or _is_none(a)) and (_is_used(b) or _is_none(b))


def _is_none(value: Abstract) -> bool:
    return isinstance(value, Known) and value.value is None


def _is_used(value: Abstract) -> bool:
    if (
        is_function(value)
        or isinstance(value, Instance | Deferred)
        or (isinstance(value, Known) and type(value.value) is str)
    ):
        return True
    return isinstance(value, Known) and tensor_type(value) is None and not isinstance(value.value, _PLAIN)


def captured(function: Closure) -> dict[Node, Abstract]:
    """What a closure reads from the activations around it, by node of its untyped graph."""
    found = {}
    for node in free_nodes(function.graph):
        frame: Frame | None = function.frame
        while frame is not None and node not in frame.values:
            frame = frame.parent
        if frame is not None:
            found[node] = frame.values[node]
    return found


_free: dict[int, tuple[Graph, tuple[Node, ...]]] = {}


def free_nodes(graph: Graph) -> tuple[Node, ...]:
    """Nodes outside the untyped `graph` that it or a graph inside it reads, in the order they are met."""
    known = _free.get(id(graph))
    if known is None:
        known = _free[id(graph)] = (graph, _read_from_outside(graph))
    return known[1]


def _read_from_outside(graph: Graph) -> tuple[Node, ...]:
    own: set[Node] = set()
    read: dict[Node, None] = {}
    pending = [graph]
    for current in pending:
        own.update(current.parameters)
        own.update(current.result.inputs[:-1])
        for node in (*current.result.inputs[:-1], current.result):
            for source in node.inputs:
                if not isinstance(source, Constant):
                    read[source] = None
                elif isinstance(source.value, Graph):
                    pending.append(source.value)
    return tuple(n for n in read if n not in own)


def _open_closure(value: Closure) -> Opened:
    names, held = tuple(value.defaults), captured(value)
    outside = tuple(held)

    def close(parts: Items[Abstract]) -> Abstract:
        defaults = dict(zip(names, parts[: len(names)], strict=True))
        values = dict(zip(outside, parts[len(names) :], strict=True))
        frame = Frame(value.frame.function, value.frame.name, values=values)
        return Closure(value.graph, value.signature, defaults, frame)

    return Opened((Closure, value.graph, names, outside), (*value.defaults.values(), *held.values()), close)


def _open_method(value: Method) -> Opened:
    return Opened((Method,), (value.function, value.self), lambda parts: Method(*parts))


def _open_partial(value: Partial) -> Opened:
    count, names = len(value.args), tuple(value.kwargs)

    def close(parts: Items[Abstract]) -> Abstract:
        function, *given = parts
        return Partial(function, tuple(given[:count]), dict(zip(names, given[count:], strict=True)))

    return Opened((Partial, count, names), (value.function, *value.args, *value.kwargs.values()), close)


def _open_transformed(value: Transformed) -> Opened:
    key = (Transformed, value.kind, *((k, _comparable(v)) for k, v in value.options.items()))
    return Opened(key, (value.function,), lambda parts: Transformed(value.kind, parts[0], value.options))


def _comparable(option: Any) -> Any:
    """Options hold Parameters, whose equality is element by element."""
    if isinstance(option, tuple | list):
        return tuple(_comparable(o) for o in option)
    return id(option) if hasattr(option, "__tensor_type__") else option


def _open_choice(value: Choice) -> Opened:
    return Opened((Choice,), (value.flag, value.then, value.other), _closed_choice)


def _closed_choice(parts: Items[Abstract]) -> Abstract:
    flag, then, other = parts
    assert isinstance(flag, Node)
    return Choice(flag, then, other)


def _open_deferred(value: Deferred) -> Opened:
    count, names = len(value.args), tuple(value.kwargs)

    def close(parts: Items[Abstract]) -> Abstract:
        named = dict(zip(names, parts[count:], strict=True))
        return Deferred(value.cls, value.function, tuple(parts[:count]), named)

    return Opened((Deferred, value.function, count, names), (*value.args, *value.kwargs.values()), close)


def _open_slice(value: Slice) -> Opened:
    return Opened((Slice,), (value.start, value.stop, value.step), lambda parts: Slice(*parts))


def _open_range(value: Range) -> Opened:
    return Opened((Range, value.step), (value.start, value.stop), lambda parts: Range(parts[0], parts[1], value.step))


def _open_super(value: Super) -> Opened:
    return Opened((Super, value.cls), (value.self,), lambda parts: Super(value.cls, parts[0]))


def _open_view(value: View) -> Opened:
    return Opened((View,), (value.of,), _viewed)


def _viewed(parts: Items[Abstract]) -> Abstract:
    (owner,) = parts
    assert isinstance(owner, Instance)
    return View(owner)


_OPENERS: dict[type, Callable[[Any], Opened]] = {
    Closure: _open_closure,
    Method: _open_method,
    Partial: _open_partial,
    Transformed: _open_transformed,
    Choice: _open_choice,
    Deferred: _open_deferred,
    Slice: _open_slice,
    Range: _open_range,
    Super: _open_super,
    View: _open_view,
}
