"""Boxes as nests: one fills, one copies each box."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.base.dtypes import DType
from mindspore.base.shapes import size
from mindspore.ir.types import TensorType
from mindspore.kernels.nest import CHUNK, Item, Nest
from mindspore.kernels.program import Boxes
from mindspore.primitives.compute import Copy
from mindspore.primitives.scalar import Expr

SEPARATE = 1 << 12
"""Elements from which boxes are copied by ahead-of-time kernels: code of their own would be compiled for nothing."""
SHORT = 32
"""Neighbours below which a loop that knows their number is faster."""


def separate(boxes: Sequence[Copy], output: TensorType) -> bool:
    """Whether kernels copy these boxes; LLVM writes loops over few neighbours in full where it knows how many."""
    return size(output.shape) >= SEPARATE and all(_joined(b)[-1][0] >= SHORT for b in boxes if size(b.sizes) > 1)


def fill_nest(step: Boxes) -> Nest | None:
    """Writes the fill everywhere; None when the boxes cover the output."""
    output = step.outputs[0]
    if step.fill is None or sum(size(b.sizes) for b in step.copies) == output.size:
        return None
    value = Item("body", output.dtype, expr=Expr("const", (), output.dtype, step.fill))
    store = Item("store", output.dtype, (0,), 0, (1,))
    return _cut((output.size,), (value, store), (output.dtype,))


def box_nest(box: Copy, dtype: DType) -> Nest:
    """Copies one box; pointers: the input and the output."""
    dims = _joined(box)
    sizes = tuple(n for n, _, _ in dims)
    load = Item("load", dtype, (), 0, tuple(i for _, i, _ in dims), box.in_offset)
    store = Item("store", dtype, (0,), 1, tuple(o for _, _, o in dims), box.out_offset)
    return _cut(sizes, (load, store), (dtype, dtype))


def _joined(box: Copy) -> list[tuple[int, int, int]]:
    """(size, input stride, output stride) per dimension, neighbours joined where both continue; the output's smallest stride last."""
    dims = [d for d in zip(box.sizes, box.in_strides, box.out_strides, strict=True) if d[0] != 1]
    dims.sort(key=lambda d: -abs(d[2]))
    joined: list[tuple[int, int, int]] = []
    for count, given, out in dims:
        if joined and joined[-1][1:] == (given * count, out * count):
            count *= joined.pop()[0]
        joined.append((count, given, out))
    return joined


def _cut(dims: tuple[int, ...], items: tuple[Item, ...], pointers: tuple[DType, ...]) -> Nest:
    chunk = CHUNK if dims and dims[-1] >= 2 * CHUNK else 0
    return Nest(dims[:-1], dims[-1:], (), chunk, items, pointers)
