"""Limiting values and norms. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.methods import Tensor

__all__ = ["clip_by_global_norm", "clip_by_value"]

_add = function("add")
_cast = function("cast")
_div = function("div")
_maximum = function("maximum")
_mul = function("mul")
_reduce_sum = function("reduce_sum")
_sqrt = function("sqrt")
_square = function("square")


def clip_by_value(x: Any, clip_value_min: Any = None, clip_value_max: Any = None) -> Any:
    """Limited to the range; one of the limits may be None. Of a tuple or list, each tensor."""
    if isinstance(x, tuple | list):
        parts = [clip_by_value(each, clip_value_min, clip_value_max) for each in x]
        return parts if isinstance(x, list) else tuple(parts)
    return f.clamp(x, clip_value_min, clip_value_max)


def clip_by_global_norm(x: Any, clip_norm: Any = 1.0, use_norm: Any = None) -> Any:
    """Tensors scaled so that the root of the sum of all their squares is at most `clip_norm`.

    Args:
        x: a tuple or list of floating tensors.
        clip_norm: the largest norm, above 0.
        use_norm: must be None: the norm of `x` is used.

    Returns:
        A tuple or list like `x`: each tensor times ``clip_norm / max(norm, clip_norm)``.

    Raises:
        TypeError: `x` is no tuple or list of tensors; `clip_norm` is no number.
        ValueError: `clip_norm` is not above 0, `x` is empty, or `use_norm` is given.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> clipped = ops.clip_by_global_norm((Tensor([3.0]), Tensor([4.0])))
        >>> print([round(t.item(), 3) for t in clipped])
        [0.6, 0.8]
    """
    _check_norm(x, clip_norm, use_norm)
    squares = [_reduce_sum(_square(each), (), False) for each in x]
    total = squares[0]
    for each in squares[1:]:
        total = _add(total, each)
    norm = _sqrt(total)
    factor = _div(clip_norm, _maximum(norm, clip_norm))
    scaled = [_cast(_mul(each, factor), each.dtype) for each in x]
    return scaled if isinstance(x, list) else tuple(scaled)


def _check_norm(x: Any, clip_norm: Any, use_norm: Any) -> None:
    if not isinstance(x, tuple | list) or not all(isinstance(each, Tensor) for each in x):
        raise TypeError("For 'clip_by_global_norm', 'x' must be a tuple or list of Tensors.")
    if len(x) == 0:
        raise ValueError("For 'clip_by_global_norm', 'x' must not be empty.")
    if not isinstance(clip_norm, int | float) or isinstance(clip_norm, bool):
        raise TypeError(f"For 'clip_by_global_norm', the argument 'clip_norm' must be a number, but got {clip_norm}.")
    if clip_norm <= 0:
        raise ValueError(f"For 'clip_by_global_norm', the argument 'clip_norm' must > 0.0, but got {clip_norm}.")
    if use_norm is not None:
        raise ValueError(f"For 'clip_by_global_norm', 'use_norm' must be None, but got {use_norm}.")
