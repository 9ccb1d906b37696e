"""Residuals that are not kept: the backward part computes them once more from the arguments."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.autodiff.activity import elements, is_float
from mindspore.autodiff.cotangents import zeros
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import AFTER, Apply, Graph, Node, Parameter
from mindspore.ir.rewrite import inline, without_effects
from mindspore.ir.types import TensorType, TokenType


def recomputed_gradient(graph: Graph, wrt: Sequence[int]) -> Graph:
    """The backward part of a CustomGradient that computes `graph` once more, after the cotangents are known, but without its effects.

    Returns:
        ``(*arguments, *results, *cotangents) -> gradients of the arguments at wrt``.
    """
    graph = without_effects(graph)
    results = elements(graph.result)
    floating = [i for i, r in enumerate(results) if is_float(r)]
    whole = value_and_grad_graph(graph, wrt, sens=True, differentiated=floating)
    arguments = [Parameter(p.name, p.type, p.location) for p in graph.parameters]
    outs = [Parameter(f"y{i}", r.type) for i, r in enumerate(results)]
    seeds = [Parameter(f"d{i}", r.type) for i, r in enumerate(results)]
    given: list[Node] = [_later(a, seeds[floating[0]]) if floating else a for a in arguments]
    gradients = elements(inline(whole, [*given, *(seeds[i] for i in floating)]))[len(results) :]
    output = GraphBuilder(graph.location).tuple(gradients)
    return Graph(f"recomputed_{graph.name}", [*arguments, *outs, *seeds], output, graph.location)


def _later(value: Node, other: Node) -> Node:
    if isinstance(value.type, TokenType):
        return zeros(value)
    if not isinstance(value.type, TensorType):
        return value
    return Apply(AFTER, (value, other), type=value.type, location=value.location)
