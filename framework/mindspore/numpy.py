"""``mindspore.numpy`` (mnp): functions with numpy's names and arguments over tensors, in both modes.

Numbers become int32 and float32 tensors unless ``dtype`` says otherwise.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as _np

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import (
    bool_,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from mindspore.common.tensor import Tensor

pi, e, inf, nan = math.pi, math.e, math.inf, math.nan


def _tensor(value: Any) -> Any:
    return value if isinstance(value, Tensor) else array(value)


def _as(result: Any, dtype: Any) -> Any:
    return result if dtype is None else ops.cast(result, dtype)


def array(obj: Any, dtype: Any = None, copy: bool = True, ndmin: int = 0) -> Any:
    """A tensor of numbers in (nested) lists and tuples, of a numpy array, or of a tensor.

    Examples:
        >>> import mindspore.numpy as mnp
        >>> print(mnp.array([1, 2]).dtype, mnp.array([1.5, 2]).dtype)
        Int32 Float32
    """
    made = _as(obj, dtype) if isinstance(obj, Tensor) else _made(obj, dtype)
    missing = ndmin - made.ndim
    return ops.reshape(made, (1,) * missing + made.shape) if missing > 0 else made


def _made(obj: Any, dtype: Any) -> Any:
    if _holds_tensors(obj):
        return _as(ops.stack([_tensor(each) for each in obj]), dtype)
    return Tensor(obj, _kind(obj) if dtype is None else dtype)


def _holds_tensors(obj: Any) -> bool:
    if isinstance(obj, list | tuple):
        return builtins.any(_holds_tensors(each) for each in obj)
    return isinstance(obj, Tensor)


def _kind(obj: Any) -> Any:
    """The element type of Python numbers; a numpy array keeps its own."""
    if isinstance(obj, _np.ndarray):
        return None
    kind = _np.asarray(obj).dtype.kind
    return {"b": dt.bool_, "i": dt.int32, "f": dt.float32}.get(kind)


_kind.__constexpr__ = True  # type: ignore[attr-defined]


def asarray(a: Any, dtype: Any = None) -> Any:
    """`array` without a copy of a tensor."""
    return array(a, dtype)


def asfarray(a: Any, dtype: Any = float32) -> Any:
    """`array` of floating numbers."""
    return array(a, dtype)


def zeros(shape: Any, dtype: Any = float32) -> Any:
    """Zeros."""
    return ops.zeros(shape, dtype)


def ones(shape: Any, dtype: Any = float32) -> Any:
    """Ones."""
    return ops.ones(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value."""
    return ops.full(shape, fill_value, dtype=_kind(fill_value) if dtype is None else dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = float32) -> Any:  # noqa: N803 -- numpy's names
    """Ones on the diagonal `k`, zeros elsewhere."""
    columns = N if M is None else M
    return ops.cast(ops.equal(arange(columns) - k, ops.reshape(arange(N), (N, 1))), dtype)


def identity(n: int, dtype: Any = float32) -> Any:
    """The unit matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = float32) -> Any:  # noqa: N803 -- numpy's names
    """Ones at and below the diagonal `k`, zeros above."""
    columns = N if M is None else M
    return ops.cast(ops.less_equal(arange(columns) - k, ops.reshape(arange(N), (N, 1))), dtype)


def zeros_like(a: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Zeros of the shape and type of `a`."""
    return full_like(a, 0, dtype, shape)


def ones_like(a: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Ones of the shape and type of `a`."""
    return full_like(a, 1, dtype, shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """One value in the shape and type of `a`."""
    like = _tensor(a)
    return ops.full(like.shape if shape is None else shape, fill_value, dtype=like.dtype if dtype is None else dtype)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from `start`, 0 by default, to before `stop`.

    Examples:
        >>> import mindspore.numpy as mnp
        >>> print(mnp.arange(1, 6, 2))
        [1 3 5]
    """
    first, last = (0, start) if stop is None else (start, stop)
    width = 1 if step is None else step
    return ops.arange(first, last, width, dtype=_kind((first, last, width)) if dtype is None else dtype)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None) -> Any:
    """`num` numbers at equal distances from `start` to `stop`."""
    last = stop if endpoint else start + (stop - start) * (num - 1) / num
    return _as(ops.linspace(start, last, num), dtype)


def _unary(function: Callable[..., Any], floating: bool = False) -> Callable[..., Any]:
    def made(x: Any, dtype: Any = None) -> Any:
        given = _tensor(x)
        if floating and not given.dtype.is_floating:
            given = ops.cast(given, float32)
        return _as(function(given), dtype)

    return made


def _binary(function: Callable[..., Any]) -> Callable[..., Any]:
    def made(x1: Any, x2: Any, dtype: Any = None) -> Any:
        return _as(function(_tensor(x1), x2 if isinstance(x2, int | float) else _tensor(x2)), dtype)

    return made


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def made(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(_tensor(a), axis, keepdims)

    return made


_FLOATING: Mapping[str, str] = {
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctanh": "atanh", "cos": "cos",
    "cosh": "cosh", "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "reciprocal": "reciprocal", "sin": "sin",
    "sinh": "sinh", "sqrt": "sqrt", "tan": "tan", "tanh": "tanh",
}  # fmt: skip
_UNARY: Mapping[str, str] = {
    "abs": "abs", "absolute": "abs", "ceil": "ceil", "floor": "floor", "isfinite": "isfinite", "isinf": "isinf", "isnan": "isnan",
    "logical_not": "logical_not", "negative": "neg", "rint": "rint", "sign": "sign", "square": "square", "trunc": "trunc",
}  # fmt: skip
_BINARY: Mapping[str, str] = {
    "add": "add", "arctan2": "atan2", "divide": "div", "equal": "equal", "floor_divide": "floor_div", "greater": "greater",
    "greater_equal": "greater_equal", "less": "less", "less_equal": "less_equal", "logical_and": "logical_and",
    "logical_or": "logical_or", "maximum": "maximum", "minimum": "minimum", "mod": "floor_mod", "multiply": "mul",
    "not_equal": "not_equal", "power": "pow", "remainder": "floor_mod", "subtract": "sub", "true_divide": "div",
}  # fmt: skip


def _largest(a: Any, axis: Any, keepdims: bool) -> Any:
    return ops.amax(a, axis, keepdims)


def _smallest(a: Any, axis: Any, keepdims: bool) -> Any:
    return ops.amin(a, axis, keepdims)


def sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum along axes, of all elements by default."""
    return _as(_tensor(a).sum(axis, keepdims=keepdims), dtype)


def mean(a: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The mean along axes, of all elements by default."""
    given = _tensor(a)
    return _as((given if given.dtype.is_floating else ops.cast(given, float32)).mean(axis, keepdims), dtype)


def reshape(x: Any, new_shape: Any) -> Any:
    """The elements in another shape."""
    return ops.reshape(_tensor(x), (new_shape,) if isinstance(new_shape, int) else tuple(new_shape))


def ravel(x: Any) -> Any:
    """The elements in one row."""
    return reshape(x, -1)


def transpose(a: Any, axes: Any = None) -> Any:
    """The dimensions in the order `axes`, reversed by default."""
    given = _tensor(a)
    return ops.transpose(given, tuple(range(given.ndim))[::-1] if axes is None else tuple(axes))


def expand_dims(a: Any, axis: int) -> Any:
    """A new dimension of size 1."""
    return ops.expand_dims(_tensor(a), axis)


def squeeze(a: Any, axis: Any = None) -> Any:
    """Without dimensions of size 1."""
    return _tensor(a).squeeze(axis)


def concatenate(arrays: Any, axis: int = 0) -> Any:
    """Tensors one after the other along a dimension."""
    return ops.concat([_tensor(each) for each in arrays], axis)


def stack(arrays: Any, axis: int = 0) -> Any:
    """Tensors of one shape along a new dimension."""
    return ops.stack([_tensor(each) for each in arrays], axis)


def where(condition: Any, x: Any, y: Any) -> Any:
    """Elements of `x` where the condition holds, of `y` elsewhere."""
    return ops.where(_tensor(condition), x, y)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two dimensions in each other's place."""
    return ops.swapaxes(_tensor(x), axis1, axis2)


def tile(a: Any, reps: Any) -> Any:
    """`a` repeated as often along each dimension."""
    return ops.tile(_tensor(a), (reps,) if isinstance(reps, int) else tuple(reps))


def broadcast_to(array: Any, shape: Any) -> Any:
    """`array` in a larger shape."""
    return ops.broadcast_to(_tensor(array), tuple(shape))


def matmul(x1: Any, x2: Any, dtype: Any = None) -> Any:
    """The matrix product."""
    return _as(ops.matmul(_tensor(x1), _tensor(x2)), dtype)


def size(a: Any, axis: int | None = None) -> Any:
    """The number of elements, in all or along a dimension."""
    given = _tensor(a)
    return given.size if axis is None else given.shape[axis]


_MADE: dict[str, Callable[..., Any]] = {name: _unary(getattr(ops, target), True) for name, target in _FLOATING.items()}
_MADE |= {name: _unary(getattr(ops, target)) for name, target in _UNARY.items() if hasattr(ops, target)}
_MADE |= {name: _binary(getattr(ops, target)) for name, target in _BINARY.items()}
_MADE |= {
    "amax": _reduction(_largest),
    "amin": _reduction(_smallest),
    "max": _reduction(_largest),
    "min": _reduction(_smallest),
}
globals().update(_MADE)

__all__ = [
    *_MADE, "arange", "array", "asarray", "asfarray", "bool_", "broadcast_to", "concatenate", "e", "expand_dims", "eye", "float16",
    "float32", "float64", "full", "full_like", "identity", "inf", "int8", "int16", "int32", "int64", "linspace", "matmul", "mean", "nan",
    "ones", "ones_like", "pi", "ravel", "reshape", "size", "squeeze", "stack", "sum", "swapaxes", "tile", "transpose", "tri", "uint8",
    "uint16", "uint32", "uint64", "where", "zeros", "zeros_like",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'mindspore.numpy' has no attribute {name!r}.")
