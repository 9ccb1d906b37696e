"""``RowTensor``: a tensor of which some rows are there and the others are zero, as the gradient of a table is of which rows were taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mindspore.common.tensor_class import Tensor

__all__ = ["RowTensor", "RowTensorInner"]


@dataclass(init=False, eq=False, repr=False, slots=True)
class RowTensor:
    """Some slices of a tensor along its first dimension; the other slices are zero, and slices that are named twice are added.

    Args:
        indices: a 1-d integer Tensor of shape (N,): which slices are given.
        values: a Tensor of shape (N, D1, ..., Dn): the slices.
        shape: the shape (D0, D1, ..., Dn) of the whole tensor.
        row_tensor: another `RowTensor` to take all of these from.

    Attributes:
        indices: the indices.
        values: the slices.
        dense_shape: the shape of the whole tensor.

    Raises:
        TypeError: `indices` or `values` is no Tensor, `shape` is no tuple.
        ValueError: the shapes do not fit each other.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import RowTensor, Tensor
        >>> rows = RowTensor(Tensor([0, 2]), Tensor([[1.0, 2.0], [3.0, 4.0]]), (3, 2))
        >>> print(rows.indices, rows.dense_shape)
        [0 2] (3, 2)
    """

    indices: Any
    values: Any
    dense_shape: tuple[int, ...]

    def __init__(self, indices: Any = None, values: Any = None, shape: Any = None, row_tensor: Any = None) -> None:
        if row_tensor is not None:
            if not isinstance(row_tensor, RowTensor):
                raise TypeError(f"For 'RowTensor', the 'row_tensor' must be a RowTensor, but got {row_tensor!r}.")
            indices, values, shape = row_tensor.indices, row_tensor.values, row_tensor.dense_shape
        for name, each in (("indices", indices), ("values", values)):
            if not isinstance(each, Tensor):
                raise TypeError(f"For 'RowTensor', the '{name}' must be a Tensor, but got {type(each).__name__}.")
        check_rows(indices.shape, values.shape, shape)
        self.indices, self.values, self.dense_shape = indices, values, tuple(shape)

    def __repr__(self) -> str:
        return f"RowTensor(shape={list(self.dense_shape)}, indices={self.indices!r}, values={self.values!r})"


def check_rows(indices: tuple[int, ...], values: tuple[int, ...], shape: Any) -> None:
    """Raises when these are not the shapes of a `RowTensor`."""
    if not isinstance(shape, tuple | list) or not shape:
        raise TypeError(f"For 'RowTensor', the 'shape' must be a tuple of ints, but got {shape!r}.")
    if len(indices) != 1 or tuple(values) != (indices[0], *shape[1:]):
        raise ValueError(
            f"For 'RowTensor', 'indices' must have one dimension and 'values' one slice of shape {tuple(shape[1:])} for each of them, "
            f"but got indices of shape {indices} and values of shape {values}."
        )


RowTensorInner = RowTensor
"""The name under which code that runs in graphs knows the class."""
