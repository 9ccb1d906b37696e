"""The J transform: reverse-mode differentiation of a typed graph by adding, for each node, the node that propagates its cotangent.

For ``y = f(x)`` with the cotangent ``ȳ`` the rule of ``f`` gives ``x̄ += ȳ · ∂f/∂x``; walking the nodes from outputs to inputs composes
these by the chain rule (Griewank and Walther, Evaluating Derivatives, 2008, chapter 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mindspore.autodiff.activity import active_nodes, elements, is_float
from mindspore.autodiff.branches import Prepared, branch_gradients, prepare
from mindspore.base.errors import GraphTypeError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import IF, MAKE_TUPLE, TUPLE_GET, WHILE, Apply, Constant, Graph, Node, Parameter, toposort
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.rewrite import copy, expansion, rewrite
from mindspore.ir.types import TupleType


def value_and_grad_graph(
    graph: Graph,
    wrt: Sequence[int],
    sens: bool = False,
    differentiated: Sequence[int] | None = None,
) -> Graph:
    """A graph that gives the outputs of `graph` and the gradients of its parameters `wrt`.

    Args:
        graph: closed, typed, without calls.
        wrt: positions of the parameters to differentiate for; a non-floating one has the gradient zero.
        sens: whether the caller hands in cotangents: then one more parameter per differentiated output follows `graph`'s own;
            otherwise every differentiated output has the cotangent one (so that several outputs are summed).
        differentiated: positions of the outputs that carry cotangents; all floating outputs when None. Auxiliary values and written
            Parameters are left out here.

    Returns:
        A graph with outputs ``(*outputs, *gradients)``, always a tuple.

    Raises:
        GraphTypeError: a node on the way has no gradient, or its rule broke its contract.
    """
    graph = copy(graph)
    rewrite(graph, _without_rule)
    parameters = graph.parameters
    sources: list[Node] = [parameters[i] for i in wrt]
    outputs, prepared = prepare(elements(graph.result), sources, pullback)
    chosen = [i for i, o in enumerate(outputs) if is_float(o)] if differentiated is None else list(differentiated)
    b = GraphBuilder(graph.location)
    seeds = [Parameter(f"sens_{i}", outputs[i].type, graph.location) for i in chosen] if sens else []
    cotangents: Sequence[Node] = seeds if sens else [b.ones_like(outputs[i]) for i in chosen]
    gradients = pullback([outputs[i] for i in chosen], cotangents, sources, prepared)
    result = b.tuple([*outputs, *gradients])
    return Graph(f"grad_{graph.name}", [*parameters, *seeds], result, graph.location)


def _without_rule(node: Apply) -> Node | None:
    """A composite that declares no gradient of its own is differentiated through its expansion."""
    if not isinstance(node.op, Operator) or node.op.gradient is not None or node.op.expand is None:
        return None
    return expansion(node)


def pullback(
    outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node], prepared: Mapping[int, Prepared]
) -> list[Node]:
    """Cotangents of `wrt` given those of `outputs`, as nodes that read the forward nodes; zeros where there is no path."""
    order = toposort(*outputs)
    active = active_nodes(order, wrt)
    adjoints: dict[int, Any] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        _accumulate(adjoints, output, cotangent)
    for node in reversed(order):
        if isinstance(node, Apply) and id(node) in active and id(node) in adjoints:
            _propagate(node, adjoints, active, prepared)
    return [adjoints[id(w)] if id(w) in adjoints else GraphBuilder(w.location).zeros_like(w) for w in wrt]


def _accumulate(adjoints: dict[int, Any], node: Node, cotangent: Node | None) -> None:
    """``adjoints[node] += cotangent``; a cotangent of another type than its value is a broken rule and fails here."""
    if cotangent is None or isinstance(node, Constant):
        return
    if cotangent.type != node.type:
        raise GraphTypeError(f"a gradient rule gave {cotangent.type} for a value of type {node.type}.")
    present = adjoints.get(id(node))
    adjoints[id(node)] = cotangent if present is None else GraphBuilder(node.location).add(present, cotangent)


def _propagate(node: Apply, adjoints: dict[int, Any], active: set[int], prepared: Mapping[int, Prepared]) -> None:
    """Hands the cotangent of `node` to its inputs; cotangents of a tuple are kept by position."""
    if node.op is TUPLE_GET:
        parts = adjoints.setdefault(id(node.inputs[0]), {})
        index, cotangent = node.attrs["index"], adjoints[id(node)]
        parts[index] = GraphBuilder(node.location).add(parts[index], cotangent) if index in parts else cotangent
        return
    for source, cotangent in zip(node.inputs, _input_cotangents(node, adjoints[id(node)], prepared), strict=True):
        if id(source) in active:
            _accumulate(adjoints, source, cotangent)


def _input_cotangents(node: Apply, adjoint: Any, prepared: Mapping[int, Prepared]) -> Sequence[Node | None]:
    if node.op is MAKE_TUPLE:
        return [adjoint.get(i) for i in range(len(node.inputs))]
    if node.op is IF:
        return branch_gradients(node, adjoint, prepared[id(node)])
    if isinstance(node.op, Operator):
        return _rule_cotangents(GraphBuilder(node.location), node, adjoint)
    where = f"{node.location}: " if node.location else ""
    if node.op is WHILE:
        raise GraphTypeError(
            f"{where}a loop whose length is known only at run time has no gradient; loop over a range() of known length instead."
        )
    raise GraphTypeError(f"{where}{node.op} has no gradient.")


def _rule_cotangents(b: GraphBuilder, node: Apply, adjoint: Any) -> Sequence[Node | None]:
    rule = node.op.gradient
    if isinstance(rule, NotDifferentiable):
        where = f"{node.location}: " if node.location else ""
        raise GraphTypeError(f"{where}{node.op.name} has no gradient: {rule.why}.")
    out: Any = node
    if isinstance(node.type, TupleType):
        out = tuple(b.get(node, i) for i in range(len(node.type.elements)))
        adjoint = tuple(adjoint.get(i) for i in range(len(out)))
    given = rule(b, *node.inputs, out, adjoint, **node.attrs)
    if len(given) != len(node.inputs):
        raise GraphTypeError(
            f"the gradient rule of {node.op.name} gave {len(given)} values for {len(node.inputs)} inputs."
        )
    return list(given)
