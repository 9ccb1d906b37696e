"""Functions over a dimension as a sample, with MindSpore's signatures: orders, quantiles, counts, running extremes; in both modes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common import measures
from mindspore.common.eager import function
from mindspore.common.tensor_class import Tensor

_abs = function("abs")
_add = function("add")
_cast = function("cast")
_concat = function("concat")
_cummax = function("cummax")
_cummin = function("cummin")
_div = function("div")
_equal = function("equal")
_floor = function("floor")
_full = function("full")
_gather_d = function("gather_d")
_isnan = function("isnan")
_less = function("less")
_less_equal = function("less_equal")
_log_cum_sum_exp = function("running_log_sum")
_logical_and = function("logical_and")
_logical_not = function("logical_not")
_maximum = function("maximum")
_minimum = function("minimum")
_mul = function("mul")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_rsqrt = function("rsqrt")
_select = function("select")
_sort = function("sort")
_square = function("square")
_stack = function("stack")
_sub = function("sub")
_tensor_scatter_elements = function("tensor_scatter_elements")


def cummax(input: Any, axis: int) -> Any:
    """The largest element so far along `axis`, and the int64 position of the last one that is as large.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> values, indices = ops.cummax(Tensor([3, 1, 4, 4]), 0)
        >>> print(values, indices)
        [3 3 4 4] [0 0 2 3]
    """
    return _cummax(input, axis)


def cummin(input: Any, axis: int) -> Any:
    """The smallest element so far along `axis`, and the int64 position of the last one that is as small."""
    return _cummin(input, axis)


def logcumsumexp(input: Any, axis: int) -> Any:
    """The logarithm of the running sum of exponentials along `axis`, without overflow.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.logcumsumexp(Tensor([1.0, 2.0, 3.0]), 0))
        [1.        2.3132615 3.407606 ]
    """
    return _log_cum_sum_exp(input, axis)


def _along(x: Any, places: Any) -> Any:
    """The elements of the last dimension at these places."""
    return _gather_d(x, places, x.ndim - 1)


def _flat(x: Any, axis: Any) -> Any:
    """All elements along the last dimension when `axis` is None, else `axis` moved there."""
    if axis is None:
        return f.ravel(x)
    return x if x.ndim == 0 or axis in (-1, x.ndim - 1) else f.swapaxes(x, axis, -1)


def _put_back(x: Any, like: Any, axis: Any, keepdims: bool) -> Any:
    """A result over the last dimension, of size 1 there, where the dimension came from."""
    if axis is None:
        return _reshape(x, (1,) * like.ndim if keepdims else ())
    moved = x if axis in (-1, like.ndim - 1) else f.swapaxes(x, axis, -1)
    return moved if keepdims else f.squeeze(moved, axis)


def _nan_counts(rows: Any) -> Any:
    """How many numbers, not NaN, each row has; int64, dimension kept."""
    if not rows.dtype.is_floating:
        return _full((*rows.shape[:-1], 1), rows.shape[-1], dt.int64)
    return _reduce_sum(_cast(_logical_not(_isnan(rows)), dt.int64), -1, True)


def _middle(input: Any, axis: int, keepdims: bool, with_nan: bool) -> Any:
    if input.ndim == 0:
        return input, _full((), 0, dt.int64)
    rows = _flat(input, axis)
    ordered, places = _sort(rows, -1, False)
    counts = _nan_counts(rows)
    chosen = _maximum(_floor_div(_sub(counts, 1), 2), 0)
    if with_nan:
        # NaN is the largest: with one, it is the result.
        chosen = _select(_less(counts, rows.shape[-1]), rows.shape[-1] - 1, chosen)
    found, place = _along(ordered, chosen), _along(_cast(places, dt.int64), chosen)
    return _put_back(found, input, axis, keepdims), _put_back(place, input, axis, keepdims)


_floor_div = function("floor_div")


def median(input: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """The element in the middle along `axis`, of two the smaller one, and its int64 position; NaN where there is one.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> value, index = ops.median(Tensor([3.0, 1.0, 2.0, 4.0]))
        >>> print(value, index)
        2.0 2
    """
    return _middle(input, axis, keepdims, True)


def nanmedian(input: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """`median` of the elements that are not NaN."""
    return _middle(input, axis, keepdims, False)


def nanmean(input: Any, axis: Any = None, keepdims: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `axis`, all dimensions when None, of the elements that are not NaN."""
    given = input if dtype is None else f.cast(input, dtype)
    count = _reduce_sum(_cast(_logical_not(_isnan(given)), given.dtype), () if axis is None else axis, keepdims)
    return _div(measures.nansum(given, axis, keepdims), count)


def _quantile(owner: str, input: Any, q: Any, axis: Any, keepdims: bool, with_nan: bool) -> Any:
    if not input.dtype.is_floating or input.dtype.itemsize == 2:
        raise TypeError(f"For '{owner}', the 'input' must be float32 or float64, but got {input.dtype}.")
    if isinstance(q, int | float) and not 0 <= q <= 1:
        raise ValueError(f"For '{owner}', the 'q' must be in [0, 1], but got {q}.")
    points = Tensor(q, input.dtype) if isinstance(q, int | float | list | tuple) else q
    rows = _flat(input, axis)
    ordered, counts = _sort(rows, -1, False)[0], _nan_counts(rows)
    count = points.shape[0] if points.ndim else 1
    place = _mul(_cast(_maximum(_sub(counts, 1), 0), input.dtype), _reshape(points, (1,) * (rows.ndim - 1) + (count,)))
    below = _floor(place)
    first = _cast(below, dt.int64)
    second = _minimum(_add(first, 1), _maximum(_sub(counts, 1), 0))
    low, high = _along(ordered, first), _along(ordered, second)
    found = _add(low, _mul(_sub(high, low), _sub(place, below)))
    if with_nan:
        found = _select(_less(counts, rows.shape[-1]), float("nan"), found)
    results = [_put_back(found[..., i : i + 1], input, axis, keepdims) for i in range(count)]
    return _stack(tuple(results), 0) if points.ndim else results[0]


def quantile(input: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """What the part `q` of the elements along `axis` (of all elements when None) lies below, between two elements in proportion.

    Args:
        input: float32 or float64; where there is a NaN the result is NaN.
        q: a number in [0, 1], or a vector of them: its dimension is then the first of the result.

    Raises:
        TypeError: another element type.
        ValueError: a number that is out of range.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.quantile(Tensor([3.0, 1.0, 2.0, 4.0]), 0.5))
        2.5
    """
    return _quantile("quantile", input, q, axis, keepdims, True)


def nanquantile(input: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`quantile` of the elements that are not NaN."""
    return _quantile("nanquantile", input, q, axis, keepdims, False)


def var_mean(input: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """The variance and the mean."""
    return f.var(input, axis, ddof, keepdims), f.mean(input, axis, keepdims)


def std_mean(input: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """The standard deviation and the mean."""
    return f.std(input, axis, ddof, keepdims), f.mean(input, axis, keepdims)


def aminmax(input: Any, *, axis: Any = 0, keepdims: bool = False) -> Any:
    """The smallest and the largest element along `axis`, of all elements when None."""
    return f.amin(input, axis, keepdims), f.amax(input, axis, keepdims)


def msort(input: Any) -> Any:
    """The elements along the first dimension in order."""
    return _sort(input, 0, False)[0]


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
    behind = right or side == "right"
    given = values if isinstance(values, Tensor) else Tensor(values, sorted_sequence.dtype)
    rows = sorted_sequence if sorter is None else _along(sorted_sequence, _cast(sorter, dt.int64))
    if rows.ndim != 1 and rows.shape[:-1] != given.shape[:-1]:
        raise ValueError(
            f"For 'searchsorted', the 'sorted_sequence' must be a vector or have the leading dimensions of 'values', "
            f"but got shapes {rows.shape} and {given.shape}."
        )
    shape = given.shape
    wanted = f.ravel(given) if rows.ndim == 1 else given
    length = rows.shape[-1]
    low = _full(wanted.shape, 0, dt.int64)
    high = _full(wanted.shape, length, dt.int64)
    for _ in range(length.bit_length()):
        middle = _floor_div(_add(low, high), 2)
        found = _along(rows, _minimum(middle, length - 1))
        before = _less_equal(found, wanted) if behind else _less(found, wanted)
        before = _logical_and(before, _less(middle, high))
        low, high = _select(before, _add(middle, 1), low), _select(before, high, middle)
    return _cast(_reshape(low, shape), dt.int32 if out_int32 else dt.int64)


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
    """The distinct elements in the order in which they come first, and for each element the int32 position of its own among them.

    Only in PYNATIVE mode: the size of the result depends on the values.

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
    places = rank[inverse.reshape(-1)].reshape(input.shape).astype(np.int32)
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


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along `axis`, taken `n` times.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.diff(Tensor([1, 4, 2])))
        [ 3 -2]
    """
    parts = [p for p in (prepend, x, append) if p is not None]
    result = _concat(tuple(parts), axis) if len(parts) > 1 else x
    for _ in range(n):
        length = result.shape[axis]
        first, last = f.split(result, [1, length - 1], axis)[1], f.split(result, [length - 1, 1], axis)[0]
        result = _not_equal(first, last) if x.dtype is dt.bool_ else _sub(first, last)
    return result


_not_equal = function("not_equal")


def trapz(y: Any, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Any:
    """The integral along `dim` by the trapezoidal rule, over the places `x` or steps of `dx`."""
    rows = f.cast(y, dt.float32) if not y.dtype.is_floating else y
    length = rows.shape[dim]
    after, before = f.split(rows, [1, length - 1], dim)[1], f.split(rows, [length - 1, 1], dim)[0]
    step = dx
    if x is not None:
        step = diff(x, 1, -1 if x.ndim == 1 else dim)
        if x.ndim == 1:
            step = _reshape(step, (length - 1,) + (1,) * (rows.ndim - 1 - dim % rows.ndim))
    return _reduce_sum(_mul(_mul(_add(after, before), 0.5), step), dim)


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of the rows of a matrix; `fweights` count each column, `aweights` say how much it matters.

    Raises:
        ValueError: an input of more than two dimensions.
    """
    if input.ndim > 2:
        raise ValueError(f"For 'cov', the 'input' must have at most 2 dimensions, but got shape {input.shape}.")
    rows = _reshape(input, (1, -1)) if input.ndim < 2 else input
    rows = rows if rows.dtype.is_floating else f.cast(rows, dt.float32)
    weights = _full((rows.shape[1],), 1, rows.dtype)
    for each in (fweights, aweights):
        weights = weights if each is None else _mul(weights, f.cast(each, rows.dtype))
    total = _reduce_sum(weights)
    less = (
        correction
        if aweights is None
        else _mul(_div(_reduce_sum(_mul(weights, f.cast(aweights, rows.dtype))), total), correction)
    )
    centred = _sub(rows, _div(_reduce_sum(_mul(rows, weights), -1, True), total))
    found = _div(f.matmul(_mul(centred, weights), f.swapaxes(centred, 0, 1)), _sub(total, less))
    return f.squeeze(found) if input.ndim < 2 else found


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-08) -> Any:
    """``sum(x1 * x2) / max(|x1| * |x2|, eps)`` along `dim`.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.cosine_similarity(Tensor([[3.0, 4.0]]), Tensor([[4.0, 3.0]])))
        [0.96]
    """
    size = _mul(_reduce_sum(_square(x1), dim), _reduce_sum(_square(x2), dim))
    return _mul(_reduce_sum(_mul(x1, x2), dim), _rsqrt(_maximum(size, eps * eps)))


def renorm(input: Any, p: float, axis: int, maxnorm: float) -> Any:
    """Slices along `axis` whose `p`-norm is above `maxnorm` scaled down to it."""
    others = tuple(i for i in range(input.ndim) if i != axis % input.ndim)
    size = (
        measures.norm(input, p, others if len(others) != 1 else others[0], True)
        if len(others) < 2
        else _root(input, p, others)
    )
    factor = _select(_less_equal(size, maxnorm), 1.0, _div(maxnorm, _maximum(size, 1e-30)))
    return _mul(input, factor)


def _root(x: Any, p: float, axes: Any) -> Any:
    return _pow(_reduce_sum(_pow(_abs(x), p), axes, True), 1.0 / p)


_pow = function("pow")


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The `p`-norm of the difference of two tensors."""
    apart = _abs(_sub(input, other))
    if p == math.inf:
        return f.amax(apart)
    return measures.norm(f.ravel(apart), p)


def intopk(x1: Any, x2: Any, k: int) -> Any:
    """Whether the element that `x2` names in each row of `x1` is among the `k` largest.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, ops
        >>> print(ops.intopk(Tensor([[1.0, 8.0, 5.0]]), Tensor([2], ms.int32), 1))
        [False]
    """
    chosen = _along(x1, f.expand_dims(_cast(x2, dt.int64), 1))
    return _less(_reduce_sum(_cast(_less(chosen, x1), dt.int64), 1), k)


def sequence_mask(lengths: Any, maxlen: Any = None) -> Any:
    """Bool rows that are true up to each length, of `maxlen` elements, which graph mode needs; else of the largest length."""
    size = int(lengths.asnumpy().max()) if maxlen is None else maxlen
    return _less(_iota((size,)), f.expand_dims(_cast(lengths, dt.int64), -1))


_iota = function("iota")

METHODS = {
    each.__name__: each
    for each in (
        aminmax, bincount, cov, cummax, cummin, diff, histc, logcumsumexp, median, msort, nanmean, nanmedian, nanquantile, quantile,
        renorm, unique, unique_consecutive, unique_with_pad,
    )
}  # fmt: skip
"""Functions that are methods of tensors as well."""
FUNCTIONS = {
    **METHODS,
    **{
        each.__name__: each
        for each in (bucketize, cosine_similarity, dist, intopk, searchsorted, sequence_mask, std_mean, trapz, var_mean)
    },
}
