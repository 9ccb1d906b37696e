"""Jacobians: forward or reverse mode for every basis vector at once, as rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from mindspore.autodiff.batching import vmap_graph
from mindspore.autodiff.forward import jvp_graph
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.base import dtypes as dt
from mindspore.base.shapes import size
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Graph, Node, Parameter
from mindspore.ir.rewrite import inline
from mindspore.ir.types import TensorType


def jacobian_graph(graph: Graph, wrt: Sequence[int], differentiated: Sequence[int], forward: bool) -> Graph:
    """A graph that gives the outputs of `graph` and, for each of `differentiated`, its derivatives in each of the parameters `wrt`.

    Args:
        graph: closed, typed, without calls.
        wrt: positions of floating parameters.
        differentiated: positions of floating outputs.
        forward: in forward mode, one run for each element of the parameters, all in one batch; otherwise in reverse mode, one run for
            each element of the outputs.

    Returns:
        A graph with outputs ``(*outputs, *blocks)``: a block has the shape of the output and then that of the parameter.
    """
    b = GraphBuilder(graph.location)
    parameters = [Parameter(p.name, p.type, p.location) for p in graph.parameters]
    inputs = [_kind(graph.parameters[i]) for i in wrt]
    results = [_kind(graph.outputs()[i]) for i in differentiated]
    moved, counted = (inputs, results) if forward else (results, inputs)
    count = sum(size(t.shape) for t in moved)
    whole = jvp_graph(graph, wrt, differentiated) if forward else _pulled(graph, wrt, differentiated)
    rows = [False] * len(parameters) + [True] * len(moved)
    batched, has_rows = vmap_graph(whole, rows, count)
    values = inline(batched, [*parameters, *_basis(b, moved, count)])
    plain = len(graph.outputs())
    found = [
        b.get(values, plain + k) if has_rows[plain + k] else _repeated(b, b.get(values, plain + k), count)
        for k in range(len(counted))
    ]
    outputs = inline(graph, parameters)
    own = [b.get(outputs, i) for i in range(plain)]
    starts = [0, *accumulate(size(t.shape) for t in moved)]
    parts = [[_rows(b, f, starts[k], starts[k + 1]) for f in found] for k in range(len(moved))]
    blocks: list[Node] = []
    for o, result in enumerate(results):
        for i, argument in enumerate(inputs):
            shape = (*result.shape, *argument.shape)
            blocks.append(_turned(b, parts[i][o], shape) if forward else b.reshape(parts[o][i], shape=shape))
    return Graph(f"jacobian_{graph.name}", parameters, b.tuple([*own, *blocks]), graph.location)


def _pulled(graph: Graph, wrt: Sequence[int], differentiated: Sequence[int]) -> Graph:
    return value_and_grad_graph(graph, wrt, sens=True, differentiated=differentiated)


def _kind(node: Node) -> TensorType:
    assert isinstance(node.type, TensorType)
    return node.type


def _basis(b: GraphBuilder, kinds: Sequence[TensorType], count: int) -> list[Node]:
    """For each tensor its part of all basis vectors, which are `count` rows over the elements of all tensors."""
    made, start = [], 0
    for kind in kinds:
        own = size(kind.shape)
        shape = (count, own)
        row, column = (b.iota(shape=shape, dimension=i, dtype=dt.int64) for i in (0, 1))
        ones = b.cast(b.equal(row, b.add(column, start)), dtype=kind.dtype)
        made.append(b.reshape(ones, shape=(count, *kind.shape)))
        start += own
    return made


def _repeated(b: GraphBuilder, value: Node, count: int) -> Node:
    made: Node = b.broadcast_to(value, shape=(count, *_kind(value).shape))
    return made


def _rows(b: GraphBuilder, value: Node, begin: int, end: int) -> Node:
    shape = _kind(value).shape
    if (begin, end) == (0, shape[0]):
        return value
    first, last = (begin, *(0,) * (len(shape) - 1)), (end, *shape[1:])
    made: Node = b.strided_slice(value, begin=first, end=last, strides=(1,) * len(shape))
    return made


def _turned(b: GraphBuilder, columns: Node, shape: Sequence[int]) -> Node:
    """Derivatives with the parameter's elements in front, with them at the end."""
    rank = _kind(columns).rank
    made: Node = b.reshape(b.transpose(columns, perm=(*range(1, rank), 0)), shape=tuple(shape))
    return made
