"""Interprets the `compute` records of windows and strided products one element at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import PlaneConvolution, Products, Strided, StridedProduct, Windows
from mindspore.primitives.plane_convolution import padded


def evaluate_products(record: Products, operands: Sequence[Any], out: TensorType, attrs: Mapping[str, Any]) -> Any:
    """Every product by its places; no element of the output may be written twice."""
    result = np.zeros(prod(out.shape), dt.to_numpy(out.dtype))
    written = np.zeros(result.size, np.int64)
    left, right = (o.reshape(-1) for o in operands)
    for p in attrs["products"]:
        for group, row, column in product(range(p.groups), range(p.rows), np.ndindex(*p.columns)):
            steps = list(np.ndindex(*p.depth))
            a = [left[_place(p, p.a, group, row, k, ())] for k in steps]
            b = [right[_place(p, p.b, group, 0, k, column)] for k in steps]
            target = _place(p, p.c, group, row, (), column)
            result[target] = np.dot(np.array(a, left.dtype), np.array(b, right.dtype)) if steps else 0
            written[target] += 1
    assert (written <= 1).all(), "products write an element twice"
    return result.reshape(out.shape)


def _place(p: StridedProduct, of: Strided, group: int, row: int, k: Sequence[int], column: Sequence[int]) -> int:
    along = [*zip(of.depth, k, strict=False), *zip(of.columns, column, strict=False)]
    place = of.offset + of.group * group + of.row * row + sum(s * i for s, i in along)
    assert place >= 0, f"{p} reads before its operand"
    return place


def evaluate_windows(record: Windows, operands: Sequence[Any], out: TensorType, attrs: Mapping[str, Any]) -> Any:
    """Every window with the places of its elements."""
    rank, kind = len(attrs["kernel"]), record.kind
    kernel_type = dt.to_numpy(out.dtype)
    windows, planes = (operands[0].shape, out.shape) if kind in ("spread", "place") else (out.shape, operands[0].shape)
    result = np.zeros(out.shape, kernel_type).reshape(-1, prod(out.shape[-rank:]))
    given = [o.reshape(-1, prod(o.shape[-rank:])) for o in operands]
    for number, window in enumerate(np.ndindex(*windows[-rank:])):
        places = list(_places(window, planes[-rank:], attrs))
        for row in range(len(result)):
            _window(kind, row, number, places, given, result)
    return result.reshape(out.shape)


def _window(kind: str, row: int, number: int, places: list[int], given: list[Any], result: Any) -> None:
    if kind in ("max", "index"):
        values = [given[0][row, p] for p in places]
        best = next((i for i, v in enumerate(values) if np.isnan(v)), int(np.argmax(values)))
        result[row, number] = values[best] if kind == "max" else places[best]
    elif kind == "sum":
        result[row, number] = sum((given[0][row, p] for p in places), start=given[0].dtype.type(0))
    elif kind == "spread":
        for place in places:
            result[row, place] += given[0][row, number]
    elif kind == "take":
        result[row, number] = given[0][row, given[1][row, number]]
    else:
        assert kind == "place"
        result[row, given[1][row, number]] += given[0][row, number]


def _places(window: tuple[int, ...], plane: tuple[int, ...], attrs: Mapping[str, Any]) -> Iterator[int]:
    for tap in np.ndindex(*attrs["kernel"]):
        along = [
            w * s - before + t * d
            for w, s, (before, _), t, d in zip(
                window, attrs["strides"], attrs["pads"], tap, attrs["dilation"], strict=True
            )
        ]
        if all(0 <= i < n for i, n in zip(along, plane, strict=True)):
            yield int(np.ravel_multi_index(along, plane))


def evaluate_planes(record: PlaneConvolution, operands: Sequence[Any], convolution: Any, turned: bool) -> Any:
    """Tap by tap and channel by channel: a strided view of the padded planes for each weight."""
    given, x = operands
    c = convolution
    inside, made = c.inputs // c.group, c.outputs // c.group
    planes = padded(x, c)
    result = np.zeros(c.out if record.kind == "forward" else c.weight, x.dtype)
    weights = given.reshape(c.group, inside, made, *c.kernel) if turned else given
    for o, i, (ky, kx) in product(range(c.outputs), range(inside), np.ndindex(*c.kernel)):
        rows, columns = (
            slice(k * d, k * d + (count - 1) * stride + 1, stride)
            for k, d, count, stride in zip((ky, kx), c.dilation, c.windows, c.strides, strict=True)
        )
        group, within = divmod(o, made)
        seen = planes[:, group * inside + i, rows, columns]
        if record.kind == "filter":
            result[o, i, ky, kx] = (given[:, o] * seen).sum()
        else:
            weight = weights[group, i, within, -1 - ky, -1 - kx] if turned else weights[o, i, ky, kx]
            result[:, o] += weight * seen
    return result
