"""Which nodes lie on a differentiable path from the values to differentiate for."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Node
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.types import TensorType, TupleType


def is_float(node: Node) -> bool:
    """Whether `node` is a tensor that can have a gradient other than zero."""
    return isinstance(node.type, TensorType) and node.type.dtype.kind in "fc"


def elements(node: Node) -> tuple[Node, ...]:
    """The results behind a graph's output node."""
    if not isinstance(node.type, TupleType):
        return (node,)
    b = GraphBuilder(node.location)
    return tuple(b.get(node, i) for i in range(len(node.type.elements)))


def is_active(node: Node, active: set[int]) -> bool:
    """Whether the result of `node` depends differentiably on an input whose id is in `active`."""
    return any(id(i) in active for i in node.inputs) and _carries_gradient(node)


def active_nodes(order: Sequence[Node], wrt: Sequence[Node]) -> set[int]:
    """Ids of the nodes of `order` (inputs first) that depend differentiably on `wrt`."""
    active = {id(w) for w in wrt if is_float(w)}
    for node in order:
        if is_active(node, active):
            active.add(id(node))
    return active


def _carries_gradient(node: Node) -> bool:
    rule = node.op.gradient if isinstance(node, Apply) and isinstance(node.op, Operator) else None
    if isinstance(rule, NotDifferentiable) and not rule.error:
        return False
    return is_float(node) or isinstance(node.type, TupleType)
