"""``composite(x) = its expansion``: what remains has ``compute`` and goes to the kernels."""

from __future__ import annotations

from mindspore.ir.graph import Apply, Graph, Node
from mindspore.ir.operator import Operator
from mindspore.ir.rewrite import expansion, rewrite


def expand_composites(graph: Graph) -> bool:
    """Replaces every operator that is declared by ``expand``."""
    return rewrite(graph, _expanded)


def _expanded(node: Apply) -> Node | None:
    if not isinstance(node.op, Operator) or node.op.expand is None:
        return None
    return expansion(node)
