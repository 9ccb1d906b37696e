"""Assigning to Parameters: in place when run eagerly, a new version of the Parameter in graphs."""

from __future__ import annotations

from typing import Any

from mindspore import _native
from mindspore.base.promotion import fits_kind
from mindspore.base.protocols import CONVERTED_FROM
from mindspore.common.tensor_class import Tensor
from mindspore.common.writes import assign_values

__all__ = ["assign", "assign_add", "assign_sub", "store"]


def assign(variable: Any, value: Any) -> Any:
    """Writes `value` into `variable` and returns `variable`.

    Args:
        variable: a Parameter (or, in PYNATIVE mode, any tensor).
        value: a tensor of its shape, converted to its element type, or a number.

    Raises:
        ValueError: the shapes differ.
        TypeError: `variable` is no tensor, or the value's kind of number does not fit its element type, as floats do not fit integers.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Parameter, Tensor, ops
        >>> p = Parameter(Tensor([1.0, 2.0]), name="p")
        >>> print(ops.assign(p, Tensor([3.0, 4.0])).asnumpy())
        [3. 4.]
    """
    if not isinstance(variable, Tensor):
        raise TypeError(f"For 'Assign', the 'variable' must be a Parameter, but got {type(variable).__name__}.")
    given = value if isinstance(value, Tensor) else Tensor(value)
    if not fits_kind(given.dtype, variable.dtype):
        raise TypeError(
            f"For 'Assign', 'value' of type {given.dtype} does not fit 'variable' of type {variable.dtype}: convert it with astype."
        )
    if given.shape != variable.shape:
        raise ValueError(
            "For 'Assign', 'value' must have the same shape as 'variable'. But got 'value' shape: "
            f"{given.shape}, 'variable' shape: {variable.shape}."
        )
    assign_values(variable, given if given.dtype is variable.dtype else given.astype(variable.dtype))
    source = getattr(variable, CONVERTED_FROM, None)
    if source is not None:
        assign(source, given)
    return variable


def store(variable: Any, made: Any) -> Any:
    """`assign` of a value that was made for this and that nothing uses afterwards: its memory may become the Parameter's.

    Raises:
        ValueError: the shapes differ.
        TypeError: `variable` is no tensor, or the value's kind of number does not fit its element type.
    """
    like = isinstance(variable, Tensor) and made.dtype is variable.dtype and made.shape == variable.shape
    if not like or _native.get_tape() is not None or getattr(variable, CONVERTED_FROM, None) is not None:
        return assign(variable, made)
    variable.take_from(made)
    return variable


def assign_add(variable: Any, value: Any) -> Any:
    """Adds `value` to `variable` in place and returns `variable`."""
    return store(variable, variable + value)


def assign_sub(variable: Any, value: Any) -> Any:
    """Subtracts `value` from `variable` in place and returns `variable`."""
    return store(variable, variable - value)


assign.__graph_assign__ = True  # type: ignore[attr-defined]
store.__graph_assign__ = True  # type: ignore[attr-defined]
