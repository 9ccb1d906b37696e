"""Functions over a dimension as a sample, with MindSpore's signatures: orders, quantiles, counts, running extremes; in both modes."""

from __future__ import annotations

import math
from typing import Any

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
_floor_div = function("floor_div")
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
_not_equal = function("not_equal")
_pow = function("pow")
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
    """The smallest element so far along `axis`, and the int32 position of the last one that is as small."""
    return _cummin(input, axis)


def logcumsumexp(input: Any, axis: int) -> Any:
    """The logarithm of the running sum of exponentials along `axis`, without overflow.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.logcumsumexp(Tensor([1.0, 2.0, 3.0]), 0))
        [1.        2.3132615 3.407606 ]
    """
    return _log_cum_sum_exp(input, axis)


def along(x: Any, places: Any) -> Any:
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
    found, place = along(ordered, chosen), along(_cast(places, dt.int64), chosen)
    return _put_back(found, input, axis, keepdims), _put_back(place, input, axis, keepdims)


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
    low, high = along(ordered, first), along(ordered, second)
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
    # A scalar is its own extreme: it has no dimension that could be folded.
    axis = None if input.ndim == 0 and axis in (0, -1) else axis
    return f.amin(input, axis, keepdims), f.amax(input, axis, keepdims)


def msort(input: Any) -> Any:
    """The elements along the first dimension in order."""
    return _sort(input, 0, False)[0]


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along `axis`, taken `n` times.

    Raises:
        ValueError: `n` below 0, or a scalar.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.diff(Tensor([1, 4, 2])))
        [ 3 -2]
    """
    if n < 0 or x.ndim == 0:
        raise ValueError(
            f"For 'diff', 'n' must not be negative and 'x' must have a dimension, but got {n} and shape {x.shape}."
        )
    parts = [p for p in (prepend, x, append) if p is not None]
    result = _concat(tuple(parts), axis) if len(parts) > 1 else x
    for _ in range(n):
        length = result.shape[axis]
        first, last = f.split(result, [1, length - 1], axis)[1], f.split(result, [length - 1, 1], axis)[0]
        result = _not_equal(first, last) if x.dtype is dt.bool_ else _sub(first, last)
    return result


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
    size = _pow(_reduce_sum(_pow(_abs(input), p), others, True), 1.0 / p)
    factor = _select(_less_equal(size, maxnorm), 1.0, _div(maxnorm, _maximum(size, 1e-30)))
    return _mul(input, factor)


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The `p`-norm of the difference of two tensors."""
    apart = _abs(_sub(input, other))
    if p == math.inf:
        return f.amax(apart)
    return measures.norm(f.ravel(apart), p)


METHODS = {
    each.__name__: each
    for each in (
        aminmax, cov, cummax, cummin, diff, logcumsumexp, median, msort, nanmean, nanmedian, nanquantile, quantile, renorm,
    )
}  # fmt: skip
"""Functions that are methods of tensors as well."""
FUNCTIONS = {**METHODS, **{each.__name__: each for each in (cosine_similarity, dist, std_mean, trapz, var_mean)}}
