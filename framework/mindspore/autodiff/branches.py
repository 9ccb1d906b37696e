"""The gradient of `If`: the forward branch also returns what its backward part reads, so that nothing is computed twice.

``If(c, t, e, x)`` becomes ``(y, r_t, r_e) = If(c, t', e', x)`` and
``x̄ = If(c, t̄, ē, r_t, r_e, ȳ)``: each branch fills the other's residuals with zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mindspore.autodiff.activity import active_nodes, elements, is_active, is_float
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import IF, TUPLE_GET, Apply, Constant, Graph, Node, Parameter, toposort
from mindspore.ir.rewrite import inline, substitute, with_inputs
from mindspore.ir.types import TupleType
from mindspore.ir.verifier import signature

Pullback = Callable[[Sequence[Node], Sequence[Node], Sequence[Node], Mapping[int, "Prepared"]], list[Node]]


@dataclass(frozen=True, slots=True)
class _Branch:
    """A differentiated branch: its parameters, results, residual nodes, and gradient nodes over residuals and cotangents."""

    parameters: list[Parameter]
    outputs: Sequence[Node]
    residuals: list[Node]
    gradients: list[Node]
    seeds: list[Parameter]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An If that returns residuals, with what its backward part needs: differentiated argument and result positions."""

    branches: tuple[_Branch, _Branch]
    wrt: list[int]
    results: list[int]


def prepare(outputs: Sequence[Node], wrt: Sequence[Node], pullback: Pullback) -> tuple[list[Node], dict[int, Prepared]]:
    """`outputs` with every If on a differentiable path replaced by one that returns its residuals as well."""
    mapped: dict[int, Node] = {}
    prepared: dict[int, Prepared] = {}
    active = active_nodes((), wrt)
    for node in toposort(*outputs):
        if not isinstance(node, Apply):
            mapped[id(node)] = node
            continue
        current = with_inputs(node, [mapped[id(i)] for i in node.inputs])
        mapped[id(node)] = current
        if is_active(current, active) or (node.op is IF and any(id(i) in active for i in current.inputs)):
            if node.op is IF:
                mapped[id(node)] = _with_residuals(current, active, pullback, prepared, active)
            active.add(id(mapped[id(node)]))
    return [mapped[id(o)] for o in outputs], prepared


def _with_residuals(
    node: Apply, active: set[int], pullback: Pullback, prepared: dict[int, Prepared], reached: set[int]
) -> Node:
    wrt = [i for i, a in enumerate(node.inputs[3:]) if id(a) in active and is_float(a)]
    then, other = (_differentiate(_graph(f), wrt, pullback) for f in node.inputs[1:3])
    b = GraphBuilder(node.location)
    forward = _forward(b, node, (then, other))
    prepared[id(forward)] = Prepared((then, other), wrt, [i for i, o in enumerate(then.outputs) if is_float(o)])
    reached.add(id(forward))
    if not isinstance(node.type, TupleType):
        return b.get(forward, 0)
    parts = [b.get(forward, i) for i in range(len(then.outputs))]
    reached.update(id(p) for p in parts if is_float(p))
    return b.tuple(parts)


def branch_gradients(node: Apply, adjoint: Mapping[int, Node], prepared: Prepared) -> list[Node | None]:
    """Cotangents of the inputs of `node`, an If made by `prepare`; `adjoint` gives those of its results by position."""
    b = GraphBuilder(node.location)
    then, _ = prepared.branches
    count = sum(len(x.residuals) for x in prepared.branches)
    residuals = [b.get(node, len(then.outputs) + i) for i in range(count)]
    cotangents = [adjoint[i] if i in adjoint else b.zeros_like(then.outputs[i]) for i in prepared.results]
    backward = _backward(b, node, prepared.branches, residuals, cotangents)
    given: list[Node | None] = [None] * len(node.inputs)
    for order, position in enumerate(prepared.wrt):
        given[3 + position] = b.get(backward, order)
    return given


def _graph(node: Node) -> Graph:
    assert isinstance(node, Constant)
    assert isinstance(node.value, Graph)
    return node.value


def _differentiate(graph: Graph, wrt: Sequence[int], pullback: Pullback) -> _Branch:
    parameters = [Parameter(p.name, p.type, p.location) for p in graph.parameters]
    sources: list[Node] = [parameters[i] for i in wrt]
    outputs, prepared = prepare(elements(inline(graph, parameters)), sources, pullback)
    chosen = [o for o in outputs if is_float(o)]
    seeds = [Parameter(f"d{i}", o.type) for i, o in enumerate(chosen)]
    gradients = pullback(chosen, seeds, sources, prepared)
    return _Branch(parameters, outputs, _residuals(parameters, outputs, gradients), gradients, seeds)


def _residuals(parameters: Sequence[Node], outputs: Sequence[Node], gradients: Sequence[Node]) -> list[Node]:
    """Forward nodes that backward nodes read directly, and gradients that are forward nodes themselves.

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


def _forward(b: GraphBuilder, node: Apply, branches: tuple[_Branch, _Branch]) -> Apply:
    """The If that returns outputs and the residuals of both branches."""
    functions = []
    for own in branches:
        parts: list[Node] = list(own.outputs)
        for other in branches:
            parts += own.residuals if other is own else [b.zeros_like(r) for r in other.residuals]
        functions.append(Graph(f"{_graph(node.inputs[1]).name}_forward", own.parameters, b.tuple(parts)))
    return _if(node, functions, node.inputs[3:])


def _backward(
    b: GraphBuilder,
    node: Apply,
    branches: tuple[_Branch, _Branch],
    residuals: Sequence[Node],
    cotangents: Sequence[Node],
) -> Node:
    """The If that turns residuals and cotangents into gradients."""
    functions = []
    for position, own in enumerate(branches):
        inputs = [[Parameter(f"r{i}", r.type) for i, r in enumerate(x.residuals)] for x in branches]
        replacements: dict[int, Node] = {id(r): p for r, p in zip(own.residuals, inputs[position], strict=True)}
        mapped = substitute(own.gradients, replacements)
        body = b.tuple([mapped[id(g)] for g in own.gradients])
        parameters = [p for group in inputs for p in group] + list(own.seeds)
        functions.append(Graph(f"{_graph(node.inputs[1]).name}_backward", parameters, body))
    return _if(node, functions, [*residuals, *cotangents])


def _if(node: Apply, functions: Sequence[Graph], arguments: Sequence[Node]) -> Apply:
    values = [Constant(f, signature(f), node.location) for f in functions]
    return Apply(IF, [node.inputs[0], *values, *arguments], type=functions[0].result.type, location=node.location)
