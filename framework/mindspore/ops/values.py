"""Numbers of other types, ranges, parts of containers, and order, under the names of MindSpore's operators."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common.dtype import dtype_to_pytype
from mindspore.common.eager import function
from mindspore.common.methods import Tensor
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


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "depend": depend, "dict_getitem": getitem, "dict_setitem": list_setitem, "in_dict": in_dict, "linspace": linspace,
    "list_getitem": getitem, "list_len": length, "list_setitem": list_setitem, "make_dict": make_dict,
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
        "Depend": depend, "InvertPermutation": invert_permutation, "LinSpace": linspace, "ScalarCast": scalar_cast,
        "ScalarToArray": scalar_to_array, "ScalarToTensor": scalar_to_tensor, "TupleToArray": tuple_to_array,
    }.items()
}  # fmt: skip
"""The classes of ``ops.operations`` among them."""
