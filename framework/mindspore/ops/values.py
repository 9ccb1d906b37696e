"""Numbers of other types, ranges, parts of containers, and order, under the names of MindSpore's operators."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common.dtype import dict_, dtype_to_pytype, get_py_obj_dtype, issubclass_, list_, tuple_
from mindspore.common.eager import function
from mindspore.common.methods import Tensor
from mindspore.ir.types import TensorType
from mindspore.ops.constant import constexpr
from mindspore.ops.conversions import scalar_to_array, scalar_to_tensor, tuple_to_array
from mindspore.ops.function_objects import composed

_arange = function("arange")
_cast = function("cast")


def scalar_cast(input_x: Any, input_y: Any) -> Any:
    """A number as the Python number that `input_y`, an element type, has: ``scalar_cast(3.5, mindspore.int32)`` is 3."""
    return dtype_to_pytype(input_y)(input_x)


@constexpr
def invert_permutation(input_x: Any) -> Any:
    """Where each of 0, 1, ... stands in the permutation `input_x`, a tuple or list of ints."""
    if not isinstance(input_x, tuple | list) or not all(type(i) is int for i in input_x):
        raise TypeError(f"For 'InvertPermutation', the 'input_x' must be a tuple or list of ints, but got {input_x!r}.")
    if sorted(input_x) != list(range(len(input_x))):
        raise ValueError(
            f"For 'InvertPermutation', the 'input_x' must hold each of 0 to {len(input_x) - 1} once, but got {input_x!r}."
        )
    return tuple(sorted(range(len(input_x)), key=input_x.__getitem__))


def linspace(start: Any, end: Any, steps: int) -> Any:
    """`steps` numbers from `start` to `end`, both included, at equal distances.

    Args:
        start, end: numbers or 0-d tensors.
        steps: an int of at least 1.

    Raises:
        ValueError: `steps` is below 1.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.linspace(1, 2, 3))
        [1.  1.5 2. ]
    """
    if steps < 1:
        raise ValueError(f"For 'linspace', the 'steps' must be at least 1, but got {steps}.")
    first, last = _floating(start), _floating(end)
    weight = _cast(_arange(0, steps, 1, dt.int64), first.dtype) / max(steps - 1, 1)
    return first * (1 - weight) + last * weight  # both ends exactly


def _floating(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value if value.dtype.is_floating else _cast(value, dt.float32)
    return scalar_to_tensor(value)


def depend(value: Any, expr: Any) -> Any:
    """`value`; `expr` is evaluated before."""
    return value


def make_tuple(*elements: Any) -> Any:
    """The tuple of these values."""
    return elements


def make_list(*elements: Any) -> Any:
    """The list of these values."""
    return list(elements)


def make_dict(keys: Any, values: Any) -> Any:
    """The dict from keys to values of the same position."""
    return dict(zip(keys, values, strict=True))


def getitem(data: Any, index: Any) -> Any:
    """``data[index]``."""
    return data[index]


def tuple_setitem(data: Any, index: Any, value: Any) -> Any:
    """The tuple `data` with `value` at `index`."""
    changed = list(data)
    changed[index] = value
    return tuple(changed)


def list_setitem(data: Any, index: Any, value: Any) -> Any:
    """The list `data` after ``data[index] = value``."""
    data[index] = value
    return data


def in_dict(key: Any, data: Any) -> Any:
    """``key in data``."""
    return key in data


def not_in_dict(key: Any, data: Any) -> Any:
    """``key not in data``."""
    return key not in data


def length(data: Any) -> Any:
    """``len(data)``."""
    return len(data)


def reversed_tuple(data: Any) -> Any:
    """The tuple from its last element to its first."""
    return data[::-1]


def switch(condition: Any, then: Any, other: Any) -> Any:
    """`then` where `condition` is true, `other` elsewhere; both may be functions, to be called afterwards."""
    return then if condition else other


@constexpr
def _tensor_kind(dtype: Any, shape: Any) -> Any:
    return TensorType(dtype, tuple(shape))


def typeof(x: Any) -> Any:
    """The type of a tensor; of a Python number the element type that holds it; the kind of any other value.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.typeof(Tensor([1.0, 2.0])), ops.typeof(3), ops.typeof((1, 2)))
        Float32[2] Int64 Tuple
    """
    if isinstance(x, Tensor):
        return _tensor_kind(x.dtype, x.shape)
    for cls, kind in ((tuple, tuple_), (list, list_), (dict, dict_)):
        if isinstance(x, cls):
            return kind
    return _kind_of(x)


_kind_of = constexpr(get_py_obj_dtype)


def isinstance_(x: Any, kind: Any) -> Any:
    """Whether the type of `x` is `kind`, or one of those that `kind` stands for: ``isinstance_(3, mindspore.dtype.number)``."""
    return issubclass_(typeof(x), kind)


def is_(x: Any, y: Any) -> Any:
    """``x is y``."""
    return x is y


def is_not(x: Any, y: Any) -> Any:
    """``x is not y``."""
    return x is not y


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "depend": depend, "dict_getitem": getitem, "dict_setitem": list_setitem, "in_dict": in_dict, "linspace": linspace,
    "list_getitem": getitem, "list_len": length, "list_setitem": list_setitem, "make_dict": make_dict,
    "is_": is_, "is_not": is_not, "isinstance_": isinstance_, "issubclass_": issubclass_, "list_equal": operator.eq, "make_slice": slice,
    "scalar_log": math.log, "scalar_max": max, "scalar_min": min, "shape_mul": math.prod, "switch": switch, "tuple_equal": operator.eq,
    "typeof": typeof,
    "make_list": make_list, "make_tuple": make_tuple, "not_in_dict": not_in_dict,
    "scalar_cast": scalar_cast, "tuple_getitem": getitem, "tuple_len": length, "tuple_reversed": reversed_tuple,
    "tuple_setitem": tuple_setitem,
    "bool_and": operator.and_, "bool_eq": operator.eq, "bool_not": operator.not_, "bool_or": operator.or_,
    "scalar_add": operator.add, "scalar_div": operator.truediv, "scalar_eq": operator.eq, "scalar_floordiv": operator.floordiv,
    "scalar_ge": operator.ge, "scalar_gt": operator.gt, "scalar_le": operator.le, "scalar_lt": operator.lt,
    "scalar_mod": operator.mod, "scalar_mul": operator.mul, "scalar_ne": operator.ne, "scalar_pow": operator.pow,
    "scalar_sub": operator.sub, "scalar_uadd": operator.pos, "scalar_usub": operator.neg, "string_concat": operator.add,
    "string_eq": operator.eq,
}  # fmt: skip
"""What ``ops.functional`` offers of these."""

CLASSES: Mapping[str, Any] = {
    name: composed(name, meaning)
    for name, meaning in {
        "Depend": depend, "IsInstance": isinstance_, "IsSubClass": issubclass_,
        "InvertPermutation": invert_permutation, "LinSpace": linspace, "ScalarCast": scalar_cast,
        "ScalarToArray": scalar_to_array, "ScalarToTensor": scalar_to_tensor, "TupleToArray": tuple_to_array,
    }.items()
}  # fmt: skip
"""The classes of ``ops.operations`` among them."""
