"""Python numbers to tensors, ranges, and functions over the values of a tensor; in both modes."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.tensor import Tensor

__all__ = [
    "fill", "l2_normalize", "logsigmoid", "make_range", "prelu", "scalar_to_array", "scalar_to_tensor", "softsign",
    "tuple_to_array",
]  # fmt: skip

_abs = function("abs")
_add = function("add")
_div = function("div")
_full = function("full")
_isfinite = function("isfinite")
_logical_not = function("logical_not")
_less = function("less")
_maximum = function("maximum")
_mul = function("mul")
_neg = function("neg")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_select = function("select")
_softplus = function("softplus")
_sqrt = function("sqrt")
_square = function("square")


def fill(type: Any, shape: Any, value: Any) -> Any:
    """One value in the shape and element type given."""
    return _full(f.sizes((shape,)) if isinstance(shape, list | tuple) else (shape,), value, type)


def tuple_to_array(input_x: Any) -> Any:
    """A tuple of Python numbers as a vector: int64 for ints, float32 for floats.

    Raises:
        TypeError: something that is no tuple of numbers.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.tuple_to_array((1, 2, 3)))
        [1 2 3]
    """
    return _array(input_x)


def _array(numbers: Any) -> Any:
    if not isinstance(numbers, tuple) or not all(isinstance(n, int | float) for n in numbers) or not numbers:
        raise TypeError(f"For 'tuple_to_array', the 'input_x' must be a tuple of numbers, but got {numbers!r}.")
    whole = all(isinstance(n, int) for n in numbers)
    return Tensor(list(numbers), dt.int64 if whole else dt.float32)


def scalar_to_array(input_x: Any) -> Any:
    """A Python number as a tensor without dimensions: int64 for an int, bool_ for a bool, float32 for a float."""
    kind = dt.bool_ if isinstance(input_x, bool) else dt.int64 if isinstance(input_x, int) else dt.float32
    return scalar_to_tensor(input_x, kind)


def scalar_to_tensor(input_x: Any, dtype: Any = dt.float32) -> Any:
    """A Python number as a tensor without dimensions.

    Raises:
        TypeError: something that is no number.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import ops
        >>> print(ops.scalar_to_tensor(3, ms.int32))
        3
    """
    if isinstance(input_x, Tensor) or not isinstance(input_x, bool | int | float):
        raise TypeError(f"For 'scalar_to_tensor', the 'input_x' must be a number, but got {input_x!r}.")
    return _full((), input_x, dtype)


def make_range(*args: Any) -> Any:
    """The ints of ``range(*args)`` as a tuple.

    Examples:
        >>> from mindspore import ops
        >>> ops.make_range(1, 7, 2)
        (1, 3, 5)
    """
    return tuple(range(*args))


def l2_normalize(x: Any, axis: int = 0, epsilon: float = 1e-4) -> Any:
    """``x / sqrt(max(sum(x ** 2), epsilon))``, summed along `axis`."""
    if isinstance(axis, list | tuple) and len(axis) != 1:
        raise TypeError(f"For 'L2Normalize', the length of 'axis' must be 1, but got {axis}.")
    return _div(x, _sqrt(_maximum(_reduce_sum(_square(x), axis, True), epsilon)))


def prelu(input: Any, weight: Any) -> Any:
    """``x`` above zero, ``weight * x`` below.

    Args:
        input: a tensor; dimension 1 holds the channels.
        weight: a vector: one slope for each channel, or one for all.

    Raises:
        ValueError: `weight` that is no vector, or has neither one element nor one for each channel.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.prelu(Tensor([[-2.0, -2.0]]), Tensor([0.5, 0.25])))
        [[-1.  -0.5]]
    """
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim != 1 or weight.shape[0] not in (1, channels):
        raise ValueError(
            f"For 'prelu', 'weight' must be a vector with 1 element or one for each of {channels} channels, but got shape {weight.shape}."
        )
    slopes = _reshape(weight, (weight.shape[0],) + (1,) * (input.ndim - 2)) if input.ndim > 2 else weight
    return _select(_less(input, 0), _mul(slopes, input), input)


def logsigmoid(x: Any) -> Any:
    """The logarithm of the sigmoid, without overflow.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.logsigmoid(Tensor([0.0, -200.0])))
        [  -0.6931472 -200.       ]
    """
    return _neg(_softplus(_neg(x)))


def float_status(x: Any) -> Any:
    """1 when an element is infinite or NaN, else 0: float32, of shape (1,)."""
    return _reshape(f.cast(f.any(_logical_not(_isfinite(x))), dt.float32), (1,))


def softsign(x: Any) -> Any:
    """``x / (1 + |x|)``."""
    return _div(x, _add(_abs(x), 1))
