"""Reverse mode in two parts: a graph that leaves what the gradient reads, and one that turns it and cotangents into gradients."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.autodiff.activity import elements
from mindspore.autodiff.cotangents import zeros
from mindspore.autodiff.residuals import residuals
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Graph, Node, Parameter
from mindspore.ir.rewrite import inline, substitute, without_effects
from mindspore.ir.types import TensorType, TokenType


def vjp_graphs(
    graph: Graph, wrt: Sequence[int], differentiated: Sequence[int], leaves: bool = False
) -> tuple[Graph, Graph]:
    """The two parts of the gradient of `graph`.

    Args:
        graph: closed, typed, without calls.
        wrt: positions of the parameters to differentiate for.
        differentiated: positions of the outputs that carry cotangents.
        leaves: whether what is kept leaves the program, so that it must be tensors; if not all of it is, the arguments are kept, and
            the backward part computes the rest again.

    Returns:
        ``arguments -> (*outputs, *kept)`` and ``(*kept, *cotangents) -> gradients``.
    """
    whole = value_and_grad_graph(graph, wrt, sens=True, differentiated=differentiated)
    count = len(whole.outputs()) - len(wrt)
    outputs, gradients = whole.outputs()[:count], whole.outputs()[count:]
    split = len(whole.parameters) - len(differentiated)
    parameters, seeds = whole.parameters[:split], whole.parameters[split:]
    kept: list[Node] = residuals(parameters, outputs, gradients)
    if leaves and not all(isinstance(k.type, TensorType) for k in kept):
        again = value_and_grad_graph(without_effects(graph), wrt, sens=True, differentiated=differentiated)
        fresh = [zeros(p) if isinstance(p.type, TokenType) else p for p in (*parameters, *seeds)]
        gradients = elements(inline(again, fresh))[count:]
        kept = [p for p in parameters if not isinstance(p.type, TokenType)]
    b = GraphBuilder(graph.location)
    forward = Graph(f"forward_{graph.name}", parameters, b.tuple([*outputs, *kept]), graph.location)
    given = [Parameter(f"r{i}", k.type, k.location) for i, k in enumerate(kept)]
    mapped = substitute(gradients, {id(k): p for k, p in zip(kept, given, strict=True)})
    backward = b.tuple([mapped[id(g)] for g in gradients])
    return forward, Graph(f"backward_{graph.name}", [*given, *seeds], backward, graph.location)
