"""vmap: a graph for one row becomes a graph for all rows of a batch, which lie along the first dimension of its arguments.

Each node is told apart by whether its value is one for all rows or one for each; what is one for all is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.autodiff import batch_control as control
from mindspore.autodiff.batch_rules import batched_operator
from mindspore.autodiff.batched import Batched, Value, flat, plain
from mindspore.base.errors import GraphTypeError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import (
    AFTER,
    CALL,
    CUSTOM,
    EMIT,
    EMPTY_BOX,
    EMPTY_STASH,
    IF,
    IS_EMPTY,
    MAKE_BOX,
    MAKE_TUPLE,
    SCAN,
    TOKEN,
    TUPLE_GET,
    UNBOX,
    WHILE,
    Apply,
    Graph,
    Node,
    nodes,
)
from mindspore.ir.operator import Operator
from mindspore.ir.rewrite import copy, expansion, rewrite
from mindspore.ir.types import TupleType


def vmap_graph(graph: Graph, rows: Sequence[bool], size: int) -> tuple[Graph, list[bool]]:
    """`graph` for each row of a batch of `size`.

    Args:
        graph: closed and typed.
        rows: which parameters have the batch as first dimension.
        size: the number of rows.

    Returns:
        A graph over parameters of the batched types, whose outputs are a tuple, and which of these have rows.

    Raises:
        GraphTypeError: effects under a condition that differs from row to row.
    """
    graph = copy(graph)
    rewrite(graph, _without_rule)
    given = [control.parameter(p, r, size) for p, r in zip(graph.parameters, rows, strict=True)]
    results = batched_results(graph, given, size)
    b = GraphBuilder(graph.location)
    parameters: Any = [v.node for v in given]
    outputs = b.tuple([v.node for v in results])
    return Graph(f"vmap_{graph.name}", parameters, outputs, graph.location), [v.rows for v in results]


def _without_rule(node: Apply) -> Node | None:
    """A composite without a rule of its own is what it stands for."""
    if not isinstance(node.op, Operator) or node.op.vmap is not None or node.op.expand is None:
        return None
    return expansion(node)


def batched_results(graph: Graph, arguments: Sequence[Batched], size: int) -> list[Batched]:
    """The results of `graph`, one level of tuple taken apart, over `arguments`."""
    walk = _Walk(size, dict(zip(map(id, graph.parameters), arguments, strict=True)))
    for node in nodes(graph):
        walk.visit(node)
    result = walk.values[id(graph.result)]
    return list(result) if isinstance(result, tuple) else [result]


class _Walk:
    def __init__(self, size: int, values: dict[int, Any]) -> None:
        self.size = size
        self.values: dict[int, Value] = values

    def visit(self, node: Node) -> None:
        if id(node) not in self.values:
            self.values[id(node)] = self.applied(node) if isinstance(node, Apply) else plain(node)

    def applied(self, node: Apply) -> Value:
        given = [self.values[id(i)] for i in node.inputs]
        if node.op is MAKE_TUPLE:
            return tuple(given)
        if node.op is TUPLE_GET:
            return given[0][node.attrs["index"]]
        rule = _STRUCTURED.get(node.op)
        if rule is not None:
            return rule(node, given, self.size, batched_results)
        if not isinstance(node.op, Operator):
            raise GraphTypeError(f"{control.place(node)}vmap: {node.op} has no rule for rows.")
        return self.operator(node, given)

    def operator(self, node: Apply, given: Sequence[Batched]) -> Value:
        b = GraphBuilder(node.location)
        inputs, rows = flat(given), [v.rows for v in given]
        if any(rows):
            made = batched_operator(b, self.size, node, inputs, rows)
            values = tuple(Batched(m, True) for m in made)
        else:
            same = Apply(node.op, inputs, node.attrs, node.type, node.location)
            count = len(node.type.elements) if isinstance(node.type, TupleType) else 0
            values = tuple(plain(b.get(same, i)) for i in range(count)) if count else (plain(same),)
        return values if isinstance(node.type, TupleType) else values[0]


_STRUCTURED: Mapping[object, Callable[..., Value]] = {
    IF: control.branch,
    WHILE: control.loop,
    SCAN: control.loop,
    CUSTOM: control.custom,
    AFTER: control.after,
    EMPTY_STASH: lambda node, given, size, run: plain(node),
    EMPTY_BOX: lambda node, given, size, run: plain(node),
    CALL: control.row_by_row,
    MAKE_BOX: control.row_by_row,
    UNBOX: control.row_by_row,
    IS_EMPTY: control.row_by_row,
    TOKEN: lambda node, given, size, run: plain(node),
    EMIT: control.effect,
}
