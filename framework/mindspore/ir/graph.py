"""Nodes and graphs.

A graph is a function: parameters and one output node. Nodes point at their inputs, so the order of evaluation is any topological
order (effects are ordered by token inputs). A graph may refer to nodes of an enclosing graph (free variables) until closures are
converted; after inference every graph is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mindspore.base.errors import Location
from mindspore.ir.types import TokenType, TupleType, Type

NO_ATTRS: Mapping[str, Any] = MappingProxyType({})


class Node:
    """A value in a graph. ``type`` is None until inference has run. Compared by identity."""

    __slots__ = ("location", "type")

    inputs: tuple[Node, ...] = ()

    def __init__(self, type: Type | None = None, location: Location | None = None) -> None:
        self.type = type
        self.location = location


class Parameter(Node):
    """An argument of a graph."""

    __slots__ = ("name",)

    def __init__(self, name: str, type: Type | None = None, location: Location | None = None) -> None:
        super().__init__(type, location)
        self.name = name


class Constant(Node):
    """A value known while compiling: in typed graphs a numpy array (tensor) or a Graph (function); before, any Python object."""

    __slots__ = ("value",)

    def __init__(self, value: Any, type: Type | None = None, location: Location | None = None) -> None:
        super().__init__(type, location)
        self.value = value


class Apply(Node):
    """An operation applied to inputs. In typed graphs ``op`` is an Operator or one of the structured operations below."""

    __slots__ = ("attrs", "inputs", "op")

    def __init__(
        self,
        op: Any,
        inputs: Sequence[Node],
        attrs: Mapping[str, Any] = NO_ATTRS,
        type: Type | None = None,
        location: Location | None = None,
    ) -> None:
        super().__init__(type, location)
        self.op = op
        self.inputs: tuple[Node, ...] = tuple(inputs)
        self.attrs = attrs


class Structured:
    """An operation that is part of the graph language itself, not an operator of the library."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


MAKE_TUPLE = Structured("MakeTuple")
"""(*elements) -> TupleType."""
TUPLE_GET = Structured("TupleGet")
"""(tuple) with attr ``index``."""
CALL = Structured("Call")
"""(function, *arguments) -> the function's result."""
SHARED: Mapping[str, Any] = MappingProxyType({"shared": True})
"""Attributes of a `CALL` of a graph that stands for equal parts of a program, which are transformed and simplified once: it stays a call
until kernels are made. There every node of the graph is computed once for equal inputs, whatever the number of calls that need it."""
IF = Structured("If")
"""(condition, then, else, *arguments): a Bool[] and two graphs of the same type, both called with the arguments."""
WHILE = Structured("While")
"""(condition, body, *state) -> (*state, *stashes): graphs over the state; condition gives Bool[], body the next state and then what the
turn leaves in each stash. See `ir.loops`."""
SCAN = Structured("Scan")
"""(body, *state, *stashes) -> (*state, *stashes): one turn for each element of the stashes, which the body takes after the state.

Attr ``reads`` has the direction of each stash that is read, ``writes`` of each that is made: 1 from the first element to the last, -1
from the last to the first. All have one length. See `ir.loops`."""
EMPTY_STASH = Structured("EmptyStash")
"""() -> a stash without elements: what a branch that was not taken leaves."""
MAKE_BOX = Structured("MakeBox")
"""(*values) -> a box that holds them: what a call of a recursive graph leaves for its backward part."""
UNBOX = Structured("Unbox")
"""(box) -> TupleType: what a box that is not empty holds."""
EMPTY_BOX = Structured("EmptyBox")
"""() -> a box that holds nothing: of a call that was not made, or the cotangent zero of a box."""
IS_EMPTY = Structured("IsEmpty")
"""(box) -> Bool[]."""
CUSTOM = Structured("CustomGradient")
"""(forward, backward, *arguments) -> the results of forward(*arguments), a tuple; autodiff takes the cotangents of the arguments at the
positions of attr ``wrt`` from backward(*arguments, *results, *cotangents of the results). It is `Call` of forward otherwise."""
AFTER = Structured("After")
"""(value, other) -> value, as a value of its own that is not known before `other`: its readers are not shared with those of value."""
TOKEN = Structured("Token")
"""() -> the effect token with which a graph begins."""
EMIT = Structured("Emit")
"""(token, *tensors) -> Token, with attr ``effect``, an `ir.effects.Effect`: carries it out on the tensors, after the effects behind
the token. Each token is read once."""


class Graph:
    """A function: `parameters`, one `output` node (a MAKE_TUPLE for several results), and a name for people.

    `origin`: a graph over the first of the parameters whose results are the first of this one's; that of `SHARED` calls that it extends.
    """

    __slots__ = ("__weakref__", "location", "name", "origin", "output", "parameters")

    def __init__(
        self,
        name: str,
        parameters: Sequence[Parameter] = (),
        output: Node | None = None,
        location: Location | None = None,
    ) -> None:
        self.name = name
        self.parameters = list(parameters)
        self.output = output
        self.location = location
        self.origin: Graph | None = None

    @property
    def result(self) -> Node:
        """The output node; AssertionError while the graph is still being built."""
        assert self.output is not None, f"graph {self.name} has no output yet"
        return self.output

    def outputs(self) -> tuple[Node, ...]:
        """The results, one level of MAKE_TUPLE flattened."""
        node = self.result
        return node.inputs if isinstance(node, Apply) and node.op is MAKE_TUPLE else (node,)


Arranged = Callable[[tuple["Node", ...]], Sequence["Node"]]


def toposort(*roots: Node, arranged: Arranged = tuple) -> list[Node]:
    """Every node that `roots` need, inputs before users, in a stable order; iterative, so depth is not limited.

    `arranged` gives the order in which the inputs of a node are looked for.
    """
    order: list[Node] = []
    seen: set[int] = set()
    path: list[Node] = []
    stack: list[Node | None] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:
            order.append(path.pop())
        elif id(node) not in seen:
            seen.add(id(node))
            if node.inputs:
                path.append(node)
                stack.append(None)
                stack += arranged(node.inputs)[::-1]
            else:
                order.append(node)
    return order


def nodes(graph: Graph) -> list[Node]:
    """Nodes of `graph` in topological order, parameters first; subgraphs are values, not entered."""
    return toposort(*graph.parameters, graph.result)


def schedule(graph: Graph) -> list[Node]:
    """`nodes` in the order of evaluation: each effect comes before what it does not need, so that what follows a failing check in the
    program does not run before it."""
    kind = graph.result.type
    kinds = kind.elements if isinstance(kind, TupleType) else (kind,)
    if not any(isinstance(k, TokenType) for k in kinds):
        return nodes(graph)
    return toposort(*graph.parameters, graph.result, arranged=_tokens_first)


def _tokens_first(inputs: tuple[Node, ...]) -> Sequence[Node]:
    return sorted(inputs, key=lambda node: not isinstance(node.type, TokenType))


def is_shared(node: Node) -> bool:
    """Whether `node` is a call that stands for one of several equal parts; other calls are recursive, or gone once they are simplified."""
    return isinstance(node, Apply) and node.op is CALL and "shared" in node.attrs


def complete(graph: Graph) -> bool:
    """Whether `graph` and the graphs inside it have outputs: a recursive one has none while it is made."""
    return all(each.output is not None for each in subgraphs(graph))


def subgraphs(graph: Graph) -> Iterator[Graph]:
    """`graph` and every graph reachable through constants, each once, outer ones first."""
    seen, queue = {id(graph)}, [graph]
    for current in queue:
        yield current
        for node in nodes(current):
            if isinstance(node, Constant) and isinstance(node.value, Graph) and id(node.value) not in seen:
                seen.add(id(node.value))
                queue.append(node.value)


def bodies(graph: Graph) -> list[tuple[Graph, list[Node]]]:
    """`subgraphs` as they are now, each with its nodes."""
    found = [(graph, nodes(graph))]
    seen = {id(graph)}
    for _, order in found:
        for node in order:
            if isinstance(node, Constant) and isinstance(node.value, Graph) and id(node.value) not in seen:
                seen.add(id(node.value))
                found.append((node.value, nodes(node.value)))
    return found
