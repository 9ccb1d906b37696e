"""Sizes of windows: attributes as MindSpore takes them, padding, and how many windows fit."""

from __future__ import annotations

from operator import index
from typing import Any

from mindspore.base.shapes import Shape

PAD_MODES = ("valid", "same", "pad")
Pairs = tuple[tuple[int, int], ...]


def each_dimension(op: str, attribute: str, given: Any, rank: int, least: int = 1) -> Shape:
    """One int per spatial dimension: from one int, one per dimension, or with 1 for batch and channels in front."""
    listed = tuple(given) if isinstance(given, tuple | list) else (given,) * rank
    if any(isinstance(n, bool) or not hasattr(n, "__index__") for n in listed):
        raise TypeError(f"{op}: attribute {attribute!r} must be an int or a tuple of ints, but got {given!r}.")
    if len(listed) == rank + 2:
        listed = listed[2:]
    if len(listed) != rank or any(index(n) < least for n in listed):
        raise ValueError(
            f"{op}: attribute {attribute!r} must hold {rank} numbers of at least {least}, but got {given!r}."
        )
    return tuple(index(n) for n in listed)


def window_pads(op: str, pad_mode: Any, pad: Any, sizes: Shape, reach: Shape, strides: Shape) -> Pairs:
    """What is added before and after each dimension; `reach` is the size of a window with its gaps."""
    mode = pad_mode.lower() if isinstance(pad_mode, str) else pad_mode
    if mode not in PAD_MODES:
        raise ValueError(f"{op}: attribute 'pad_mode' must be one of {', '.join(PAD_MODES)}, but got {pad_mode!r}.")
    given = tuple(pad) if isinstance(pad, tuple | list) else (pad,) * (2 * len(sizes))
    if len(given) != 2 * len(sizes) or any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in given):
        raise ValueError(
            f"{op}: attribute 'pad' must be an int or {2 * len(sizes)} ints of at least 0, but got {pad!r}."
        )
    if mode == "pad":
        return tuple(zip(given[::2], given[1::2], strict=True))
    if any(given):
        raise ValueError(
            f"{op}: attribute 'pad' must be 0 unless 'pad_mode' is 'pad', but got {pad!r} and {pad_mode!r}."
        )
    if mode == "valid":
        return ((0, 0),) * len(sizes)
    totals = [max((-(-n // s) - 1) * s + r - n, 0) for n, s, r in zip(sizes, strides, reach, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals)


def window_counts(sizes: Shape, reach: Shape, strides: Shape, pads: Pairs) -> Shape:
    """How many windows fit along each dimension."""
    return tuple(
        (n + before + after - r) // s + 1 for n, r, s, (before, after) in zip(sizes, reach, strides, pads, strict=True)
    )
