"""Convolutions for each row of a batch: rows of images are more images; rows of weights are more groups of channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mindspore.primitives.rows import all_rows


def conv2d(b: Any, size: int, inputs: Sequence[Any], rows: Sequence[bool], out: Any, **attrs: Any) -> Any:
    x, weight = inputs
    if not rows[1]:
        return _apart(b, b.conv2d(_together(b, x), weight, **attrs), size)
    images, weights = all_rows(b, size, inputs, rows)
    return _rows_of_channels(b, b.conv2d(_channels(b, images), _together(b, weights), **_groups(size, attrs)), size)


def backprop_input(
    b: Any, size: int, inputs: Sequence[Any], rows: Sequence[bool], out: Any, input_size: Any, **attrs: Any
) -> Any:
    d, weight = inputs
    n, c, *plane = input_size
    if not rows[1]:
        found = b.conv2d_backprop_input(_together(b, d), weight, input_size=(size * n, c, *plane), **attrs)
        return _apart(b, found, size)
    given, weights = all_rows(b, size, inputs, rows)
    found = b.conv2d_backprop_input(
        _channels(b, given), _together(b, weights), input_size=(n, size * c, *plane), **_groups(size, attrs)
    )
    return _rows_of_channels(b, found, size)


def backprop_filter(
    b: Any, size: int, inputs: Sequence[Any], rows: Sequence[bool], out: Any, filter_size: Any, **attrs: Any
) -> Any:
    d, x = (_channels(b, v) for v in all_rows(b, size, inputs, rows))
    o, *rest = filter_size
    return _apart(b, b.conv2d_backprop_filter(d, x, filter_size=(size * o, *rest), **_groups(size, attrs)), size)


def _together(b: Any, value: Any) -> Any:
    """(B, N, ...) as (B N, ...)."""
    rows, n, *rest = b.shape(value)
    return b.reshape(value, shape=(rows * n, *rest))


def _apart(b: Any, value: Any, size: int) -> Any:
    n, *rest = b.shape(value)
    return b.reshape(value, shape=(size, n // size if size else 0, *rest))


def _channels(b: Any, value: Any) -> Any:
    """(B, N, C, ...) as (N, B C, ...)."""
    rows, n, c, *rest = b.shape(value)
    return b.reshape(b.transpose(value, perm=(1, 0, 2, 3, 4)), shape=(n, rows * c, *rest))


def _rows_of_channels(b: Any, value: Any, size: int) -> Any:
    n, c, *rest = b.shape(value)
    return b.transpose(b.reshape(value, shape=(n, size, c // size, *rest)), perm=(1, 0, 2, 3, 4))


def _groups(size: int, attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {**attrs, "group": size * attrs["group"], "out_channel": size * attrs["out_channel"]}
