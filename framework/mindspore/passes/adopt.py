"""``Call(f, x) = Call(g, x, 0)`` where ``g`` gives what ``f`` does, and its gradients, and the program calls both: so calls can meet."""

from __future__ import annotations

from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import CALL, SHARED, Apply, Constant, Graph, Node, bodies, is_shared
from mindspore.ir.rewrite import rewrite
from mindspore.ir.types import TensorType


def adopt_extensions(graph: Graph) -> bool:
    """Calls of shared graphs that others extend become calls of these."""
    functions: dict[Graph, Constant] = {}
    for _, order in bodies(graph):
        for node in order:
            if isinstance(node, Apply) and is_shared(node):
                callee = node.inputs[0]
                assert isinstance(callee, Constant)
                functions.setdefault(callee.value, callee)
    by_origin = {g.origin: constant for g, constant in functions.items() if g.origin in functions}

    def rule(node: Apply) -> Node | None:
        callee = node.inputs[0] if is_shared(node) else None
        found = by_origin.get(callee.value) if isinstance(callee, Constant) else None
        return None if found is None else _through(found, node)

    return bool(by_origin) and rewrite(graph, rule)


def _through(function: Constant, node: Apply) -> Node:
    b, graph = GraphBuilder(node.location), function.value
    given = node.inputs[1:]
    kinds = [p.type for p in graph.parameters[len(given) :]]
    seeds = [b.full(shape=k.shape, value=0, dtype=k.dtype) for k in kinds if isinstance(k, TensorType)]
    made = Apply(CALL, [function, *given, *seeds], SHARED, graph.result.type, node.location)
    return b.tuple([b.get(made, i) for i in range(len(graph.origin.outputs()))])
