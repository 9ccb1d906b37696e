"""``repr`` of a tensor: aligned columns, commas, and ``...`` in the middle of dimensions above 6 (a single row: above 1000).

``str`` of a tensor is numpy's own; only ``repr`` has MindSpore's layout.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from mindspore.base.dtypes import DType

_LONGEST_ROW = 1000
_EDGE = 3
_WIDTH = {"float64": (15, 8), "float32": (15, 8), "float16": (11, 4)}

Cells = list[Any]


def describe(array: np.ndarray[Any, Any], dtype: DType) -> str:
    """``Tensor(shape=[2], dtype=Float32, value= [ 1.00000000e+00,  2.00000000e+00])``."""
    head = f"Tensor(shape={list(array.shape)}, dtype={dtype}, value="
    return f"{head}{' ' if array.ndim < 2 else chr(10)}{_body(array, dtype)})"


def _body(array: np.ndarray[Any, Any], dtype: DType) -> str:
    if array.size == 0:
        return ""
    if array.ndim == 0:
        return _scalar(array.item())
    text = _texts(_shown(array, array.ndim > 1 or array.size > _LONGEST_ROW), _formatter(dtype))
    width = max((len(t) for t in _leaves(text)), default=0)
    if dtype.kind == "b" or dtype.attribute in _WIDTH:
        width = max(width, 5 if dtype.kind == "b" else _WIDTH[dtype.attribute][0])
    width = width if dtype.kind != "c" else 0
    return _wrapped(text, width, dtype) if array.ndim == 1 and None not in text else _lines(text, width, 1)


def _scalar(value: Any) -> str:
    if isinstance(value, complex):
        return f"{value.real:g}{value.imag:+g}j"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _formatter(dtype: DType) -> Callable[[Any], str]:
    if dtype.attribute not in _WIDTH:
        return _scalar
    digits = _WIDTH[dtype.attribute][1]
    return lambda value: f"{value:.{digits}e}"


def _shown(array: np.ndarray[Any, Any], summarise: bool) -> Cells:
    """Nested lists of elements; None stands for what is left out."""
    if array.ndim == 0:
        return array.item()  # type: ignore[no-any-return]
    if not summarise or array.shape[0] <= 2 * _EDGE:
        return [_shown(part, summarise) for part in array]
    edges = [[_shown(part, True) for part in side] for side in (array[:_EDGE], array[-_EDGE:])]
    return [*edges[0], None, *edges[1]]


def _texts(cells: Any, form: Callable[[Any], str]) -> Any:
    if isinstance(cells, list):
        return [_texts(c, form) for c in cells]
    return None if cells is None else form(cells)


def _leaves(cells: Any) -> list[str]:
    if isinstance(cells, list):
        return list(chain.from_iterable(_leaves(c) for c in cells))
    return [] if cells is None else [cells]


def _wrapped(cells: Cells, width: int, dtype: DType) -> str:
    """A single row, broken after every 12 wide or 24 narrow elements, also after the last one."""
    count = 12 if dtype.kind == "b" or dtype.attribute in _WIDTH else 24
    lines = [", ".join(c.rjust(width) for c in cells[i : i + count]) for i in range(0, len(cells), count)]
    return f"[{f', {chr(10)} '.join(lines)}{chr(10) + ' ' if len(cells) % count == 0 else ''}]"


def _lines(cells: Cells, width: int, depth: int) -> str:
    """One row on a line; rows below each other, indented by their depth."""
    inner = [c if not isinstance(c, list) else _lines(c, width, depth + 1) for c in cells]
    if any(isinstance(c, list) for c in cells):
        gap = "\n" + " " * depth
        parts = [f"...{gap}" if c is None else f"{c},{gap}" for c in inner[:-1]]
        return f"[{''.join(parts)}{inner[-1]}]"
    row = [c if c is None else c.rjust(width) for c in inner]
    joined = ", ".join("\0" if c is None else c for c in row)
    return f"[{joined.replace(', ' + chr(0) + ',', ' ...')}]"
