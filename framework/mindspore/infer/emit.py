"""Writing typed graphs in nested scopes: the arms of a branch become closed graphs over what they read from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mindspore.base.errors import Location
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.effects import Effect
from mindspore.ir.graph import (
    EMIT,
    IF,
    MAKE_TUPLE,
    NO_ATTRS,
    TOKEN,
    WHILE,
    Apply,
    Constant,
    Graph,
    Node,
    Parameter,
    nodes,
)
from mindspore.ir.rewrite import has_effects, without_effects
from mindspore.ir.types import FunctionType, TokenType, Type


class Emitter(GraphBuilder):
    """A builder that knows which nodes were made in the newest scope. The outermost scope does not record.

    ``trace`` gives the place with its callers, for nodes that may fail when they run.
    """

    def __init__(self, location: Location | None = None, trace: Callable[[], Location | None] | None = None) -> None:
        super().__init__(location)
        self.trace = trace
        self.scopes: list[set[Node]] = []
        self.log: list[Node] = []
        """The nodes made so far, in order."""
        self.later: list[tuple[int, Node]] = []
        """Nodes made in the place of others, each with the length that the log had there."""

    @property
    def made(self) -> int:
        """How many nodes were made so far."""
        return len(self.log)

    def between(self, start: int, end: int) -> set[Node]:
        """The nodes made while the log grew from `start` to `end`, or later in the place of these."""
        return {*self.log[start:end], *(node for place, node in self.later if start <= place < end)}

    def apply(self, op: Any, inputs: Sequence[Node], attrs: Mapping[str, Any]) -> Node:
        node = self.own(super().apply(op, inputs, attrs))
        if self.trace is not None and op.may_fail:
            node.location = self.trace()
        return node

    def tuple(self, elements: Sequence[Node]) -> Node:
        return self.own(super().tuple(elements))

    def get(self, value: Node, index: int) -> Node:
        if isinstance(value, Apply) and value.op is MAKE_TUPLE:
            return value.inputs[index]
        return self.own(super().get(value, index))

    def own(self, node: Node) -> Node:
        """Records a new `node` in the newest scope."""
        self.log.append(node)
        if self.scopes:
            self.scopes[-1].add(node)
        return node

    def open(self) -> None:
        self.scopes.append(set())

    def close(self) -> set[Node]:
        """Ends the newest scope; the nodes made in it."""
        return self.scopes.pop()

    def adopt(self, nodes: set[Node]) -> None:
        """Nodes of a closed scope become the newest scope's own."""
        if self.scopes:
            self.scopes[-1] |= nodes

    def effect(self, token: Node, values: Sequence[Node], effect: Effect) -> Node:
        """`Emit`: the token after `effect`."""
        attrs = MappingProxyType({"effect": effect})
        return self.own(Apply(EMIT, (token, *values), attrs, TokenType(), self.location))

    def forget_effects(self, start: int) -> None:
        """The nodes made since the log had the length `start` are only read for their values: what they do is done elsewhere."""
        for node in self.log[start:]:
            if isinstance(node, Apply) and node.op is not EMIT:
                node.inputs = tuple(_without_effects(i) for i in node.inputs)

    def free(self, outputs: Iterable[Node], owned: set[Node]) -> list[Node]:
        """Nodes outside `owned` that `outputs` read, in the order they are met; constants are not free."""
        found: dict[Node, None] = {}
        seen: set[Node] = set()
        stack = list(outputs)[::-1]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if node in owned:
                stack.extend(reversed(node.inputs))
            elif not isinstance(node, Constant):
                found[node] = None
        return list(found)

    def closed(
        self, name: str, outputs: Sequence[Node], owned: set[Node], arguments: Sequence[Node], single: bool = False
    ) -> Graph:
        """The graph of `outputs` (a tuple, unless `single`) whose parameters stand for `arguments`.

        Nodes of a closed scope belong to this one graph, so their inputs are replaced in place.
        """
        replaced: dict[Node, Node] = {}
        parameters: list[Parameter] = []
        taken: set[str] = set()
        for position, argument in enumerate(arguments):
            label = argument.name if isinstance(argument, Parameter) else f"a{position}"
            label = f"{label}_{position}" if label in taken else label
            taken.add(label)
            parameter = Parameter(label, argument.type, argument.location)
            parameters.append(parameter)
            replaced[argument] = parameter
        for node in self._reached(outputs, owned):
            if isinstance(node, Apply) and any(i in replaced for i in node.inputs):
                node.inputs = tuple(replaced.get(i, i) for i in node.inputs)
        results = [replaced.get(o, o) for o in outputs]
        output = results[0] if single else GraphBuilder(self.location).tuple(results)
        return Graph(name, parameters, output, self.location)

    @staticmethod
    def _reached(outputs: Sequence[Node], owned: set[Node]) -> list[Node]:
        seen: dict[Node, None] = {}
        stack = list(outputs)
        while stack:
            node = stack.pop()
            if node in owned and node not in seen:
                seen[node] = None
                stack.extend(node.inputs)
        return list(seen)

    def function(self, graph: Graph) -> Constant:
        kinds = tuple(_known(p) for p in graph.parameters)
        return Constant(graph, FunctionType(kinds, _known(graph.result)), self.location)

    def branch(self, condition: Node, then: Graph, other: Graph, arguments: Sequence[Node]) -> Node:
        """`If`: always a tuple of the graphs' outputs."""
        inputs = (condition, self.function(then), self.function(other), *arguments)
        return self.own(Apply(IF, inputs, NO_ATTRS, then.result.type, self.location))

    def loop(self, condition: Graph, body: Graph, state: Sequence[Node]) -> Node:
        """`While`: a tuple of the state."""
        inputs = (self.function(condition), self.function(body), *state)
        return self.own(Apply(WHILE, inputs, NO_ATTRS, body.result.type, self.location))

    def inlined(self, graph: Graph, arguments: Sequence[Node]) -> list[Node]:
        """The outputs of a closed `graph` over `arguments`, as new nodes of the newest scope."""
        copied: dict[Node, Node] = dict(zip(graph.parameters, arguments, strict=True))
        for node in nodes(graph):
            if isinstance(node, Apply):
                inputs = tuple(copied.get(i, i) for i in node.inputs)
                copied[node] = self.own(Apply(node.op, inputs, node.attrs, node.type, node.location or self.location))
        return [copied.get(o, o) for o in graph.outputs()]


def _without_effects(node: Node) -> Node:
    if isinstance(node.type, TokenType):
        return Apply(TOKEN, (), type=TokenType())
    if isinstance(node, Constant) and isinstance(node.value, Graph) and has_effects(node.value):
        return Constant(without_effects(node.value), node.type, node.location)
    return node


def _known(node: Node) -> Type:
    assert node.type is not None, "typed graphs hold typed nodes"
    return node.type
