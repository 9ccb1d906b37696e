"""``If(true, t, e, x) = t(x)``, ``If(false, t, e, x) = e(x)``, ``TupleGet(MakeTuple(a, b), i) = (a, b)[i]``;
the same for boxes that are seen to be made."""

from __future__ import annotations

from mindspore.base import dtypes as dt
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import (
    EMPTY_BOX,
    IF,
    IS_EMPTY,
    MAKE_BOX,
    MAKE_TUPLE,
    TUPLE_GET,
    UNBOX,
    Apply,
    Constant,
    Graph,
    Node,
)
from mindspore.ir.rewrite import inline, rewrite


def prune_branches(graph: Graph) -> bool:
    """Takes the one branch of a condition that is known, and elements of tuples that are visible."""
    return rewrite(graph, _pruned)


def _pruned(node: Apply) -> Node | None:
    if node.op is TUPLE_GET:
        source = node.inputs[0]
        if isinstance(source, Apply) and source.op is MAKE_TUPLE:
            index: int = node.attrs["index"]
            return source.inputs[index]
        if isinstance(source, Apply) and source.op is UNBOX:
            box = source.inputs[0]
            return box.inputs[node.attrs["index"]] if isinstance(box, Apply) and box.op is MAKE_BOX else None
    if node.op is IS_EMPTY and isinstance(node.inputs[0], Apply) and node.inputs[0].op in (MAKE_BOX, EMPTY_BOX):
        return GraphBuilder(node.location).const(node.inputs[0].op is EMPTY_BOX, dt.bool_)
    if node.op is IF and isinstance(node.inputs[0], Constant):
        taken = node.inputs[1 if bool(node.inputs[0].value) else 2]
        assert isinstance(taken, Constant)
        return inline(taken.value, node.inputs[3:])
    return None
