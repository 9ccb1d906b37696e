"""Graphs with symbolic sizes as graphs for given sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mindspore.base.symbolic import Size, value
from mindspore.ir.effects import Effect, Made
from mindspore.ir.graph import Apply, Constant, Graph, Node, Parameter, nodes, subgraphs
from mindspore.ir.types import FunctionType, StashType, TensorType, TupleType, Type


def bound(graph: Graph, atoms: Sequence[int]) -> Graph:
    """A copy of `graph`, and of the graphs inside it, with the values that `atoms` gives to all symbolic sizes."""
    found = list(subgraphs(graph))
    copies = {id(g): Graph(g.name, [_parameter(p, atoms) for p in g.parameters], None, g.location) for g in found}
    for each in found:
        made = copies[id(each)]
        mapped: dict[int, Node] = {id(p): c for p, c in zip(each.parameters, made.parameters, strict=True)}
        for node in nodes(each):
            if id(node) not in mapped:
                mapped[id(node)] = _node(node, mapped, copies, atoms)
        made.output = mapped[id(each.result)]
    return copies[id(graph)]


def _parameter(parameter: Parameter, atoms: Sequence[int]) -> Parameter:
    return Parameter(parameter.name, bound_type(parameter.type, atoms), parameter.location)


def _node(node: Node, mapped: Mapping[int, Node], copies: Mapping[int, Graph], atoms: Sequence[int]) -> Node:
    kind = bound_type(node.type, atoms)
    if isinstance(node, Apply):
        attrs = MappingProxyType({k: bound_value(v, atoms) for k, v in node.attrs.items()})
        return Apply(node.op, [mapped[id(i)] for i in node.inputs], attrs, kind, node.location)
    assert isinstance(node, Constant)
    content = copies[id(node.value)] if isinstance(node.value, Graph) else node.value
    return Constant(content, kind, node.location)


def bound_type(kind: Type | None, atoms: Sequence[int]) -> Any:
    """`kind` with the values of its sizes."""
    if isinstance(kind, TensorType):
        return TensorType(kind.dtype, bound_value(kind.shape, atoms))
    if isinstance(kind, TupleType):
        return TupleType(tuple(bound_type(e, atoms) for e in kind.elements))
    if isinstance(kind, FunctionType):
        return FunctionType(tuple(bound_type(p, atoms) for p in kind.parameters), bound_type(kind.result, atoms))
    if isinstance(kind, StashType):
        return StashType(bound_type(kind.element, atoms))
    return kind


def bound_value(held: Any, atoms: Sequence[int]) -> Any:
    """A Python value with the values of the sizes in it and in its tuples, lists, dicts, slices and what is made of it later."""
    if isinstance(held, Size):
        return value(held, atoms)
    if isinstance(held, tuple) and hasattr(held, "_fields"):
        return type(held)(*[bound_value(v, atoms) for v in held])
    if isinstance(held, tuple | list):
        return type(held)(bound_value(v, atoms) for v in held)
    if isinstance(held, dict):
        return {k: bound_value(v, atoms) for k, v in held.items()}
    if isinstance(held, Made):
        return Made(held.function, bound_value(held.args, atoms), bound_value(held.kwargs, atoms))
    if isinstance(held, Effect):
        return Effect(bound_value(held.action, atoms), held.written)
    if isinstance(held, slice):
        return slice(*[bound_value(p, atoms) for p in (held.start, held.stop, held.step)])
    return held


def has_sizes(held: Any) -> bool:
    """Whether a symbolic size is in a Python value."""
    if isinstance(held, Size):
        return True
    if isinstance(held, tuple | list):
        return any(map(has_sizes, held))
    return isinstance(held, dict) and any(map(has_sizes, held.values()))
