"""Functions with MindSpore's signatures that run along a dimension or measure it: orders, running results, norms, counts; in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common import functions as f
from mindspore.common.eager import function

_abs = function("abs")
_cast = function("cast")
_cum_prod = function("cum_prod")
_cum_sum = function("cum_sum")
_equal = function("equal")
_exp = function("exp")
_isfinite = function("isfinite")
_isnan = function("isnan")
_log = function("log")
_less_equal = function("less_equal")
_logical_and = function("logical_and")
_logical_or = function("logical_or")
_not_equal = function("not_equal")
_pow = function("pow")
_reduce_max = function("reduce_max")
_reduce_min = function("reduce_min")
_reduce_sum = function("reduce_sum")
_select = function("select")
_sort = function("sort")
_sort_positions = function("sort_positions")
_sqrt = function("sqrt")
_square = function("square")
_top_k = function("top_k")
_infinity = float("inf")


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running sums along `axis`, of the elements as one row when None.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.cumsum(Tensor([1, 2, 3]), 0))
        [1 3 6]
    """
    given = x if dtype is None else f.cast(x, dtype)
    return _cum_sum(f.ravel(given), 0) if axis is None else _cum_sum(given, axis)


def cumprod(input: Any, dim: int, dtype: Any = None) -> Any:
    """Running products along `dim`; narrow integers are multiplied as int64."""
    given = (
        f.cast(input, dtype) if dtype is not None else _cast(input, dt.int64) if input.dtype.kind in "biu" else input
    )
    return _cum_prod(given, dim)


def sort(input_x: Any, axis: int = -1, descending: bool = False) -> Any:
    """The elements along `axis` in order, and their int32 positions before; equal ones keep their order, NaN is the largest.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> values, indices = ops.sort(Tensor([3.0, 1.0, 2.0]))
        >>> print(values, indices)
        [1. 2. 3.] [1 2 0]
    """
    return _sort(input_x, axis, descending)


def argsort(input: Any, axis: int = -1, descending: bool = False) -> Any:
    """Int32 positions of the elements along `axis` in order."""
    if axis == -1 or axis == input.ndim - 1:
        return _sort_positions(input, descending)
    return _sort(input, axis, descending)[1]


def topk(input: Any, k: int, dim: Any = None, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest (or smallest) elements along `dim`, the last dimension when None, in order, and their int32 positions."""
    if dim is None or dim == -1 or dim == input.ndim - 1:
        return _top_k(input, k, largest)
    values, indices = _top_k(f.swapaxes(input, dim, -1), k, largest)
    return f.swapaxes(values, dim, -1), f.swapaxes(indices, dim, -1)


def count_nonzero(x: Any, axis: Any = (), keep_dims: bool = False, dtype: Any = dt.int32) -> Any:
    """How many elements are not zero, over `axis` or all dimensions."""
    return _reduce_sum(_cast(_not_equal(x, 0), dtype), axis, keep_dims)


def ptp(input: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element less the smallest, over `axis` or all dimensions."""
    return f.amax(input, axis, keepdims) - f.amin(input, axis, keepdims)


def nansum(input: Any, axis: Any = None, keepdims: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `axis`, all dimensions when None, without the elements that are NaN."""
    numbers = _select(_isnan(input), 0.0, input) if input.dtype.is_floating else input
    return f.sum(numbers, axis, keepdims, dtype=dtype)


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """The logarithm of the sum of exponentials over `dim`, without overflow."""
    largest = _reduce_max(input, dim, True)
    total = _log(_reduce_sum(_exp(input - largest), dim, True)) + largest
    return total if keepdim else f.squeeze(total, dim)


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:  # noqa: N803
    """Norm of vectors or matrices.

    Args:
        A: a floating tensor.
        ord: None or "fro": the root of the sum of squares. A number p: ``sum(|x|**p) ** (1/p)``; inf and -inf the largest and smallest
            magnitude; 0 how many are not zero. For matrices 1, -1, inf, -inf are the largest or smallest sum of a column or row.
        dim: the dimension of vectors, or the two of matrices; None: all elements, or those of a matrix when `ord` is given.
        keepdim: dimensions that are folded stay as 1.

    Raises:
        ValueError: a norm of matrices that needs singular values.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.norm(Tensor([3.0, 4.0])))
        5.0
    """
    x = A if dtype is None else f.cast(A, dtype)
    if ord is None or ord == "fro":
        return _sqrt(_reduce_sum(_square(x), () if dim is None else dim, keepdim))
    matrix = (0, 1) if dim is None and x.ndim == 2 else dim
    if isinstance(matrix, tuple | list) and len(matrix) == 2:
        return _matrix_norm(x, ord, matrix[0], matrix[1], keepdim)
    return _vector_norm(_abs(x), ord, () if dim is None else dim, keepdim)


def _vector_norm(size: Any, ord: Any, axes: Any, keepdim: bool) -> Any:
    if ord == _infinity:
        return _reduce_max(size, axes, keepdim)
    if ord == -_infinity:
        return _reduce_min(size, axes, keepdim)
    if ord == 0:
        return _reduce_sum(_cast(_not_equal(size, 0), size.dtype), axes, keepdim)
    if ord == 2:
        return _sqrt(_reduce_sum(_square(size), axes, keepdim))
    if ord == 1:
        return _reduce_sum(size, axes, keepdim)
    return _pow(_reduce_sum(_pow(size, ord), axes, keepdim), 1 / ord)


def _matrix_norm(x: Any, ord: Any, row: int, column: int, keepdim: bool) -> Any:
    if ord not in (1, -1, _infinity, -_infinity):
        raise ValueError(
            f"For 'norm' of matrices, 'ord' must be None, 'fro', 1, -1, inf or -inf, but got {ord!r}: others need singular values. "
            f"For a norm of all elements as one vector, flatten them first."
        )
    summed, kept = (row, column) if ord in (1, -1) else (column, row)
    sums = _reduce_sum(_abs(x), summed, True)
    result = _reduce_max(sums, kept, True) if ord in (1, _infinity) else _reduce_min(sums, kept, True)
    return result if keepdim else f.squeeze(result, (row, column))


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether ``|input - other| <= atol + rtol * |other|``, element by element; infinities are close to themselves alone."""
    near = _less_equal(_abs(input - other), atol + rtol * _abs(other))
    close = _logical_or(_equal(input, other), _logical_and(near, _isfinite(other)) if other.dtype.is_floating else near)
    if equal_nan and input.dtype.is_floating:
        return _logical_or(close, _logical_and(_isnan(input), _isnan(other)))
    return close


def _limits(dtype: DType) -> tuple[float, float]:
    """The largest and the smallest finite number of a floating type."""
    if dtype is dt.bfloat16:
        return 3.3895313892515355e38, -3.3895313892515355e38
    found = np.finfo(dt.to_numpy(dtype))
    return float(found.max), float(found.min)


_limits.__constexpr__ = True  # type: ignore[attr-defined]


def nan_to_num(input: Any, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Any:
    """NaN and infinities replaced: by 0 and the largest and smallest finite numbers, or the numbers given."""
    high, low = _limits(input.dtype)
    replaced = _select(_isnan(input), 0.0 if nan is None else nan, input)
    replaced = _select(_equal(replaced, _infinity), high if posinf is None else posinf, replaced)
    return _select(_equal(replaced, -_infinity), low if neginf is None else neginf, replaced)
