"""Reverse mode in a few lines, so that gradient rules are checked apart from the product's own autodiff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import TUPLE_GET, Apply, Node, toposort
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.types import TupleType


def pullback(output: Node, wrt: Sequence[Node]) -> list[Node]:
    """Gradients of a 0-d `output` as nodes; zeros where there is no path."""
    b = GraphBuilder()
    adjoints: dict[int, Any] = {id(output): b.ones_like(output)}
    for node in reversed(toposort(output)):
        if id(node) not in adjoints or not isinstance(node, Apply):
            continue
        if node.op is TUPLE_GET:
            parts = adjoints.setdefault(id(node.inputs[0]), {})
            _add(b, parts, node.attrs["index"], adjoints[id(node)])
        elif isinstance(node.op, Operator) and not isinstance(node.op.gradient, NotDifferentiable):
            for source, gradient in zip(node.inputs, _rule(b, node, adjoints[id(node)]), strict=True):
                if gradient is not None:
                    assert gradient.type == source.type, f"{node.op.name}: gradient {gradient.type} of {source.type}"
                    _add(b, adjoints, id(source), gradient)
    return [adjoints.get(id(w)) or b.zeros_like(w) for w in wrt]


def _rule(b: GraphBuilder, node: Apply, d: Any) -> Sequence[Node | None]:
    out: Any = node
    if isinstance(node.type, TupleType):
        count = len(node.type.elements)
        out, d = tuple(b.get(node, i) for i in range(count)), tuple(d.get(i) for i in range(count))
    return list(node.op.gradient(b, *node.inputs, out, d, **node.attrs))


def _add(b: GraphBuilder, table: dict[Any, Any], key: Any, value: Node) -> None:
    table[key] = b.add(table[key], value) if key in table else value
