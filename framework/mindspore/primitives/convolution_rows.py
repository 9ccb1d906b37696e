"""Convolutions for each row of a batch: rows of images are more images; rows of weights are more groups of channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.primitives.rows import all_rows

Family = Callable[..., Callable[..., Any]]
"""``(b)``, ``(b, "input")`` and ``(b, "filter")`` give the convolution and its gradients for a number of dimensions."""


def convolution(family: Family) -> Any:
    def rule(b: Any, size: int, inputs: Sequence[Any], rows: Sequence[bool], out: Any, **attrs: Any) -> Any:
        x, weight = inputs
        if not rows[1]:
            return _apart(b, family(b)(_together(b, x), weight, **attrs), size)
        images, weights = all_rows(b, size, inputs, rows)
        return _rows_of_channels(
            b, family(b)(_channels(b, images), _together(b, weights), **_groups(size, attrs)), size
        )

    return rule


def backprop_input(family: Family) -> Any:
    def rule(
        b: Any, size: int, inputs: Sequence[Any], rows: Sequence[bool], out: Any, input_size: Any, **attrs: Any
    ) -> Any:
        d, weight = inputs
        n, c, *plane = input_size
        if not rows[1]:
            found = family(b, "input")(_together(b, d), weight, input_size=(size * n, c, *plane), **attrs)
            return _apart(b, found, size)
        given, weights = all_rows(b, size, inputs, rows)
        found = family(b, "input")(
            _channels(b, given), _together(b, weights), input_size=(n, size * c, *plane), **_groups(size, attrs)
        )
        return _rows_of_channels(b, found, size)

    return rule


def backprop_filter(family: Family) -> Any:
    def rule(
        b: Any, size: int, inputs: Sequence[Any], rows: Sequence[bool], out: Any, filter_size: Any, **attrs: Any
    ) -> Any:
        d, x = (_channels(b, v) for v in all_rows(b, size, inputs, rows))
        o, *rest = filter_size
        return _apart(b, family(b, "filter")(d, x, filter_size=(size * o, *rest), **_groups(size, attrs)), size)

    return rule


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
    return b.reshape(b.transpose(value, perm=_swapped(b, value)), shape=(n, rows * c, *rest))


def _rows_of_channels(b: Any, value: Any, size: int) -> Any:
    n, c, *rest = b.shape(value)
    apart = b.reshape(value, shape=(n, size, c // size, *rest))
    return b.transpose(apart, perm=_swapped(b, apart))


def _swapped(b: Any, value: Any) -> tuple[int, ...]:
    """The dimensions with the first two exchanged."""
    return (1, 0, *range(2, len(b.shape(value))))


def _groups(size: int, attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {**attrs, "group": size * attrs["group"], "out_channel": size * attrs["out_channel"]}
