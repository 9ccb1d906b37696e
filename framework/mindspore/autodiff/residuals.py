"""What the backward part of a subgraph reads from its forward part, when the two become graphs of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mindspore.autodiff.activity import elements
from mindspore.autodiff.cotangents import cotangent_type
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import TUPLE_GET, Apply, Constant, Graph, Node, Parameter, is_shared, nodes, toposort
from mindspore.ir.rewrite import copy, inline, separate, with_inputs
from mindspore.ir.types import TupleType, Type


class Pullback(Protocol):
    """``(outputs, cotangents by position, wrt) -> (outputs that keep residuals, cotangents of wrt or None)``: `reverse.Reverse`.

    Attributes:
        derivatives: of the recursive graphs met so far, a `growing.Table` of `calls.Derivative`.
        extended: shared graphs with their gradients, as `shared.Extended`.
    """

    derivatives: Any
    extended: Any

    def __call__(
        self, outputs: Sequence[Node], cotangents: Mapping[int, Node], wrt: Sequence[Node]
    ) -> tuple[list[Node], list[Node | None]]: ...


@dataclass(frozen=True, slots=True)
class Body:
    """A differentiated subgraph.

    Attributes:
        parameters: stand for the subgraph's own.
        outputs: its results over the parameters.
        seeds: the cotangents of some results, in the order in which they were asked for.
        gradients: cotangents of some parameters; None without a path.
    """

    parameters: list[Parameter]
    outputs: list[Node]
    seeds: list[Parameter]
    gradients: list[Node | None]


def differentiated(graph: Graph, chosen: Sequence[int], wrt: Sequence[int], pullback: Pullback) -> Body:
    """`graph` with the cotangents of the parameters `wrt` for those of the results `chosen`, to be split into two graphs.

    Shared graphs inside it could not be split between them.
    """
    if any(is_shared(node) for node in nodes(graph)):
        graph = copy(graph)
        separate(graph)
    return whole(graph, chosen, wrt, pullback)


def whole(graph: Graph, chosen: Sequence[int], wrt: Sequence[int], pullback: Pullback) -> Body:
    """`differentiated` for a graph that stays one."""
    parameters = [Parameter(p.name, p.type, p.location) for p in graph.parameters]
    results = elements(inline(graph, parameters))
    seeds = [Parameter(f"d{i}", cotangent_type(results[i].type)) for i in chosen]
    kept, gradients = pullback(results, dict(zip(chosen, seeds, strict=True)), [parameters[i] for i in wrt])
    return Body(parameters, kept, seeds, gradients)


def residuals(parameters: Sequence[Node], outputs: Sequence[Node], gradients: Sequence[Node]) -> list[Node]:
    """Forward nodes, parameters among them, that backward nodes read directly, and gradients that are forward nodes themselves.

    Taking an element of a forward tuple counts as forward: the element is kept, not the tuple.
    """
    forward = {id(n) for n in toposort(*parameters, *outputs)}
    backward = []
    for node in toposort(*gradients):
        if isinstance(node, Apply) and node.op is TUPLE_GET and id(node.inputs[0]) in forward:
            forward.add(id(node))
        elif id(node) not in forward:
            backward.append(node)
    found = {id(g): g for g in gradients if id(g) in forward}
    for node in backward:
        found.update({id(i): i for i in node.inputs if id(i) in forward})
    return [n for n in found.values() if not isinstance(n, Constant)]


def replaced(roots: Sequence[Node], replacements: Mapping[int, Apply]) -> list[Node]:
    """`roots` with structured nodes replaced by ones that give more results behind the same first ones.

    A replacement reads what the node read, so that it is placed as soon as the node is met.
    """
    mapped: dict[int, Node] = {}
    for node in toposort(*roots):
        if id(node) in mapped:
            continue
        if not isinstance(node, Apply):
            mapped[id(node)] = node
        elif id(node) in replacements:
            made = replacements[id(node)]
            if id(made) not in mapped:
                mapped[id(made)] = with_inputs(made, [mapped.get(id(i), i) for i in made.inputs])
            mapped[id(node)] = _first_results(mapped[id(made)], node)
        elif node.op is TUPLE_GET and id(node.inputs[0]) in replacements:
            mapped[id(node)] = GraphBuilder(node.location).get(mapped[id(node.inputs[0])], node.attrs["index"])
        else:
            mapped[id(node)] = with_inputs(node, [mapped[id(i)] for i in node.inputs])
    return [mapped[id(r)] for r in roots]


def _first_results(made: Node, like: Apply) -> Node:
    b = GraphBuilder(like.location)
    parts = [b.get(made, i) for i in range(len(_kinds(like)))]
    return b.tuple(parts) if isinstance(like.type, TupleType) else parts[0]


def _kinds(node: Node) -> tuple[Type | None, ...]:
    return node.type.elements if isinstance(node.type, TupleType) else (node.type,)
