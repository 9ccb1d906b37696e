"""``op(constants) = constant`` for small results."""

from __future__ import annotations

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import size
from mindspore.ir.graph import Apply, Constant, Graph, Node
from mindspore.ir.operator import Operator
from mindspore.ir.rewrite import rewrite
from mindspore.ir.sizes import has_sizes
from mindspore.ir.types import TensorType

_LIMIT = 256
"""Elements above which a constant costs more to store than to compute."""


def fold_constants(graph: Graph) -> bool:
    """Evaluates pure operators whose inputs are all known, by their reference meaning."""
    return rewrite(graph, _folded)


def _folded(node: Apply) -> Node | None:
    kind = node.type
    if not isinstance(node.op, Operator) or node.op.effect or not isinstance(kind, TensorType):
        return None
    if not node.inputs or not all(isinstance(i, Constant) and i.inputs == () for i in node.inputs):
        return None
    if has_sizes(kind.shape) or has_sizes(tuple(node.attrs.values())) or size(kind.shape) > _LIMIT:
        return None
    try:
        with np.errstate(all="ignore"):
            value = node.op.reference(*[i.value for i in node.inputs if isinstance(i, Constant)], **node.attrs)
    except IndexError:
        if not node.op.may_fail:
            raise
        return None  # it fails when it runs, if it runs
    array = np.asarray(value).astype(dt.to_numpy(kind.dtype)).reshape(kind.shape)
    return Constant(array, kind, node.location)
