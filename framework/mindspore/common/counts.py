"""Functions with MindSpore's signatures that count elements or find where they belong; in both modes unless sizes depend on values."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.promotion import promote
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.statistics import along
from mindspore.common.tensor_class import Tensor

_add = function("add")
_cast = function("cast")
_div = function("div")
_equal = function("equal")
_floor = function("floor")
_full = function("full")
_iota = function("iota")
_less = function("less")
_less_equal = function("less_equal")
_logical_and = function("logical_and")
_minimum = function("minimum")
_mul = function("mul")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_search_positions = function("search_positions")
_select = function("select")
_sub = function("sub")
_tensor_scatter_elements = function("tensor_scatter_elements")


def searchsorted(
    sorted_sequence: Any, values: Any, *, out_int32: bool = False, right: bool = False, side: Any = None, sorter: Any = None
) -> Any:  # fmt: skip
    """Where `values` would have to be inserted to keep `sorted_sequence` in order: before equal ones, with `right` behind them.

    Args:
        sorted_sequence: a vector, or rows along the last dimension with the leading dimensions of `values`.
        values: a tensor, or for a vector also a number.
        out_int32: int32 positions instead of int64.
        right, side: "right" is the same as `right`.
        sorter: positions that bring `sorted_sequence` in order when it is not.

    Raises:
        ValueError: an unknown `side`, one that contradicts `right`, or shapes that do not fit.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.searchsorted(Tensor([1.0, 3.0, 5.0]), Tensor([3.0, 0.0, 8.0])))
        [1 0 3]
    """
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ValueError(
            f"For 'searchsorted', the 'side' must be 'left' or 'right' and agree with 'right', but got {side!r} and {right}."
        )
    given = values if isinstance(values, Tensor) else Tensor(values, sorted_sequence.dtype)
    rows = sorted_sequence if sorter is None else along(sorted_sequence, _cast(sorter, dt.int64))
    if rows.ndim != 1 and rows.shape[:-1] != given.shape[:-1]:
        raise ValueError(
            f"For 'searchsorted', the 'sorted_sequence' must be a vector or have the leading dimensions of 'values', "
            f"but got shapes {rows.shape} and {given.shape}."
        )
    kind = _common_type(rows.dtype, given.dtype)
    found = _search_positions(_cast(rows, kind), _cast(given, kind), right or side == "right")
    return _cast(found, dt.int32) if out_int32 else found


def _common_type(first: Any, second: Any) -> Any:
    return promote(first, second)


_common_type.__constexpr__ = True  # type: ignore[attr-defined]


def bucketize(input: Any, boundaries: Any, *, right: bool = False) -> Any:
    """The int32 number of the bucket between `boundaries`, in ascending order, of each element; with `right` a boundary belongs to the
    bucket above it.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.bucketize(Tensor([3.0, 0.0, 8.0]), [1.0, 3.0, 5.0]))
        [1 0 3]
    """
    borders = Tensor(list(boundaries), dt.float32)
    return searchsorted(borders, f.cast(input, dt.float32), out_int32=True, right=right)


def histc(input: Any, bins: int = 100, min: float = 0.0, max: float = 0.0) -> Any:
    """How many elements lie in each of `bins` parts of equal width from `min` to `max`, or of the elements' own range when both are 0.

    Args:
        input: the counts have its element type.
        bins: how many parts.
        min, max: the range; elements outside are not counted, `max` belongs to the last part.

    Raises:
        ValueError: `bins` below 1, or `max` below `min`.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.histc(Tensor([1.0, 2.0, 1.0]), 4, 0.0, 3.0))
        [0. 2. 1. 0.]
    """
    if bins < 1 or max < min:
        raise ValueError(
            f"For 'histc', the 'bins' must be above 0 and 'max' not below 'min', but got {bins}, {min} and {max}."
        )
    x = f.ravel(f.cast(input, dt.float64))
    own = min == 0 and max == 0
    low = f.amin(x) if own else Tensor(min, dt.float64)
    high = f.amax(x) if own else Tensor(max, dt.float64)
    single = _equal(low, high)
    low, high = _select(single, _sub(low, 1.0), low), _select(single, _add(high, 1.0), high)
    inside = _logical_and(_less_equal(low, x), _less_equal(x, high))
    place = _floor(_mul(_div(_sub(x, low), _sub(high, low)), float(bins)))
    place = _cast(_minimum(_select(inside, place, 0.0), float(bins - 1)), dt.int64)
    empty = _full((bins,), 0, dt.int64)
    return _cast(_tensor_scatter_elements(empty, place, _cast(inside, dt.int64), 0, "add"), input.dtype)


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number from 0 to the largest one is there, or the sum of its `weights`; float32. Only in PYNATIVE mode.

    Raises:
        ValueError: a negative number, an input that is no vector, or `weights` of another shape.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, ops
        >>> print(ops.bincount(Tensor([1, 2, 1], ms.int64)))
        [0. 2. 1.]
    """
    numbers = input.asnumpy()
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or (numbers.size and numbers.min() < 0):
        raise ValueError(
            f"For 'bincount', the 'input' must be a vector of integers that are not negative, but got {input!r}."
        )
    given = None if weights is None else weights.asnumpy()
    if given is not None and given.shape != numbers.shape:
        raise ValueError(f"For 'bincount', the 'weights' must have the shape {numbers.shape}, but got {given.shape}.")
    return Tensor(np.bincount(numbers, given, minlength).astype(np.float32))


def unique(input: Any) -> Any:
    """The distinct elements in the order in which they come first, and for each element the position of its own among them.

    Positions are int64 for int64 elements, else int32. Only in PYNATIVE mode: the size of the result depends on the values.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> values, places = ops.unique(Tensor([3, 1, 3, 2]))
        >>> print(values, places)
        [3 1 2] [0 1 0 2]
    """
    values, first, inverse = np.unique(input.asnumpy(), return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    places = rank[inverse.reshape(-1)].reshape(input.shape).astype(np.int64 if input.dtype is dt.int64 else np.int32)
    return Tensor(values[order], input.dtype), Tensor(places)


def unique_with_pad(x: Any, pad_num: Any) -> Any:
    """`unique` of a vector, filled up with `pad_num` to the size of the vector."""
    values, places = unique(x)
    rest = np.full(x.shape[0] - values.shape[0], pad_num, values.asnumpy().dtype)
    return Tensor(np.concatenate([values.asnumpy(), rest]), x.dtype), places


def unique_consecutive(input: Any, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """The elements (slices along `dim`) without those that equal the one before. Only in PYNATIVE mode.

    Args:
        input: a tensor.
        return_inverse: also, for each element, the int64 position of its own in the result.
        return_counts: also how many elements each one stands for.
        dim: None: of the elements as one row.
    """
    array = input.asnumpy()
    rows = array.reshape(-1, 1) if dim is None else np.moveaxis(array, dim, 0).reshape(array.shape[dim], -1)
    starts = np.ones(len(rows), bool)
    starts[1:] = (rows[1:] != rows[:-1]).any(1)
    kept = np.flatnonzero(starts)
    values = array.reshape(-1)[kept] if dim is None else np.take(array, kept, dim)
    inverse = np.cumsum(starts) - 1
    results = [Tensor(np.ascontiguousarray(values), input.dtype)]
    if return_inverse:
        results.append(Tensor(inverse.reshape(array.shape) if dim is None else inverse, dt.int64))
    if return_counts:
        results.append(Tensor(np.diff([*kept, len(rows)]), dt.int64))
    return tuple(results) if len(results) > 1 else results[0]


def intopk(x1: Any, x2: Any, k: int) -> Any:
    """Whether the element that `x2` names in each row of `x1` is among the `k` largest; False where it names none.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, ops
        >>> print(ops.intopk(Tensor([[1.0, 8.0, 5.0]]), Tensor([2], ms.int32), 1))
        [False]
    """
    named = _cast(x2, dt.int64)
    place = f.clamp(named, 0, x1.shape[1] - 1)
    above = _reduce_sum(_cast(_less(along(x1, f.expand_dims(place, 1)), x1), dt.int64), 1)
    return _logical_and(_equal(named, place), _less(above, k))


def sequence_mask(lengths: Any, maxlen: Any = None) -> Any:
    """Bool rows that are true up to each length, of `maxlen` elements, which graph mode needs; else of the largest length."""
    size = int(lengths.asnumpy().max()) if maxlen is None else maxlen
    return _less(_iota((size,)), f.expand_dims(_cast(lengths, dt.int64), -1))


METHODS = {each.__name__: each for each in (bincount, histc, unique, unique_consecutive, unique_with_pad)}
"""Functions that are methods of tensors as well."""
FUNCTIONS = {**METHODS, **{each.__name__: each for each in (bucketize, intopk, searchsorted, sequence_mask)}}
