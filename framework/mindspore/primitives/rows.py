"""How operators that move elements do so for each row of a batch: their attributes leave its dimension, the first, as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mindspore.base.shapes import normalize_axes, normalize_axis


def ranked(b: Any, value: Any, rank: int) -> Any:
    """A value with rows and, behind them, `rank` dimensions; new ones have size 1."""
    shape = b.shape(value)
    missing = rank + 1 - len(shape)
    return b.reshape(value, shape=(shape[0], *(1,) * missing, *shape[1:])) if missing > 0 else value


def all_rows(b: Any, size: int, inputs: Sequence[Any], rows: Sequence[bool]) -> list[Any]:
    """Every input with rows."""
    return [v if r else b.broadcast_to(v, shape=(size, *b.shape(v))) for v, r in zip(inputs, rows, strict=True)]


def same(name: str) -> Any:
    """The operator of one input without attributes, on whole batches."""
    return lambda b, size, inputs, rows, out: getattr(b, name)(*inputs)


def transpose(b: Any, size: int, inputs: Any, rows: Any, out: Any, perm: Any) -> Any:
    return b.transpose(inputs[0], perm=(0, *(p % out.rank + 1 for p in perm)))


def broadcast_to(b: Any, size: int, inputs: Any, rows: Any, out: Any, shape: Any) -> Any:
    return b.broadcast_to(ranked(b, inputs[0], out.rank), shape=(size, *out.shape))


def concat(b: Any, size: int, inputs: Any, rows: Any, out: Any, axis: int) -> Any:
    return b.concat(*all_rows(b, size, inputs, rows), axis=normalize_axis(axis, out.rank) + 1)


def stack(b: Any, size: int, inputs: Any, rows: Any, out: Any, axis: int) -> Any:
    return b.stack(*all_rows(b, size, inputs, rows), axis=normalize_axis(axis, out.rank) + 1)


def strided_slice(b: Any, size: int, inputs: Any, rows: Any, out: Any, begin: Any, end: Any, strides: Any) -> Any:
    return b.strided_slice(inputs[0], begin=(0, *begin), end=(size, *end), strides=(1, *strides))


def strided_slice_grad(
    b: Any, size: int, inputs: Any, rows: Any, out: Any, shape: Any, begin: Any, end: Any, strides: Any
) -> Any:
    box = {"begin": (0, *begin), "end": (size, *end), "strides": (1, *strides)}
    return b.strided_slice_grad(inputs[0], shape=(size, *shape), **box)


def tile(b: Any, size: int, inputs: Any, rows: Any, out: Any, multiples: Any) -> Any:
    repeats = (1,) * (out.rank - len(multiples)) + tuple(multiples)
    return b.tile(ranked(b, inputs[0], out.rank), multiples=(1, *repeats))


def pad(b: Any, size: int, inputs: Any, rows: Any, out: Any, paddings: Any, value: Any) -> Any:
    return b.pad(inputs[0], paddings=((0, 0), *paddings), value=value)


def reverse(b: Any, size: int, inputs: Any, rows: Any, out: Any, axis: Any) -> Any:
    axes = normalize_axes(axis, out.rank) if isinstance(axis, int) or len(axis) else ()
    return b.reverse_v2(inputs[0], axis=tuple(a + 1 for a in axes))


def masked_fill(b: Any, size: int, inputs: Any, rows: Any, out: Any) -> Any:
    x, mask, value = (ranked(b, v, out.rank) if r else v for v, r in zip(inputs, rows, strict=True))
    return b.select(mask, value, x)
