"""The gradient of a call of a shared graph: one graph that has the results and the gradients, for all calls.

``y = Call(f, x)`` becomes ``y, _ = Call(g, x, 0)`` and ``x̄ = Call(g, x, ȳ)[1:]``, where ``g(x, ȳ) = (f(x), gradients)``. Nothing is
computed twice: kernels are made for each node of ``g`` once for equal inputs, and for those alone that are needed. So ``g`` is simplified
as a whole, and nothing has to be handed from one part of it to another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mindspore.autodiff.activity import carries
from mindspore.autodiff.cotangents import zeros
from mindspore.autodiff.residuals import Pullback, whole
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import CALL, SHARED, Apply, Constant, Graph, Node
from mindspore.ir.loops import function


@dataclass(frozen=True, slots=True)
class Extended:
    """A graph with its gradients behind its results. ``places``: for each parameter that has one, its position."""

    function: Constant
    wrt: frozenset[int]
    places: Mapping[int, int]


def shared_gradients(
    node: Apply, adjoint: Mapping[int, Node], active: set[int], pullback: Pullback
) -> tuple[Apply, Sequence[Node | None]]:
    """The gradient of a shared Call; `adjoint` gives the cotangents of its results by position."""
    callee, *arguments = node.inputs
    assert isinstance(callee, Constant)
    given: list[Node | None] = [None] * len(node.inputs)
    wrt = frozenset(i for i, a in enumerate(arguments) if id(a) in active and carries(a))
    if not wrt:
        return node, given
    results = tuple(sorted(adjoint))
    made = _extended(callee.value, results, wrt, pullback)
    count = len(callee.value.outputs())
    b = GraphBuilder(node.location)
    seeds = [adjoint[i] for i in results]
    forward = _call(made, [*arguments, *map(zeros, seeds)], node)
    backward = _call(made, [*arguments, *seeds], node)
    for position in wrt & made.places.keys():
        given[1 + position] = b.get(backward, count + made.places[position])
    return forward, given


def _call(made: Extended, inputs: Sequence[Node], node: Apply) -> Apply:
    graph: Graph = made.function.value
    return Apply(CALL, [made.function, *inputs], SHARED, graph.result.type, node.location)


def _extended(graph: Graph, results: tuple[int, ...], wrt: frozenset[int], pullback: Pullback) -> Extended:
    """What has gradients for at least `wrt`; those of one call that the others do not need cost nothing."""
    found: dict[tuple[Graph, tuple[int, ...]], Extended] = pullback.extended
    known = found.get((graph, results))
    if known is not None and wrt <= known.wrt:
        return known
    wrt = wrt if known is None else wrt | known.wrt
    chosen = sorted(wrt)
    body = whole(graph, results, chosen, pullback)
    present = [(p, g) for p, g in zip(chosen, body.gradients, strict=True) if g is not None]
    output = GraphBuilder(graph.location).tuple([*body.outputs, *(g for _, g in present)])
    made = Graph(f"{graph.name}_gradient", [*body.parameters, *body.seeds], output, graph.location)
    made.origin = graph
    places = {p: k for k, (p, _) in enumerate(present)}
    found[graph, results] = Extended(function(made), wrt, places)
    return found[graph, results]
