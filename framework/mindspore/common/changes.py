"""Tensor methods that make tensors in the likeness of another, and those that change one in place, which PYNATIVE mode alone has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.tensor_class import Tensor

_full = function("full")
_reshape = function("reshape")
_stack = function("stack")
_tensor_scatter_add = function("tensor_scatter_add")


def _sizes(size: Any) -> Any:
    return (size,) if isinstance(size, int) else tuple(size)


def new_zeros(self: Any, *size: Any, dtype: Any = None) -> Any:
    """Zeros of the shape given, in the type of the tensor."""
    return _full(f.sizes(size), 0, self.dtype if dtype is None else dtype)


def new_ones(self: Any, *size: Any, dtype: Any = None) -> Any:
    """Ones of the shape given, in the type of the tensor."""
    return _full(f.sizes(size), 1, self.dtype if dtype is None else dtype)


def new_full(self: Any, size: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """One value in the shape given, in the type of the tensor."""
    return _full(_sizes(size), fill_value, self.dtype if dtype is None else dtype)


def type_as(self: Any, other: Any) -> Any:
    """In the type of `other`."""
    return f.cast(self, other.dtype)


def graph_item(self: Any, *index: Any) -> Any:
    """The only element, or the one at a position, as a 0-d tensor: what ``item`` is in graphs."""
    if not index:
        return _reshape(self, ())
    place = f.sizes(index)
    return f.ravel(self)[place[0]] if len(place) == 1 and self.ndim != 1 else self[place]


def item(self: Tensor, *index: Any) -> Any:
    """The only element, or the one at a position (one number counts in row-major order), as a Python number.

    Raises:
        ValueError: without a position, there is not exactly one element.
        IndexError: there is no such position.
    """
    if index:
        return graph_item(self, *index).asnumpy().item()
    if self.size != 1:
        raise ValueError(
            f"The tensor should have only one element, but got {self.size}, more than one element is ambiguous."
            if self.size
            else "The tensor should have only one element, but got 0."
        )
    return self.asnumpy().item()


def itemset(self: Tensor, *args: Any) -> Tensor:
    """Writes the only element, or with ``itemset(position, value)`` the one there; gives the tensor."""
    *place, value = args
    if not place and self.size != 1:
        raise IndexError(f"itemset needs a position for a tensor of shape {self.shape}, but got only a value.")
    target = f.sizes(place) if place else (0,) * self.ndim
    if len(target) == 1 and self.ndim != 1:
        if not -self.size <= target[0] < self.size:
            raise IndexError(f"index {target[0]} is out of bounds for a tensor with {self.size} elements.")
        target = tuple(int(i) for i in np.unravel_index(target[0] % self.size, self.shape))
    self[target] = value
    return self


def inplace(change: Callable[..., Any]) -> Callable[..., Any]:
    """The method that writes what `change` computes into the tensor itself, and gives the tensor."""

    def changed(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        self[...] = change(self, *args, **kwargs)
        return self

    changed.__name__ = changed.__qualname__ = f"{change.__name__}_"
    changed.__doc__ = f"`{change.__name__}` in place."
    return changed


def fill(self: Any, value: Any) -> Any:
    """One value everywhere."""
    return _full(self.shape, value, self.dtype) if not isinstance(value, Tensor) else f.broadcast_to(value, self.shape)


def zero(self: Any) -> Any:
    """Zeros."""
    return _full(self.shape, 0, self.dtype)


def copy(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """The elements of another tensor."""
    return src


def index_put(self: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """The tensor with `values` written, or added with `accumulate`, at positions given by one tensor for each dimension."""
    result = self.copy()
    if not accumulate:
        result[tuple(indices)] = values
        return result
    points = _stack(tuple(indices), -1)
    wanted = (*points.shape[:-1], *self.shape[points.shape[-1] :])
    return _tensor_scatter_add(self, points, f.broadcast_to(f.cast(values, self.dtype), wanted))


def stride(self: Tensor, dim: Any = None) -> Any:
    """Elements from one position to the next along each dimension, or along one."""
    steps = [s // self.itemsize for s in self.strides]
    return steps if dim is None else steps[dim]


IN_PLACE: Mapping[str, Callable[..., Any]] = {
    "add_": inplace(function("add")), "clamp_": inplace(f.clamp), "copy_": inplace(copy), "div_": inplace(function("div")),
    "fill_": inplace(fill), "masked_fill_": inplace(f.masked_fill), "mul_": inplace(function("mul")),
    "sub_": inplace(function("sub")), "zero_": inplace(zero),
}  # fmt: skip
"""Methods that only tensors in memory have."""


def as_bfloat16(self: Any) -> Any:
    """As bfloat16."""
    return f.cast(self, dt.bfloat16)


def as_byte(self: Any) -> Any:
    """As uint8."""
    return f.cast(self, dt.uint8)


def as_short(self: Any) -> Any:
    """As int16."""
    return f.cast(self, dt.int16)
