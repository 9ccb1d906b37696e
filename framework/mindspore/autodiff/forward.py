"""Forward mode: a graph that carries a tangent beside each value, ``ẏ = ∂f/∂x · ẋ``.

An operator needs no rule of its own for this: its gradient rule gives ``x̄ = Jᵀ ȳ``, which is linear in ``ȳ``, and the pullback of
that map is ``J`` (transposed twice). Branches and loops compute values and tangents side by side, so a loop leaves no residuals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.autodiff.activity import elements, floating, is_float
from mindspore.autodiff.boxes import taken_from
from mindspore.autodiff.cotangents import boxed, call, cotangent_layout, cotangent_type, moving, without_gradient, zeros
from mindspore.autodiff.growing import Table
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import (
    AFTER,
    CALL,
    CUSTOM,
    EMIT,
    IF,
    IS_EMPTY,
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
    nodes,
)
from mindspore.ir.loops import Loop, function, loop_of
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.rewrite import inline, with_inputs
from mindspore.ir.types import BoxType, TupleType

Tangents = Sequence[Node | None]
Transposed = tuple[list[Parameter], Sequence[Node | None]]
"""Parameters (inputs, results, cotangents of the floating results) and the cotangents of the inputs over them."""


def jvp_graph(graph: Graph, wrt: Sequence[int], differentiated: Sequence[int] | None = None) -> Graph:
    """A graph that gives the outputs of `graph` and their derivatives in a direction.

    Args:
        graph: closed and typed.
        wrt: positions of the parameters that move; for each one more parameter follows `graph`'s own: its tangent, of its type.
        differentiated: positions of the outputs whose tangents are given; all floating outputs when None.

    Returns:
        A graph with outputs ``(*outputs, *tangents)``, always a tuple.

    Raises:
        GraphTypeError: a node on the way has no gradient.
    """
    parameters, tangents, outputs, found = _dual(graph, wrt, Duals())
    chosen = [i for i, o in enumerate(outputs) if is_float(o)] if differentiated is None else differentiated
    given = [zeros(outputs[i]) if (t := found[i]) is None else t for i in chosen]
    result = GraphBuilder(graph.location).tuple([*outputs, *given])
    return Graph(f"jvp_{graph.name}", [*parameters, *tangents], result, graph.location)


def _dual(
    graph: Graph, moving: Sequence[int], duals: Duals
) -> tuple[list[Parameter], list[Parameter], tuple[Node, ...], list[Node | None]]:
    """Parameters and results of `graph`, and tangents of the parameters `moving` and of the results (None where nothing moves)."""
    parameters = [Parameter(p.name, p.type, p.location) for p in graph.parameters]
    tangents = [Parameter(f"t_{parameters[i].name}", cotangent_type(parameters[i].type)) for i in moving]
    walk = _Walk(dict(zip(map(id, graph.parameters), parameters, strict=True)), duals)
    walk.tangents = {id(graph.parameters[i]): t for i, t in zip(moving, tangents, strict=True) if is_float(t)}
    for node in nodes(graph):
        walk.visit(node)
    outputs = elements(walk.mapped[id(graph.result)])
    found: Any = walk.tangents.get(id(graph.result))
    if not isinstance(graph.result.type, TupleType):
        return parameters, tangents, outputs, [found]
    return parameters, tangents, outputs, [(found or {}).get(i) for i in range(len(outputs))]


class _Walk:
    """From inputs to results: the node that stands for each node of the graph, and its tangent, that of a tuple by position."""

    def __init__(self, mapped: dict[int, Any], duals: Duals) -> None:
        self.mapped: dict[int, Node] = mapped
        self.duals = duals
        self.tangents: dict[int, Any] = {}

    def visit(self, node: Node) -> None:
        if not isinstance(node, Apply):
            self.mapped.setdefault(id(node), node)
            return
        given = [self.tangents.get(id(i)) for i in node.inputs]
        made = with_inputs(node, [self.mapped[id(i)] for i in node.inputs])
        tangent: Any = None
        if any(t is not None for t in given):
            rule = _STRUCTURED.get(node.op)
            if rule is not None:
                made, tangent = rule(made, given, self.duals)
            elif isinstance(node.op, Operator):
                tangent = _of_operator(made, given)
            else:
                raise without_gradient(node)
        self.mapped[id(node)] = made
        if tangent is not None:
            self.tangents[id(node)] = tangent


def _of_operator(node: Apply, tangents: Tangents) -> Any:
    """The tangent of an operator's result; by position for several."""
    gradient = node.op.gradient
    if isinstance(gradient, NotDifferentiable):
        if gradient.error:
            raise without_gradient(node, gradient.why)
        return None
    return _through(node, node.inputs, tangents, lambda: _rule(node))


def _through(node: Apply, inputs: Sequence[Node], tangents: Tangents, rule: Callable[[], Transposed]) -> Any:
    """The tangent of the results of `node`: the transpose of `rule`, which gives cotangents of `inputs` for those of the results."""
    results = elements(node)
    floating = [i for i, r in enumerate(results) if is_float(r)]
    if not floating:
        return None
    parameters, gradients = rule()
    moving = {i: g for i, (g, t) in enumerate(zip(gradients, tangents, strict=True)) if t is not None and g is not None}
    if not moving:
        return None
    graph = Graph("transposed", parameters, GraphBuilder(node.location).tuple(list(moving.values())), node.location)
    first = len(inputs) + len(results)
    twice = value_and_grad_graph(graph, range(first, len(parameters)), sens=True, differentiated=range(len(moving)))
    unread = [zeros(results[i]) for i in floating]
    values = inline(twice, [*inputs, *results, *unread, *(t for i in moving if (t := tangents[i]) is not None)])
    found = elements(values)[-len(floating) :]
    return dict(zip(floating, found, strict=True)) if isinstance(node.type, TupleType) else found[0]


def _rule(node: Apply) -> Transposed:
    """The gradient rule of an operator by itself, so that transforming it again does not walk the whole program."""
    b = GraphBuilder(node.location)
    own = [Parameter(f"x{k}", i.type) for k, i in enumerate(node.inputs)]
    inputs = [i if isinstance(i, Constant) else p for i, p in zip(node.inputs, own, strict=True)]
    several = isinstance(node.type, TupleType)
    kinds = node.type.elements if isinstance(node.type, TupleType) else (node.type,)
    results = [Parameter(f"y{k}", t) for k, t in enumerate(kinds)]
    seeds = [Parameter(f"d{k}", r.type) if is_float(r) else None for k, r in enumerate(results)]
    given = [s for s in seeds if s is not None]
    if node.op.gradient is None:
        gradients = _of_expansion(b, node, inputs, given)
    else:
        out, d = (tuple(results), tuple(seeds)) if several else (results[0], seeds[0])
        gradients = node.op.gradient(b, *inputs, out, d, **node.attrs)
    return [*own, *results, *given], gradients


def _of_expansion(b: GraphBuilder, node: Apply, inputs: Sequence[Node], seeds: Sequence[Node]) -> Sequence[Node]:
    """The gradients of a composite without a rule of its own."""
    parameters = [Parameter(f"e{k}", i.type) for k, i in enumerate(inputs)]
    result = node.op.expand(b, *parameters, **node.attrs)
    inner = Graph(node.op.name, parameters, b.tuple(result) if isinstance(result, tuple) else result)
    whole = elements(inline(value_and_grad_graph(inner, range(len(inputs)), sens=True), [*inputs, *seeds]))
    return whole[-len(inputs) :]


def _tuple(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    return node, {i: t for i, t in enumerate(tangents) if t is not None}


def _item(node: Apply, tangents: Sequence[Any], duals: Duals) -> tuple[Apply, Any]:
    return node, tangents[0].get(node.attrs["index"])


def _constant(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    return node, None


def _after(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    return node, tangents[0]


def _box(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    """The tangent of a box is a box of tangents; that of an empty box, and one that is zero, is empty."""
    kind = node.type
    assert isinstance(kind, BoxType)
    parts = [zeros(node.inputs[i]) if (t := tangents[i]) is None else t for i in moving(kind.layout)]
    return node, boxed(BoxType(cotangent_layout(kind.layout)), parts, node.location)


def _unbox(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    assert tangents[0] is not None
    found = taken_from(tangents[0], elements(node), node.inputs[0].type)
    return node, {i: t for i, t in enumerate(found) if t is not None}


class _Dual:
    """A recursive graph over values and tangents: its results, then the tangents of all that are floating."""

    def __init__(self, graph: Graph, duals: Duals) -> None:
        self.graph, self.duals, self.moving, self.made = graph, duals, set[int](), graph
        self.wanted = (self.moving,)

    def attempt(self) -> bool:
        self.made = Graph(f"{self.graph.name}_dual", location=self.graph.location)
        parameters, tangents, outputs, found = _dual(self.graph, sorted(self.moving), self.duals)
        given = [zeros(o) if t is None else t for o, t in zip(outputs, found, strict=True) if is_float(o)]
        self.made.parameters = [*parameters, *tangents]
        self.made.output = GraphBuilder(self.graph.location).tuple([*outputs, *given])
        return True


class Duals(Table[_Dual]):
    """What one transformation has made of the recursive graphs it met."""

    def __init__(self) -> None:
        super().__init__(lambda graph: _Dual(graph, self))


def _call(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    """``y, ẏ = Call(dual f, x, ẋ)``."""
    function, *arguments = node.inputs
    dual = duals.of(_graph(function), {i for i, t in enumerate(tangents[1:]) if t is not None})
    kinds = node.type.elements if isinstance(node.type, TupleType) else (node.type,)
    floats = [i for i, kind in enumerate(kinds) if floating(kind)]
    results = [k for k in (*kinds, *(cotangent_type(kinds[i]) for i in floats)) if k is not None]
    given = [zeros(arguments[i]) if (t := tangents[1 + i]) is None else t for i in sorted(dual.moving)]
    made = call(dual.made, [*arguments, *given], node.location, TupleType(tuple(results)))
    return _split(GraphBuilder(node.location), node, made, floats)


def _custom(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    """A function with a gradient of its own: its backward part is linear in the cotangents."""
    backward = _graph(node.inputs[1])

    def rule() -> Transposed:
        count, results = len(node.inputs) - 2, len(elements(node))
        own = [Parameter(p.name, p.type) for p in backward.parameters]
        outs, seeds = own[count : count + results], own[count + results :]
        given: list[Node] = [s if is_float(s) else zeros(o) for s, o in zip(seeds, outs, strict=True)]
        gradients: list[Node | None] = [None] * count
        made = elements(inline(backward, [*own[:count], *outs, *given]))
        for position, gradient in zip(node.attrs["wrt"], made, strict=True):
            gradients[position] = gradient
        return [*own[:count], *outs, *(s for s in seeds if is_float(s))], gradients

    return node, _through(node, node.inputs[2:], tangents[2:], rule)


def _branch(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    """``(y, ẏ) = If(c, dual t, dual e, x, ẋ)``."""
    moving = [i for i, t in enumerate(tangents[3:]) if t is not None]
    arms = [_dual(_graph(f), moving, duals) for f in node.inputs[1:3]]
    found = [k for k in range(len(arms[0][2])) if any(arm[3][k] is not None for arm in arms)]
    b = GraphBuilder(node.location)
    graphs = [
        Graph(
            f"{_graph(f).name}_dual", [*own, *moved],
            b.tuple([*outputs, *(zeros(outputs[k]) if (t := given[k]) is None else t for k in found)]), node.location,
        )
        for f, (own, moved, outputs, given) in zip(node.inputs[1:3], arms, strict=True)
    ]  # fmt: skip
    inputs = [node.inputs[0], *map(function, graphs), *node.inputs[3:], *(t for t in tangents if t is not None)]
    made = Apply(IF, inputs, type=graphs[0].result.type, location=node.location)
    return _split(b, node, made, found)


def _loop(node: Apply, tangents: Tangents, duals: Duals) -> tuple[Apply, Any]:
    """A loop over state and tangents of state. What a turn leaves in a stash has its tangent in a stash beside it."""
    loop = loop_of(node)
    count, stashed = len(loop.state), len(loop.stashes)
    given = tangents[len(node.inputs) - count - stashed :]
    state = {i for i in range(count) if given[i] is not None}
    reads = [j for j in range(stashed) if given[count + j] is not None]
    known = -1
    while known < len(state):
        known = len(state)
        order = [*sorted(state), *(count + j for j in reads)]
        parameters, moved, outputs, found = _dual(loop.body, order, duals)
        state |= {i for i in range(count) if found[i] is not None}
    moving = order[:known]
    writes = [k for k in range(len(loop.writes)) if found[count + k] is not None]
    of_state = [zeros(outputs[i]) if (t := found[i]) is None else t for i in moving]
    of_made = [t for k in writes if (t := found[count + k]) is not None]
    b = GraphBuilder(node.location)
    results = b.tuple([*outputs[:count], *of_state, *outputs[count:], *of_made])
    own = [*parameters[:count], *moved[:known], *parameters[count:], *moved[known:]]
    start = [zeros(loop.state[i]) if (t := given[i]) is None else t for i in moving]
    dual = Loop(
        loop.condition and _with_parameters(loop.condition, moved[:known]),
        Graph(f"{loop.body.name}_dual", own, results, node.location),
        [*loop.state, *start],
        [*loop.stashes, *(t for j in reads if (t := given[count + j]) is not None)],
        (*loop.reads, *(loop.reads[j] for j in reads)),
        (*loop.writes, *(loop.writes[k] for k in writes)),
    )
    made = dual.node(node.location)
    places = [*range(count), *range(count + known, count + known + len(loop.writes))]
    values = b.tuple([b.get(made, p) for p in places])
    first = count + known + len(loop.writes)
    rates = {i: b.get(made, count + n) for n, i in enumerate(moving)}
    rates |= {count + k: b.get(made, first + n) for n, k in enumerate(writes)}
    assert isinstance(values, Apply)
    return values, rates


def _with_parameters(condition: Graph, more: Sequence[Parameter]) -> Graph:
    fresh = [Parameter(p.name, p.type, p.location) for p in more]
    return Graph(condition.name, [*condition.parameters, *fresh], condition.result, condition.location)


def _split(b: GraphBuilder, node: Apply, made: Apply, found: Sequence[int]) -> tuple[Apply, Any]:
    """The results of `node` among those of `made`, and the tangents behind them."""
    count = len(node.type.elements) if isinstance(node.type, TupleType) else 1
    values = [b.get(made, i) for i in range(count)]
    rates = {k: b.get(made, count + n) for n, k in enumerate(found)}
    if not isinstance(node.type, TupleType):
        return values[0], rates.get(0)  # type: ignore[return-value]
    return b.tuple(values), rates  # type: ignore[return-value]


def _graph(node: Node) -> Graph:
    assert isinstance(node, Constant)
    assert isinstance(node.value, Graph)
    return node.value


_STRUCTURED: Mapping[object, Callable[[Apply, Sequence[Any], Duals], tuple[Apply, Any]]] = {
    MAKE_TUPLE: _tuple,
    TUPLE_GET: _item,
    AFTER: _after,
    EMIT: _constant,
    IS_EMPTY: _constant,
    MAKE_BOX: _box,
    UNBOX: _unbox,
    CALL: _call,
    CUSTOM: _custom,
    IF: _branch,
    WHILE: _loop,
    SCAN: _loop,
}
