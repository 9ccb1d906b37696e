"""Algebraic identities. Each rule's docstring is its equation; all keep NaN and infinity."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from mindspore.base.symbolic import Size
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Constant, Graph, Node
from mindspore.ir.rewrite import rewrite

Rule = Callable[[Apply], Node | None]


def simplify_algebra(graph: Graph) -> bool:
    """Applies the rules below to every operator that has one."""
    return rewrite(graph, _simplified)


def _simplified(node: Apply) -> Node | None:
    rule = RULES.get(getattr(node.op, "function", ""))
    found = rule(node) if rule is not None else None
    return found if found is not None and found.type == node.type else None


def splat_value(node: Node) -> float | None:
    """The number that every element of `node` is, when that is visible."""
    if isinstance(node, Constant) and isinstance(node.value, np.ndarray) and node.value.size:
        first = node.value.flat[0]
        return first.item() if node.value.dtype.kind in "biuf" and (node.value == first).all() else None
    function = getattr(getattr(node, "op", None), "function", "")
    if isinstance(node, Apply) and function == "full":
        value = node.attrs["value"]
        return None if isinstance(value, Size) else float(value)
    if function in ("zeros_like", "ones_like"):
        return float(function == "ones_like")
    if isinstance(node, Apply) and function in ("reshape", "broadcast_to"):
        return splat_value(node.inputs[0])
    return None


def _is_plus_zero(node: Node) -> bool:
    value = splat_value(node)
    return value is not None and value == 0 and not np.signbit(value)


def _add(node: Apply) -> Node | None:
    """x + 0 = x (up to the sign of a zero), 0 + x = x; see also `_added_into`."""
    x, y = node.inputs
    if _is_plus_zero(y):
        return x
    if _is_plus_zero(x):
        return y
    return _added_into(x, y) or _added_into(y, x)


def _added_into(x: Node, y: Node) -> Node | None:
    """x + scatter_add(0, u) = scatter_add(x, u): gradients of elements are summed without a tensor of zeros for each."""
    if not isinstance(y, Apply) or _function(y) != "scatter_strided" or y.attrs["kind"] != "add":
        return None
    if not _is_plus_zero(y.inputs[0]) or x.type != y.type:
        return None
    return Apply(y.op, (x, *y.inputs[1:]), y.attrs, y.type, y.location)


def _sub(node: Apply) -> Node | None:
    """x - 0 = x."""
    x, y = node.inputs
    return x if _is_plus_zero(y) else None


def _mul(node: Apply) -> Node | None:
    """x * 1 = x, 1 * x = x."""
    x, y = node.inputs
    if splat_value(y) == 1:
        return x
    return y if splat_value(x) == 1 else None


def _div(node: Apply) -> Node | None:
    """x / 1 = x."""
    x, y = node.inputs
    return x if splat_value(y) == 1 else None


def _neg(node: Apply) -> Node | None:
    """-(-x) = x."""
    x = node.inputs[0]
    return x.inputs[0] if _function(x) == "neg" else None


def _same_type(node: Apply) -> Node | None:
    """f(x) = x for casts, reshapes and broadcasts to the type x has."""
    return node.inputs[0]


def _reshape(node: Apply) -> Node | None:
    """reshape(x, shape of x) = x; reshape(reshape(x)) = reshape(x)."""
    x = node.inputs[0]
    if x.type == node.type:
        return x
    if _function(x) == "reshape":
        return Apply(node.op, x.inputs, node.attrs, node.type, node.location)
    return None


def _transpose(node: Apply) -> Node | None:
    """transpose(x, identity) = x; transpose(transpose(x, p), q) = transpose(x, p[q])."""
    x, perm = node.inputs[0], tuple(node.attrs["perm"])
    if perm == tuple(range(len(perm))):
        return x
    if _function(x) != "transpose" or not isinstance(x, Apply):
        return None
    inner = tuple(x.attrs["perm"])
    return GraphBuilder(node.location).transpose(x.inputs[0], perm=tuple(inner[p] for p in perm))  # type: ignore[no-any-return]


def _select(node: Apply) -> Node | None:
    """select(c, x, x) = x."""
    _, x, y = node.inputs
    return x if x is y else None


def _matmul(node: Apply) -> Node | None:
    """matmul(transpose(a), b) = matmul(a, b, transposed): the last two dimensions swap inside the kernel for free."""
    flags = {"transpose_a": node.attrs["transpose_a"], "transpose_b": node.attrs["transpose_b"]}
    inputs = list(node.inputs)
    changed = False
    for position, flag in enumerate(("transpose_a", "transpose_b")):
        if _swaps_last_two(inputs[position]):
            inputs[position] = inputs[position].inputs[0]
            flags[flag] = not flags[flag]
            changed = True
    if not changed:
        return None
    attrs = MappingProxyType({**node.attrs, **flags})
    return Apply(node.op, inputs, attrs, node.type, node.location)


def _swaps_last_two(node: Node) -> bool:
    if _function(node) != "transpose" or not isinstance(node, Apply):
        return False
    perm = tuple(node.attrs["perm"])
    rank = len(perm)
    return rank >= 2 and perm == (*range(rank - 2), rank - 1, rank - 2)


def _function(node: Node) -> str:
    return getattr(getattr(node, "op", None), "function", "")


RULES: dict[str, Rule] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "real_div": _div,
    "neg": _neg,
    "cast": _same_type,
    "broadcast_to": _same_type,
    "reshape": _reshape,
    "transpose": _transpose,
    "select": _select,
    "matmul": _matmul,
    "batch_matmul": _matmul,
}
