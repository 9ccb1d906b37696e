"""Small windows inside their plane as maps: every tap is a strided view, so that what comes before and after is computed with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, row_major_strides
from mindspore.ir.types import TensorType
from mindspore.kernels import access as acc
from mindspore.kernels import window_vectors
from mindspore.kernels.access import Access
from mindspore.primitives.scalar import Expr, trace

MOST_TAPS = 9
"""Taps up to which a window is written out."""
KINDS = ("max", "index", "sum")


def suits(kind: str, x: TensorType, attrs: Mapping[str, Any]) -> bool:
    """Whether the windows of `x` are few known elements, none of them in the padding."""
    numbers = (*x.shape, *attrs["kernel"], *attrs["strides"], *attrs["dilation"])
    known = all(type(n) is int for n in numbers)
    if kind not in KINDS or not known or prod(attrs["kernel"]) > MOST_TAPS or any(map(any, attrs["pads"])):
        return False
    return not window_vectors.pairs(kind, x.dtype, attrs)


def views(x: Shape, counts: Shape, attrs: Mapping[str, Any]) -> list[Access]:
    """For each tap, in row-major order, the element of each window."""
    rank = len(attrs["kernel"])
    rows = row_major_strides(x)[-rank:]
    steps = [s * r for s, r in zip(attrs["strides"], rows, strict=True)]
    planes, plane = prod(x[:-rank]), prod(x[-rank:])
    return [
        acc.collapsed((planes, *counts), (plane, *steps), offset)
        for offset in _offsets(x, attrs)
    ]  # fmt: skip


def _offsets(x: Shape, attrs: Mapping[str, Any]) -> list[int]:
    rank = len(attrs["kernel"])
    weights = [d * r for d, r in zip(attrs["dilation"], row_major_strides(x)[-rank:], strict=True)]
    taps = product(*map(range, attrs["kernel"]))
    return [sum(t * w for t, w in zip(tap, weights, strict=True)) for tap in taps]


def places(x: Shape, counts: Shape, attrs: Mapping[str, Any]) -> Access:
    """The place in its plane of the first element of each window."""
    rank = len(attrs["kernel"])
    steps = [s * r for s, r in zip(attrs["strides"], row_major_strides(x)[-rank:], strict=True)]
    return acc.collapsed((prod(x[:-rank]), *counts), (0, *steps))


def body(kind: str, x: TensorType, attrs: Mapping[str, Any]) -> Expr:
    """What is computed from the taps, and for ``index`` from the place of the first one, which comes last."""
    count = prod(attrs["kernel"])

    def folded(s: Any, *taps: Expr) -> Expr:
        found = taps[0]
        for tap in taps[1:]:
            found = s.maximum(found, tap) if kind == "max" else s.add(found, tap)
        return found

    def placed(s: Any, *operands: Expr) -> Expr:
        *taps, first = operands
        best: Expr = taps[0]
        place: Expr = s.const(0, dt.int32)
        for tap, offset in zip(taps[1:], _offsets(x.shape, attrs)[1:], strict=True):
            # the first NaN is the largest: a later one is not greater than it
            better = s.logical_and(s.logical_not(s.le(tap, best)), s.eq(best, best))
            best, place = s.select(better, tap, best), s.select(better, s.const(offset, dt.int32), place)
        whole: Expr = s.add(s.cast(first, dt.int32), place)
        return whole

    operands: Sequence[Any] = (x.dtype,) * count
    return trace(placed, (*operands, dt.int64)) if kind == "index" else trace(folded, tuple(operands))
