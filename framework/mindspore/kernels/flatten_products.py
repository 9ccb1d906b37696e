"""Matrix products: batches folded into rows where possible, transposed views taken as flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, row_major_strides, size
from mindspore.ir.types import TensorType
from mindspore.kernels import access as acc
from mindspore.kernels.program import Batch, Map, Product, Read, Step, Value, whole
from mindspore.primitives.compute import contract_dims
from mindspore.primitives.scalar import Expr

Operand = tuple[Read, TensorType]


def product_step(
    operands: Sequence[Operand], type: TensorType, attrs: Mapping[str, Any], store: Callable[[Read], Value]
) -> Step:
    """The step that multiplies two operands' last two dimensions."""
    flags = (bool(attrs.get("transpose_a", False)), bool(attrs.get("transpose_b", False)))
    m, n, k = contract_dims(operands[0][1], operands[1][1], *flags)
    output = Value(type.dtype, size(type.shape))
    if k == 0:
        return Map((), (output,), (Expr("const", (), type.dtype, False if type.dtype is dt.bool_ else 0),))
    (left, swap_a), (right, swap_b) = (_unswapped(o) for o in operands)
    flags = (flags[0] ^ swap_a, flags[1] ^ swap_b)
    batch = _batch(operands[0][1].shape, operands[1][1].shape, type.shape)
    if not flags[0] and batch.sizes and (batch.left, batch.right) == ((m * k,), (0,)):
        m, batch = m * batch.count, Batch()
    return Product((whole(store(left)), whole(store(right))), (output,), (m, n, k), flags, batch)


def _unswapped(operand: Operand) -> tuple[Read, bool]:
    """The operand without a transposition of its last two dimensions, and whether there was one."""
    read, type = operand
    *outer, rows, columns = type.shape
    count = size(outer)
    swapped = acc.collapsed((count, rows, columns), (rows * columns, 1, rows))
    if read.value is None or read.access != swapped or read.access.is_identity or read.value.size != read.access.size:
        return read, False
    return whole(read.value), True


def _batch(left: Shape, right: Shape, out: Shape) -> Batch:
    """The batch dimensions, neighbours joined where both operands continue."""
    outer = out[:-2]
    joined: list[tuple[int, int, int]] = []
    for count, a, b in zip(outer, _steps(left, outer), _steps(right, outer), strict=True):
        if count == 1:
            continue
        if joined and joined[-1][1:] == (a * count, b * count):
            joined[-1] = (joined[-1][0] * count, a, b)
        else:
            joined.append((count, a, b))
    return Batch(*(tuple(d[i] for d in joined) for i in range(3)))


def _steps(shape: Shape, outer: Shape) -> Shape:
    """Elements from one batch to the next in each batch dimension; 0 where the operand is broadcast."""
    batch = (1,) * (len(outer) - len(shape) + 2) + tuple(shape[:-2])
    area = shape[-1] * shape[-2]
    return tuple(0 if n == 1 else s * area for n, s in zip(batch, row_major_strides(batch), strict=True))
