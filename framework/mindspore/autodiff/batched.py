"""Values of a batched graph: a node that holds one value for all rows of the batch, or one for each in front."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base.errors import GraphTypeError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import EMPTY_STASH, Apply, Graph, Node, Parameter
from mindspore.ir.loops import FORWARD, Loop
from mindspore.ir.types import BoxType, StashType, TensorType, TupleType, Type


@dataclass(frozen=True, slots=True)
class Batched:
    """One value.

    Attributes:
        node: the value; with ``rows`` its tensors, or those in its stashes, have the batch as first dimension, and a box is a tuple of one
            box for each row.
        masks: for a stash, Bool[batch] for each turn: which rows took it; then, for a stash of stashes, the stash of the masks of its
            elements, and so on. None where every row took every turn.
    """

    node: Node
    rows: bool
    masks: tuple[Node | None, ...] = ()

    def parts(self) -> list[Node]:
        """The nodes of the value."""
        return [self.node, *(m for m in self.masks if m is not None)]

    def again(self, nodes: Iterator[Any]) -> Batched:
        """The same value over other nodes."""
        return Batched(next(nodes), self.rows, tuple(None if m is None else next(nodes) for m in self.masks))


Value = Any
"""A `Batched`, or a tuple of values for a tuple node."""


def type_of(node: Node) -> Type:
    assert node.type is not None, "typed graphs hold typed nodes"
    return node.type


def with_rows(kind: Type, size: int) -> Type:
    """The type of a value of type `kind` for each of `size` rows."""
    if isinstance(kind, TensorType):
        return TensorType(kind.dtype, (size, *kind.shape))
    if isinstance(kind, StashType):
        element = with_rows(kind.element, size)
        assert isinstance(element, TensorType | StashType)
        return StashType(element)
    if isinstance(kind, BoxType):
        return TupleType((kind,) * size)
    raise GraphTypeError(f"vmap: a value of type {kind} has no rows.")


def depth(kind: Type | None) -> int:
    """How many stashes are around a tensor."""
    return 1 + depth(kind.element) if isinstance(kind, StashType) else 0


def plain(node: Node) -> Batched:
    """A value that is one for all rows."""
    return Batched(node, False, (None,) * depth(node.type))


def flat(values: Sequence[Batched]) -> list[Node]:
    return [n for v in values for n in v.parts()]


def parameters_like(values: Sequence[Batched], prefix: str) -> tuple[list[Parameter], list[Batched]]:
    """Parameters for all nodes of `values`, and the values over them."""
    made = [Parameter(f"{prefix}{i}", n.type, n.location) for i, n in enumerate(flat(values))]
    nodes = iter(made)
    return made, [v.again(nodes) for v in values]


def rebuilt(values: Sequence[Batched], nodes: Sequence[Node]) -> list[Batched]:
    """`values` over other nodes, which are all of theirs in order."""
    found = iter(nodes)
    return [v.again(found) for v in values]


def in_rows(value: Batched, size: int) -> Batched:
    """`value` with a row for each, repeated when it is one for all."""
    if value.rows:
        return value
    return Batched(_repeated(value.node, size), True, value.masks)


def _repeated(node: Node, size: int) -> Node:
    b = GraphBuilder(node.location)
    if isinstance(node.type, TensorType):
        whole: Node = b.broadcast_to(node, shape=(size, *node.type.shape))
        return whole
    if isinstance(node, Apply) and node.op is EMPTY_STASH:
        return Apply(EMPTY_STASH, (), type=with_rows(type_of(node), size), location=node.location)
    if isinstance(node.type, StashType):
        return _each(node, lambda element: _repeated(element, size))
    if isinstance(node.type, BoxType):
        return b.tuple([node] * size)
    raise GraphTypeError(f"vmap: a value of type {node.type} has no rows.")


def _each(stash: Node, function: Callable[[Node], Node]) -> Node:
    """A stash of what `function` gives for the elements of `stash`."""
    assert isinstance(stash.type, StashType)
    b = GraphBuilder(stash.location)
    element = Parameter("e", stash.type.element)
    body = Graph("each_row", [element], b.tuple([function(element)]), stash.location)
    return b.get(Loop(None, body, (), [stash], (FORWARD,), (FORWARD,)).node(stash.location), 0)


def aligned(b: GraphBuilder, value: Node, rank: int) -> Node:
    """A tensor with rows whose other dimensions are `rank` many: new ones of size 1 come behind the rows."""
    shape = b.shape(value)
    missing = rank + 1 - len(shape)
    made: Node = b.reshape(value, shape=(shape[0], *(1,) * missing, *shape[1:])) if missing > 0 else value
    return made


def row_of(b: GraphBuilder, value: Node, row: int) -> Node:
    """One row of a tensor that has rows."""
    shape = b.shape(value)
    rest = (0,) * (len(shape) - 1)
    taken = b.strided_slice(value, begin=(row, *rest), end=(row + 1, *shape[1:]), strides=(1,) * len(shape))
    made: Node = b.reshape(taken, shape=shape[1:])
    return made


def chosen(b: GraphBuilder, mask: Node, then: Node, other: Node) -> Node:
    """For each row, that of `then` where `mask`, a Bool[batch], is true, else that of `other`; both have rows."""
    if then is other:
        return then
    made: Node = b.select(b.reshape(mask, shape=(b.shape(mask)[0], *(1,) * (len(b.shape(then)) - 1))), then, other)
    return made


def safe(b: GraphBuilder, mask: Node, value: Batched) -> Batched:
    """`value` with the first row for which `mask` is true in the place of those for which it is not.

    What is computed for rows that are not taken is thrown away, but its derivative times zero must be zero and not NaN, and it must
    not fail as an index out of bounds does.
    """
    kind = value.node.type
    if not value.rows or not isinstance(kind, TensorType) or kind.dtype is dt.bool_:
        return value
    size = kind.shape[0]
    place = b.argmax_index(b.cast(mask, dtype=dt.int32), axis=0)
    first = b.equal(b.iota(shape=(size,), dimension=0, dtype=dt.int32), place)
    column = b.reshape(first, shape=(size, *(1,) * (kind.rank - 1)))
    row = b.stop_gradient(b.reduce_sum(b.select(column, value.node, 0), axis=(0,), keep_dims=True))
    return Batched(b.select(b.reshape(mask, shape=b.shape(column)), value.node, row), True)
