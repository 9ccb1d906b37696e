"""The J transform: reverse-mode differentiation of a typed graph by adding, for each node, the node that propagates its cotangent.

For ``y = f(x)`` with the cotangent ``ȳ`` the rule of ``f`` gives ``x̄ += ȳ · ∂f/∂x``; walking the nodes from outputs to inputs composes
these by the chain rule (Griewank and Walther, Evaluating Derivatives, 2008, chapter 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.autodiff.activity import active_nodes, carries, elements, is_float, whole
from mindspore.autodiff.boxes import boxed_gradients, unboxed_gradients
from mindspore.autodiff.branches import branch_gradients
from mindspore.autodiff.calls import Derivative, call_gradients
from mindspore.autodiff.cotangents import added, cotangent_type, without_gradient, zeros
from mindspore.autodiff.custom import after_gradients, custom_gradients
from mindspore.autodiff.growing import Table
from mindspore.autodiff.loops import loop_gradients
from mindspore.autodiff.residuals import replaced
from mindspore.autodiff.shared import Extended
from mindspore.base.errors import GraphTypeError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import (
    AFTER,
    CALL,
    CUSTOM,
    IF,
    MAKE_BOX,
    MAKE_TUPLE,
    SCAN,
    TUPLE_GET,
    UNBOX,
    WHILE,
    Apply,
    Constant,
    Graph,
    Node,
    Parameter,
    is_shared,
    toposort,
)
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.rewrite import copy, expansion, rewrite
from mindspore.ir.types import TensorType, TupleType


def value_and_grad_graph(
    graph: Graph,
    wrt: Sequence[int],
    sens: bool = False,
    differentiated: Sequence[int] | None = None,
) -> Graph:
    """A graph that gives the outputs of `graph` and the gradients of its parameters `wrt`.

    Args:
        graph: closed and typed.
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
    outputs: Sequence[Node] = elements(graph.result)
    moves = carries if any(whole(s.type) for s in sources) else is_float
    chosen = [i for i, o in enumerate(outputs) if moves(o)] if differentiated is None else list(differentiated)
    b = GraphBuilder(graph.location)
    seeds = [Parameter(f"sens_{i}", outputs[i].type, graph.location) for i in chosen] if sens else []
    cotangents: Sequence[Node] = seeds if sens else [b.ones_like(outputs[i]) for i in chosen]
    outputs, gradients = Reverse()(outputs, dict(zip(chosen, cotangents, strict=True)), sources)
    found = [zeros(p) if g is None else g for p, g in zip(sources, gradients, strict=True)]
    result = b.tuple([*outputs, *found])
    return Graph(f"grad_{graph.name}", [*parameters, *seeds], result, graph.location)


def _without_rule(node: Apply) -> Node | None:
    """A composite that declares no gradient of its own is differentiated through its expansion."""
    if not isinstance(node.op, Operator) or node.op.gradient is not None or node.op.expand is None:
        return None
    return expansion(node)


class Reverse:
    """One transformation: cotangents of inner graphs, too, are found by it."""

    def __init__(self) -> None:
        self.derivatives = Table(lambda graph: Derivative(graph, self))
        self.extended: dict[tuple[Graph, tuple[int, ...]], Extended] = {}

    def __call__(
        self, outputs: Sequence[Node], cotangents: Mapping[int, Node], wrt: Sequence[Node]
    ) -> tuple[list[Node], list[Node | None]]:
        """Cotangents of `wrt` given those of `outputs` by position, as nodes that read the forward nodes; None where there is no path.

        Returns:
            The outputs, whose branches, loops and calls now keep what the gradients read of them, and the cotangents.
        """
        order = toposort(*outputs)
        walk = _Walk(active_nodes(order, wrt), self)
        for position, cotangent in cotangents.items():
            walk.accumulate(outputs[position], cotangent)
        for node in reversed(order):
            if isinstance(node, Apply) and id(node) in walk.active and id(node) in walk.adjoints:
                walk.propagate(node)
        found = [walk.adjoints.get(id(w)) for w in wrt]
        if not walk.replacements:
            return list(outputs), found
        given = [g for g in found if g is not None]
        made = iter(replaced([*outputs, *given], walk.replacements))
        return [next(made) for _ in outputs], [None if g is None else next(made) for g in found]


class _Walk:
    """From results to inputs: the cotangents so far, those of a tuple by position, and what takes the place of branches and loops."""

    def __init__(self, active: set[int], reverse: Reverse) -> None:
        self.active = active
        self.reverse = reverse
        self.adjoints: dict[int, Any] = {}
        self.replacements: dict[int, Apply] = {}

    def accumulate(self, node: Node, cotangent: Node | None) -> None:
        """``adjoints[node] += cotangent``; a cotangent of another type than its value is a broken rule and fails here."""
        if cotangent is None or isinstance(node, Constant):
            return
        if whole(node.type) and cotangent.type != node.type and isinstance(node.type, TensorType):
            cotangent = GraphBuilder(node.location).cast(
                cotangent, dtype=node.type.dtype
            )  # of an operator that computes in float
        if cotangent.type != cotangent_type(node.type):
            raise GraphTypeError(f"a gradient rule gave {cotangent.type} for a value of type {node.type}.")
        present = self.adjoints.get(id(node))
        self.adjoints[id(node)] = cotangent if present is None else added(present, cotangent, node.location)

    def propagate(self, node: Apply) -> None:
        """Hands the cotangent of `node` to its inputs."""
        adjoint = self.adjoints[id(node)]
        if node.op is TUPLE_GET:
            source = node.inputs[0]
            if isinstance(source, Apply) and source.op is CALL and not is_shared(source) and not is_float(node):
                return  # what a recursive function calls itself with carries floating gradients alone
            parts = self.adjoints.setdefault(id(source), {})
            index = node.attrs["index"]
            parts[index] = added(parts[index], adjoint, node.location) if index in parts else adjoint
            return
        for source, cotangent in zip(node.inputs, self.input_cotangents(node, adjoint), strict=True):
            if id(source) in self.active:
                self.accumulate(source, cotangent)

    def input_cotangents(self, node: Apply, adjoint: Any) -> Sequence[Node | None]:
        if node.op is MAKE_TUPLE:
            return [adjoint.get(i) for i in range(len(node.inputs))]
        structured = _STRUCTURED.get(node.op)
        if structured is not None:
            by_position = adjoint if isinstance(adjoint, dict) else {0: adjoint}
            replacement, given = structured(node, by_position, self.active, self.reverse)
            if replacement is not node:
                self.replacements[id(node)] = replacement
            return given
        if isinstance(node.op, Operator):
            return _rule_cotangents(GraphBuilder(node.location), node, adjoint)
        raise without_gradient(node)


def _rule_cotangents(b: GraphBuilder, node: Apply, adjoint: Any) -> Sequence[Node | None]:
    rule = node.op.gradient
    if isinstance(rule, NotDifferentiable):
        raise without_gradient(node, rule.why)
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


_STRUCTURED: Mapping[object, Callable[..., tuple[Apply, Sequence[Node | None]]]] = {
    CALL: call_gradients,
    MAKE_BOX: boxed_gradients,
    UNBOX: unboxed_gradients,
    IF: branch_gradients,
    WHILE: loop_gradients,
    SCAN: loop_gradients,
    CUSTOM: custom_gradients,
    AFTER: after_gradients,
}
