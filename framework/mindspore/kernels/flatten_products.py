"""Matrix products: batches folded into rows where possible, views of matrices read where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, row_major_strides, size
from mindspore.ir.sizes import has_sizes
from mindspore.ir.types import TensorType
from mindspore.kernels import access as acc
from mindspore.kernels.program import Batch, Map, Product, Read, Step, Value, whole
from mindspore.primitives.compute import contract_dims
from mindspore.primitives.scalar import Expr

Operand = tuple[Read, TensorType]


@dataclass(frozen=True, slots=True)
class _Matrices:
    """Matrices in `read`, a whole buffer: ``steps`` from row to row and from column to column, ``outer`` through the dimensions before.

    ``outer`` is 0 along dimensions of size 1, ``start`` is the place of the first element.
    """

    read: Read
    steps: tuple[int, int]
    outer: Shape
    start: int = 0

    def turned(self, transpose: bool) -> tuple[int, int]:
        return self.steps[::-1] if transpose else self.steps


def product_step(
    operands: Sequence[Operand], type: TensorType, attrs: Mapping[str, Any], store: Callable[[Read], Value]
) -> Step:
    """The step that multiplies two operands' last two dimensions."""
    flags = (bool(attrs.get("transpose_a", False)), bool(attrs.get("transpose_b", False)))
    m, n, k = contract_dims(operands[0][1], operands[1][1], *flags)
    output = Value(type.dtype, size(type.shape))
    if k == 0:
        return Map((), (output,), (Expr("const", (), type.dtype, False if type.dtype is dt.bool_ else 0),))
    left, right = (_matrices(o, store) for o in operands)
    steps = left.turned(flags[0]), right.turned(flags[1])
    batch = _batch(left, right, type.shape[:-2])
    if batch.right == (0,) and batch.left == (m * steps[0][0],):
        m, batch = m * batch.count, Batch(starts=batch.starts)
    return Product((left.read, right.read), (output,), (m, n, k), steps, batch)


def _matrices(operand: Operand, store: Callable[[Read], Value]) -> _Matrices:
    """An operand where it lies, when its rows or its columns are contiguous there; else a copy."""
    read, type = operand
    *outer, rows, columns = type.shape
    if read.whole or has_sizes((type.shape, read.access.dims)):
        read, swapped = _unswapped(operand)
        steps = (1, rows) if swapped else (columns, 1)
        through = [0 if n == 1 else s * rows * columns for n, s in zip(outer, row_major_strides(outer), strict=True)]
        return _Matrices(whole(store(read)), steps, tuple(through))
    strides = acc.along(read.access, type.shape)
    if read.value is not None and strides is not None:
        row, column = strides[-2] if rows > 1 else columns, strides[-1] if columns > 1 else 1
        if min(row, column) == 1:
            return _Matrices(whole(read.value), (row, column), strides[:-2], read.access.offset)
    return _matrices((whole(store(read)), type), store)


def _unswapped(operand: Operand) -> tuple[Read, bool]:
    """The operand without a transposition of its last two dimensions, and whether there was one."""
    read, type = operand
    *outer, rows, columns = type.shape
    count = size(outer)
    swapped = acc.collapsed((count, rows, columns), (rows * columns, 1, rows))
    if read.value is None or read.access != swapped or read.access.is_identity or read.value.size != read.access.size:
        return read, False
    return whole(read.value), True


def _batch(left: _Matrices, right: _Matrices, outer: Shape) -> Batch:
    """The batch dimensions, neighbours joined where both operands continue."""
    joined: list[tuple[int, int, int]] = []
    a_steps, b_steps = ((0,) * (len(outer) - len(of.outer)) + of.outer for of in (left, right))
    for count, a, b in zip(outer, a_steps, b_steps, strict=True):
        if count == 1:
            continue
        if joined and joined[-1][1:] == (a * count, b * count):
            joined[-1] = (joined[-1][0] * count, a, b)
        else:
            joined.append((count, a, b))
    sizes, left_steps, right_steps = (tuple(d[i] for d in joined) for i in range(3))
    return Batch(sizes, left_steps, right_steps, (left.start, right.start))
