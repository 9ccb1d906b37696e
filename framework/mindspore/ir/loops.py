"""Loops of run-time length as one record, whichever of the two operations they are.

A `While` runs as long as its condition holds; a `Scan` runs once for each element of the stashes it reads. Both carry state, and both may
make stashes: one element for each turn. They are closed under differentiation: the gradient of either is a `Scan` that reads what a turn
left, in the opposite direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from mindspore.base.errors import Location
from mindspore.ir.graph import (
    CALL,
    NO_ATTRS,
    SCAN,
    WHILE,
    Apply,
    Constant,
    Graph,
    Node,
    is_shared,
    nodes,
    subgraphs,
    toposort,
)
from mindspore.ir.operator import Operator
from mindspore.ir.types import BoxType, FunctionType, StashType, TensorType, TupleType, Type

FORWARD, BACKWARD = 1, -1
"""Directions in which the turns of a loop go through a stash."""


@dataclass(frozen=True, slots=True)
class Loop:
    """``body(*state, *elements of stashes) -> (*state, *elements of made stashes)``.

    Attributes:
        condition: over the state; None when the stashes give the number of turns.
        reads: direction of each of ``stashes``.
        writes: direction of each stash that is made; a `While` makes them `FORWARD` only.
    """

    condition: Graph | None
    body: Graph
    state: Sequence[Node]
    stashes: Sequence[Node] = ()
    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()

    def node(self, location: Location | None = None) -> Apply:
        """The loop as a node."""
        made = self.body.outputs()[len(self.state) :]
        kinds = [*map(_type, self.state), *(StashType(_element(m)) for m in made)]
        if self.condition is None:
            attrs = MappingProxyType({"reads": self.reads, "writes": self.writes})
            inputs = [function(self.body), *self.state, *self.stashes]
            return Apply(SCAN, inputs, attrs, TupleType(tuple(kinds)), location)
        inputs = [function(self.condition), function(self.body), *self.state]
        return Apply(WHILE, inputs, NO_ATTRS, TupleType(tuple(kinds)), location)


def loop_of(node: Apply) -> Loop:
    """The loop that a `While` or `Scan` node is."""
    if node.op is WHILE:
        condition, body, *state = node.inputs
        made = len(node.type.elements) - len(state) if isinstance(node.type, TupleType) else 0
        return Loop(_graph(condition), _graph(body), state, writes=(FORWARD,) * made)
    reads, writes = node.attrs["reads"], node.attrs["writes"]
    body, *rest = node.inputs
    split = len(rest) - len(reads)
    return Loop(None, _graph(body), rest[:split], rest[split:], reads, writes)


def steady(state: Sequence[Node], outputs: Sequence[Node]) -> set[int]:
    """Ids of the nodes of a body that no turn changes: the state that it hands on, constants, and what is made of these alone."""
    found = {id(p) for p, o in zip(state, outputs, strict=False) if p is o}
    for node in toposort(*outputs):
        pure = isinstance(node, Constant | Apply) and not getattr(getattr(node, "op", None), "effect", "")
        if pure and all(id(i) in found for i in node.inputs) and not _recurses(node):
            found.add(id(node))
    return found


def _recurses(node: Node) -> bool:
    """Whether `node` runs calls, which may end only under the conditions around them."""
    if not isinstance(node, Apply) or isinstance(node.op, Operator):
        return False
    inside = [i.value for i in node.inputs if isinstance(i, Constant) and isinstance(i.value, Graph)]
    return _is_recursive(node) or any(
        _is_recursive(n) for g in inside for s in subgraphs(g) for n in nodes(s) if isinstance(n, Apply)
    )


def _is_recursive(node: Apply) -> bool:
    return node.op is CALL and not is_shared(node)


def function(graph: Graph) -> Constant:
    """A graph as a value."""
    return Constant(graph, FunctionType(tuple(map(_type, graph.parameters)), _type(graph.result)), graph.location)


def _graph(node: Node) -> Graph:
    assert isinstance(node, Constant)
    assert isinstance(node.value, Graph)
    return node.value


def _type(node: Node) -> Type:
    assert node.type is not None, "typed graphs hold typed nodes"
    return node.type


def _element(node: Node) -> TensorType | StashType | BoxType:
    assert isinstance(node.type, TensorType | StashType | BoxType), f"a stash cannot hold {node.type}"
    return node.type
