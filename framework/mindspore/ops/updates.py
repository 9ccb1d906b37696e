"""Functions with MindSpore's signatures that slice, and those that write into Parameters at indices."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common.choosing import repeat_interleave
from mindspore.common.eager import function
from mindspore.common.parameter import Parameter
from mindspore.common.state import assign

_arange = function("arange")
_cast = function("cast")
_expand_dims = function("expand_dims")
_gather = function("gather")
_index_add = function("index_add")
_equal = function("equal")
_select = function("select")
_stop_gradient = function("stop_gradient")


def _windows(begin: Any, size: Any) -> tuple[Any, ...]:
    """The slices of `slice`."""
    if any(b < 0 for b in begin) or any(s < -1 for s in size) or len(begin) != len(size):
        raise ValueError(
            f"For 'slice', 'begin' must hold numbers that are not negative and 'size' as many from -1 on, but got {begin} and {size}."
        )
    return tuple(builtins.slice(b, None if s == -1 else b + s) for b, s in zip(begin, size, strict=True))


_windows.__constexpr__ = True  # type: ignore[attr-defined]


def slice(input_x: Any, begin: Any, size: Any) -> Any:
    """`size` elements from `begin` on along each dimension; a size of -1 takes the rest.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.slice(Tensor([[1, 2, 3], [4, 5, 6]]), (0, 1), (-1, 2)))
        [[2 3]
         [5 6]]
    """
    return input_x[_windows(begin, size)]


def _masked(begin: Any, end: Any, strides: Any, masks: Any) -> tuple[Any, ...]:
    """Python's index for a strided slice: bit i of each mask is about entry i."""
    begins, ends, ellipses, news, shrinks = masks
    if not len(begin) == len(end) == len(strides):
        raise ValueError(
            f"For 'strided_slice', 'begin', 'end' and 'strides' must have one length, but got {begin}, {end} and {strides}."
        )
    if ellipses & (ellipses - 1):
        raise ValueError(f"For 'strided_slice', 'ellipsis_mask' must have at most one bit, but got {ellipses:#b}.")
    index: list[Any] = []
    for i, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        bit = 1 << i
        if step == 0:
            raise ValueError(f"For 'strided_slice', 'strides' must not contain 0, but got {strides}.")
        if ellipses & bit:
            index.append(Ellipsis)
        elif news & bit:
            index.append(None)
        elif shrinks & bit:
            index.append(first)
        else:
            index.append(builtins.slice(None if begins & bit else first, None if ends & bit else last, step))
    return tuple(index)


_masked.__constexpr__ = True  # type: ignore[attr-defined]


def strided_slice(
    input_x: Any, begin: Any, end: Any, strides: Any, begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0,
    new_axis_mask: int = 0, shrink_axis_mask: int = 0,
) -> Any:  # fmt: skip
    """The elements that Python's slice ``begin:end:stride`` takes in each dimension.

    Args:
        input_x: a tensor.
        begin, end, strides: ints, one for each entry.
        begin_mask, end_mask: entries whose bit is set ignore `begin` or `end`.
        ellipsis_mask: the entry whose bit is set stands for ``...``; new_axis_mask: for a new dimension; shrink_axis_mask: for the one
            position `begin`, without the dimension.
    """
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return input_x[_masked(begin, end, strides, masks)]


def range(start: Any, end: Any, step: Any, maxlen: int = 1000000) -> Any:
    """The numbers from `start` to below `end`, which are known; int64 for ints, else float32."""
    whole = isinstance(start, int) and isinstance(end, int) and isinstance(step, int)
    return _arange(start, end, step, dt.int64 if whole else dt.float32)


def repeat_elements(x: Any, rep: int, axis: int = 0) -> Any:
    """Each slice along `axis` repeated `rep` times, one behind the other."""
    return repeat_interleave(x, rep, axis)


def embedding(input: Any, weight: Any, padding_idx: Any = None) -> Any:
    """The rows of `weight` that `input` names; the row `padding_idx` gets no gradient."""
    rows = _gather(weight, input, 0)
    if padding_idx is None:
        return rows
    padded = padding_idx + weight.shape[0] if padding_idx < 0 else padding_idx
    return _select(_expand_dims(_equal(input, padded), -1), _stop_gradient(rows), rows)


def index_add(x: Any, indices: Any, y: Any, axis: int, use_lock: bool = True, check_index_bound: bool = True) -> Any:
    """`x` with the slices of `y` added at `indices` along `axis`; a Parameter is changed itself."""
    return written(x, _index_add(x, indices, _cast(y, x.dtype), axis))


def written(target: Any, value: Any) -> Any:
    """`value`, written into `target` when that is a Parameter."""
    return assign(target, value) if isinstance(target, Parameter) else value


def _slices(kind: str) -> Callable[..., Any]:
    """``(input_x, indices, updates)``: slices of a Parameter, by the first dimension."""
    scatter = function(f"tensor_scatter_{kind}")

    def changed(input_x: Any, indices: Any, updates: Any) -> Any:
        return assign(input_x, scatter(input_x, _expand_dims(indices, -1), _cast(updates, input_x.dtype)))

    return _named(changed, f"scatter_{kind}", "Slices of a Parameter at indices of its first dimension")


def _points(kind: str) -> Callable[..., Any]:
    """``(input_x, indices, updates)``: elements or slices of a Parameter at points."""
    scatter = function(f"tensor_scatter_{kind}")

    def changed(input_x: Any, indices: Any, updates: Any) -> Any:
        return assign(input_x, scatter(input_x, indices, _cast(updates, input_x.dtype)))

    return _named(changed, f"scatter_nd_{kind}", "Elements or slices of a Parameter at points")


def _named(made: Callable[..., Any], name: str, what: str) -> Callable[..., Any]:
    made.__name__ = made.__qualname__ = name
    made.__doc__ = f"{what} changed in place by `updates`, in their order; gives the Parameter."
    return made


KINDS = ("update", "add", "sub", "mul", "div", "max", "min")
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    made.__name__: made for kind in KINDS for made in (_slices(kind), _points(kind))
}
