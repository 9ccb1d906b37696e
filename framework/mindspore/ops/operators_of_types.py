"""``ops.composite.multitype_ops``: Python's operators as functions of numbers, tensors and containers."""

from __future__ import annotations

import operator
from typing import Any

from mindspore.ops import functional
from mindspore.ops.maps import HyperMap

__path__: list[str] = []
"""Further module paths begin with this one (`base.import_paths`)."""

add, sub, mul, div, floordiv, mod = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
)  # fmt: skip
bitwise_and, bitwise_or, bitwise_xor, invert = operator.and_, operator.or_, operator.xor, operator.invert
left_shift, right_shift = operator.lshift, operator.rshift
equal, not_equal, less, less_equal = operator.eq, operator.ne, operator.lt, operator.le
greater, greater_equal = operator.gt, operator.ge
negative, uadd, pow_, getitem, logical_not = operator.neg, operator.pos, operator.pow, operator.getitem, operator.not_


def logical_and(x: Any, y: Any) -> Any:
    """``x and y`` of tensors or of Python values."""
    return functional.logical_and(x, y) if functional.is_tensor(x) or functional.is_tensor(y) else x and y


def logical_or(x: Any, y: Any) -> Any:
    """``x or y`` of tensors or of Python values."""
    return functional.logical_or(x, y) if functional.is_tensor(x) or functional.is_tensor(y) else x or y


def in_(x: Any, y: Any) -> Any:
    """``x in y``."""
    return x in y


def not_in_(x: Any, y: Any) -> Any:
    """``x not in y``."""
    return x not in y


def setitem(data: Any, index: Any, value: Any) -> Any:
    """`data` after ``data[index] = value``."""
    data[index] = value
    return data


def _zero(x: Any) -> Any:
    return functional.zeros_like(x) if functional.is_tensor(x) else type(x)(0)


def _one(x: Any) -> Any:
    return functional.ones_like(x) if functional.is_tensor(x) else type(x)(1)


_zeros, _ones = HyperMap(_zero), HyperMap(_one)


def zeros_like(x: Any) -> Any:
    """Zeros in the structure of `x`, a number, a tensor or a container of these."""
    return _zeros(x)


def ones_like(x: Any) -> Any:
    """Ones in the structure of `x`, a number, a tensor or a container of these."""
    return _ones(x)


__all__ = [
    "add", "bitwise_and", "bitwise_or", "bitwise_xor", "div", "equal", "floordiv", "getitem", "greater", "greater_equal", "in_",
    "invert", "left_shift", "less", "less_equal", "logical_and", "logical_not", "logical_or", "mod", "mul", "negative", "not_equal",
    "not_in_", "ones_like", "pow_", "right_shift", "setitem", "sub", "uadd", "zeros_like",
]  # fmt: skip
