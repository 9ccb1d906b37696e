"""The gradient of a call of a recursive graph: a forward graph that leaves a box, and a backward graph that reads it, both recursive.

``y = Call(f, x)`` becomes ``y, r = Call(f_forward, x)`` and ``x̄ = Call(f_backward, r, x, ȳ)``. The box ``r`` holds what the backward part
of this one call reads, among it the boxes of the calls inside; the arguments are handed to both, so that weights are not copied into
boxes. Which arguments get cotangents, which results have them and which arguments are read is a least fixed point over the calls inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mindspore.autodiff.activity import is_float
from mindspore.autodiff.cotangents import boxed, call, contents_of, cotangent_type, zeros
from mindspore.autodiff.residuals import Pullback, differentiated, residuals
from mindspore.autodiff.shared import shared_gradients
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Constant, Graph, Node, Parameter, is_shared
from mindspore.ir.rewrite import substitute
from mindspore.ir.types import BoxLayout, BoxType, TupleType, Type

Differentiated = tuple[Apply, Sequence[Node | None]]


class Derivative:
    """The two graphs of one recursive graph.

    Attributes:
        results: positions of the results that have cotangents.
        wrt: positions of the parameters that get cotangents.
        read: positions of the parameters that the backward graph reads.
    """

    def __init__(self, graph: Graph, pullback: Pullback) -> None:
        self.graph, self.pullback = graph, pullback
        self.results: set[int] = set()
        self.wrt: set[int] = set()
        self.read: set[int] = set()
        self.wanted = (self.results, self.wrt)
        self.begin()

    def begin(self) -> None:
        """New graphs, which do not know their results yet."""
        self.layout = BoxLayout(self.graph.name)
        self.forward = Graph(f"{self.graph.name}_forward", location=self.graph.location)
        self.backward = Graph(f"{self.graph.name}_backward", location=self.graph.location)

    def attempt(self) -> bool:
        """Makes the graphs; whether they read no more arguments than was assumed."""
        self.begin()
        wrt = sorted(self.wrt)
        body = differentiated(self.graph, sorted(self.results), wrt, self.pullback)
        found = [zeros(body.parameters[p]) if g is None else g for p, g in zip(wrt, body.gradients, strict=True)]
        kept = residuals(body.parameters, body.outputs, found)
        read = {i for i, p in enumerate(body.parameters) if any(k is p for k in kept)}
        if not read <= self.read:
            self.read |= read
            return False
        own = [k for k in kept if not any(k is p for p in body.parameters)]
        self.layout.describe(kind for k in own if (kind := k.type) is not None)
        b, box = GraphBuilder(self.graph.location), BoxType(self.layout)
        self.forward.parameters = body.parameters
        self.forward.output = b.tuple([*body.outputs, boxed(box, own, self.graph.location)])
        given = Parameter("box", box)
        mapped = substitute(found, {id(k): c for k, c in zip(own, contents_of(given), strict=True)})
        self.backward.parameters = [given, *(body.parameters[i] for i in sorted(self.read)), *body.seeds]
        self.backward.output = b.tuple([mapped[id(g)] for g in found])
        return True


def call_gradients(node: Apply, adjoint: Mapping[int, Node], active: set[int], pullback: Pullback) -> Differentiated:
    """The gradient of a Call; `adjoint` gives the cotangents of its results by position."""
    if is_shared(node):
        return shared_gradients(node, adjoint, active, pullback)
    function, *arguments = node.inputs
    assert isinstance(function, Constant)
    given: list[Node | None] = [None] * len(node.inputs)
    wrt = {i for i, a in enumerate(arguments) if id(a) in active and is_float(a)}
    if not wrt:
        return node, given
    derivative = pullback.derivatives.of(function.value, set(adjoint), wrt)
    b, kinds = GraphBuilder(node.location), node.type.elements if isinstance(node.type, TupleType) else (node.type,)
    results = TupleType(tuple(k for k in (*kinds, BoxType(derivative.layout)) if k is not None))
    forward = call(derivative.forward, arguments, node.location, results)
    values = [b.get(forward, i) for i in range(len(kinds))]
    seeds = [adjoint[i] if i in adjoint else zeros(values[i]) for i in sorted(derivative.results)]
    places = sorted(derivative.wrt)
    gradients: list[Type] = [kind for i in places if (kind := cotangent_type(arguments[i].type)) is not None]
    inputs = [b.get(forward, len(kinds)), *(arguments[i] for i in sorted(derivative.read)), *seeds]
    backward = call(derivative.backward, inputs, node.location, TupleType(tuple(gradients)))
    for k, place in enumerate(places):
        if place in wrt:
            given[1 + place] = b.get(backward, k)
    return forward, given
