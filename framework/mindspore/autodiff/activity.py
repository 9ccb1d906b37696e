"""Which nodes lie on a differentiable path from the values to differentiate for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Node
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.types import BoxType, StashType, TensorType, TupleType, Type


def is_float(node: Node) -> bool:
    """Whether `node` can have a gradient other than zero: a floating tensor, or a stash or box that may hold some."""
    return floating(node.type)


def floating(kind: Type | None) -> bool:
    """Whether values of this type can have a gradient other than zero."""
    while isinstance(kind, StashType):
        kind = kind.element
    return isinstance(kind, BoxType) or (isinstance(kind, TensorType) and kind.dtype.kind in "fc")


def whole(kind: Type | None) -> bool:
    """Whether this is the type of integers, or of a stash of them. They have gradients where one of an integer is asked for."""
    while isinstance(kind, StashType):
        kind = kind.element
    return isinstance(kind, TensorType) and kind.dtype.is_integer


def carries(node: Node) -> bool:
    """Whether gradients can pass through `node` at all; `active_nodes` says whether they do."""
    return floating(node.type) or whole(node.type)


def elements(node: Node) -> tuple[Node, ...]:
    """The results behind a graph's output node."""
    if not isinstance(node.type, TupleType):
        return (node,)
    b = GraphBuilder(node.location)
    return tuple(b.get(node, i) for i in range(len(node.type.elements)))


def active_nodes(order: Sequence[Node], wrt: Iterable[Node]) -> set[int]:
    """Ids of the nodes of `order` (inputs first) that depend differentiably on `wrt`; integers do on integers alone."""
    sources = list(wrt)
    passes = carries if any(whole(w.type) for w in sources) else is_float
    active = {id(w) for w in sources if passes(w)}
    for node in order:
        if any(id(i) in active for i in node.inputs) and _carries_gradient(node, passes):
            active.add(id(node))
    return active


def reached(outputs: Iterable[Node], active: set[int]) -> set[int]:
    """Ids of the `active` nodes that `outputs` depend on through active nodes."""
    found: set[int] = set()
    stack = [o for o in outputs if id(o) in active]
    while stack:
        node = stack.pop()
        if id(node) not in found:
            found.add(id(node))
            stack.extend(i for i in node.inputs if id(i) in active)
    return found


def _carries_gradient(node: Node, passes: Callable[[Node], bool]) -> bool:
    rule = node.op.gradient if isinstance(node, Apply) and isinstance(node.op, Operator) else None
    if isinstance(rule, NotDifferentiable) and not rule.error:
        return False
    return passes(node) or isinstance(node.type, TupleType)
