"""What only says something to autodiff goes once nothing is left to differentiate.

``StopGradient(x) = x``, ``CustomGradient(f, g, x) = f(x)``; and, when nothing more is shared, ``After(x, y) = x``.
"""

from __future__ import annotations

from mindspore.ir.graph import AFTER, CUSTOM, Apply, Constant, Graph, Node
from mindspore.ir.rewrite import inline, rewrite

_IDENTITIES = ("stop_gradient", "identity")


def drop_gradient_stops(graph: Graph) -> bool:
    """Removes the operators that only say something to autodiff, and puts functions with a gradient of their own in their places."""
    return rewrite(graph, _dropped)


def release(graph: Graph) -> bool:
    """Removes what kept a computation apart from an equal one. A pass that shares nodes must not run after this one."""
    return rewrite(graph, lambda node: node.inputs[0] if node.op is AFTER else None)


def _dropped(node: Apply) -> Node | None:
    if node.op is CUSTOM:
        forward = node.inputs[0]
        assert isinstance(forward, Constant)
        return inline(forward.value, node.inputs[2:])
    return node.inputs[0] if getattr(node.op, "function", None) in _IDENTITIES else None
