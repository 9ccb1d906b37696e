"""``StopGradient(x) = x`` once nothing is left to differentiate."""

from __future__ import annotations

from mindspore.ir.graph import Apply, Graph, Node
from mindspore.ir.rewrite import rewrite

_IDENTITIES = ("stop_gradient", "identity")


def drop_gradient_stops(graph: Graph) -> bool:
    """Removes the operators that only say something to autodiff."""
    return rewrite(graph, _dropped)


def _dropped(node: Apply) -> Node | None:
    return node.inputs[0] if getattr(node.op, "function", None) in _IDENTITIES else None
