"""Operators on values with rows, by how they are computed; see `primitives.compute`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from mindspore.autodiff.batched import aligned, row_of
from mindspore.base.shapes import normalize_axes, normalize_axis
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Node
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.compute import Alias, ArgReduce, Contract, Elementwise, Reduce, Windows

Rule = Callable[[GraphBuilder, int, Apply, Sequence[Node], Sequence[bool]], Node]


def _windows(b: GraphBuilder, size: int, node: Apply, inputs: Sequence[Node], rows: Sequence[bool]) -> Node:
    """Windows lie in the last dimensions."""
    whole = [v if r else b.broadcast_to(v, shape=(size, *b.shape(v))) for v, r in zip(inputs, rows, strict=True)]
    attrs = {k: (size, *v) if k == "size" else v for k, v in node.attrs.items()}
    return b.apply(node.op, whole, attrs)


def batched_operator(
    b: GraphBuilder, size: int, node: Apply, inputs: Sequence[Node], rows: Sequence[bool]
) -> list[Node]:
    """The results of the operator of `node` for each row of `inputs`, those with `rows` having them in front. All results have rows."""
    op = node.op
    if size == 0:
        made: Any = _row_by_row(b, size, node, inputs, rows)
    elif op.vmap is not None:
        made = op.vmap(b, size, inputs, rows, node.type, **node.attrs)
    else:
        made = _RULES.get(type(op.compute), _row_by_row)(b, size, node, inputs, rows)
    if isinstance(made, tuple | list):
        return list(made)
    return [b.get(made, i) for i in range(len(made.type.elements))] if isinstance(made.type, TupleType) else [made]


def _elementwise(b: GraphBuilder, size: int, node: Apply, inputs: Sequence[Node], rows: Sequence[bool]) -> Node:
    """Rows broadcast when the other dimensions stand below each other."""
    rank = _rank(node)
    return b.apply(node.op, [aligned(b, v, rank) if r else v for v, r in zip(inputs, rows, strict=True)], node.attrs)


def _rank(node: Node) -> int:
    assert isinstance(node.type, TensorType)
    return node.type.rank


def _reduce(b: GraphBuilder, size: int, node: Apply, inputs: Sequence[Node], rows: Sequence[bool]) -> Node:
    """Axes move by one; a number has an axis of size 1 to fold."""
    rank = _rank(node.inputs[0])
    axes = normalize_axes(node.attrs["axis"], rank)
    value = aligned(b, inputs[0], max(rank, 1))
    keep = node.attrs["keep_dims"] and rank > 0
    shifted = tuple(a + 1 for a in axes) if rank else (1,)
    return b.apply(node.op, [value], {**node.attrs, "axis": shifted, "keep_dims": keep})


def _arg_reduce(b: GraphBuilder, size: int, node: Apply, inputs: Sequence[Node], rows: Sequence[bool]) -> Node:
    axis = normalize_axis(node.attrs["axis"], _rank(node.inputs[0])) + 1
    return b.apply(node.op, inputs, {**node.attrs, "axis": axis})


def _contract(b: GraphBuilder, size: int, node: Apply, inputs: Sequence[Node], rows: Sequence[bool]) -> Node:
    """Rows are one more leading dimension; where only the left factor has them they are more rows of one matrix."""
    x, y = inputs
    if rows == [True, False] and not node.attrs["transpose_a"] and _rank(y) == 2:
        shape = b.shape(x)
        flat = b.matmul(b.reshape(x, shape=(prod(shape[:-1]), shape[-1])), y, transpose_b=node.attrs["transpose_b"])
        made: Node = b.reshape(flat, shape=(*shape[:-1], b.shape(flat)[-1]))
        return made
    rank = _rank(node)
    both = [aligned(b, v, rank) if r else v for v, r in zip(inputs, rows, strict=True)]
    product: Node = b.batch_matmul(*both, **node.attrs)
    return product


def _alias(b: GraphBuilder, size: int, node: Apply, inputs: Sequence[Node], rows: Sequence[bool]) -> Node:
    assert isinstance(node.type, TensorType)
    made: Node = b.reshape(inputs[0], shape=(size, *node.type.shape))
    return made


def _row_by_row(
    b: GraphBuilder, size: int, node: Apply, inputs: Sequence[Node], rows: Sequence[bool]
) -> list[Node] | Node:
    """Any operator: once for each row."""
    kinds = node.type.elements if isinstance(node.type, TupleType) else (node.type,)
    if size == 0:
        return [b.full(shape=(0, *k.shape), value=0, dtype=k.dtype) for k in kinds if isinstance(k, TensorType)]
    results = []
    for row in range(size):
        given = [row_of(b, v, row) if r else v for v, r in zip(inputs, rows, strict=True)]
        result = b.apply(node.op, given, node.attrs)
        results.append([b.get(result, i) for i in range(len(kinds))] if isinstance(node.type, TupleType) else [result])
    return [b.stack(*parts, axis=0) for parts in zip(*results, strict=True)]


_RULES: Mapping[type, Callable[..., Any]] = {
    Elementwise: _elementwise,
    Reduce: _reduce,
    ArgReduce: _arg_reduce,
    Contract: _contract,
    Alias: _alias,
    Windows: _windows,
}
