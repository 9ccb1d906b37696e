"""Common subexpressions: ``f(x), f(x)`` become one node; equal small constants become one constant."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from mindspore.ir.graph import EMIT, MAKE_BOX, TOKEN, Apply, Constant, Graph, Node, bodies
from mindspore.ir.operator import Operator
from mindspore.ir.rewrite import with_inputs

_SMALL = 64


def share_common(graph: Graph) -> bool:
    """Merges nodes of each graph that compute the same value; effects are never merged."""
    changed = False
    for each, order in bodies(graph):
        output = _shared(each, order)
        changed |= output is not each.output
        each.output = output
    return changed


def _shared(graph: Graph, order: Sequence[Node]) -> Node:
    mapped: dict[int, Node] = {}
    known: dict[Hashable, Node] = {}
    for node in order:
        current = node
        if mapped and isinstance(node, Apply) and any(id(i) in mapped for i in node.inputs):
            current = with_inputs(node, [mapped.get(id(i), i) for i in node.inputs])
        key = _key(current)
        current = current if key is None else known.setdefault(key, current)
        if current is not node:
            mapped[id(node)] = current
    return mapped.get(id(graph.result), graph.result)


def _key(node: Node) -> Hashable | None:
    """What makes two nodes the same value; None for nodes that must stay apart."""
    if isinstance(node, Constant):
        value = node.value
        small = isinstance(value, np.ndarray) and value.size <= _SMALL
        return ("constant", node.type, value.tobytes()) if small else None
    if not isinstance(node, Apply) or node.op in (EMIT, TOKEN) or (isinstance(node.op, Operator) and node.op.effect):
        return None
    attrs = tuple(sorted((k, _hashable(v)) for k, v in node.attrs.items())) if node.attrs else ()
    kind = None if node.inputs and node.op is not MAKE_BOX else node.type
    return (id(node.op), tuple(id(i) for i in node.inputs), attrs, kind)


def _hashable(value: Any) -> Hashable:
    """Distinguishes 1, 1.0 and True, and 0.0 from -0.0, which compare equal."""
    if isinstance(value, tuple | list):
        return tuple(_hashable(v) for v in value)
    return (type(value).__name__, repr(value))
